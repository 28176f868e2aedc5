"""When a model's service asks for patience, and how long to wait before the same call is made again.

Pure rules; the waiting is `adapters/gateway/patience.py`.
"""

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

# Limited, unavailable, overloaded. https://docs.claude.com/en/api/errors
OVERLOADED = frozenset({429, 503, 529})
# Without a hint the waits double up to here; with the jitter the longest is a minute.
LONGEST_PAUSE_S = 48.0
# A hint of nothing, given again and again, must not become a hammer: 5,000 calls are all a job has.
LEAST_PAUSE_S = 5.0
# Calls that were refused together come back spread over a quarter of their wait.
SPREAD, LEAST_SPREAD_S, MOST_SPREAD_S = 0.25, 1.0, 15.0
# Beyond this many doublings the number is of no use.
_MOST_DOUBLINGS = 10


def is_overloaded(status: int, headers: Mapping[str, str]) -> bool:
    """Whether the same call may go well later. A service that says it will not is believed."""
    return status in OVERLOADED and headers.get("x-should-retry", "").lower() != "false"


def hint_s(headers: Mapping[str, str], now: float) -> float | None:
    """How many seconds the service asks for, in either form of the header; None if it does not say."""
    said = headers.get("retry-after", "").strip()
    try:
        hint = float(said)
    except ValueError:
        hint = _until(said) - now
    return hint if math.isfinite(hint) and hint > 0 else None


def pause_s(hint: float | None, refusals: int, chance: float) -> float:
    """The wait before the next try: never shorter than the hint. `chance` is from 0 to 1 and spreads the callers."""
    grown = 2.0 ** min(refusals, _MOST_DOUBLINGS)
    if hint is None:
        return min(grown, LONGEST_PAUSE_S) * (1 + SPREAD * chance)
    spread = min(max(hint * SPREAD, LEAST_SPREAD_S), MOST_SPREAD_S)
    return max(hint, min(grown, LEAST_PAUSE_S)) + spread * chance


def _until(date: str) -> float:
    """The moment an HTTP date names, in seconds; not a number if it is none."""
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return math.nan
