"""When a request may be sent again, and after how long: within the service's own hints."""

import random

import requests

RETRIES = 4
FIRST_WAIT_S = 0.5
# Longer than this and the queue waits better than a function that is paid by the second.
LONGEST_WAIT_S = 20.0
_TRANSIENT = frozenset({500, 502, 503, 504})


def wait_s(answer: requests.Response | None, attempt: int, *, repeatable: bool) -> float | None:
    """Seconds until the next try, None if there should be none. `answer` is None when none came."""
    if attempt >= RETRIES:
        return None
    if answer is None:
        return _doubled(attempt) if repeatable else None
    if answer.status_code == requests.codes.too_many_requests:  # not carried out, so safe to repeat
        return _hinted(answer, attempt)
    if answer.status_code in _TRANSIENT and repeatable:
        return _hinted(answer, attempt)
    return None


def _hinted(answer: requests.Response, attempt: int) -> float | None:
    hint = answer.headers.get("retry-after", "")
    if not (hint.isascii() and hint.isdigit()):
        return _doubled(attempt)
    # Jitter only adds: asking before the hint is over counts against us.
    delay_s = int(hint) + random.uniform(0, 0.5)  # noqa: S311  # spreads load, guards nothing
    return delay_s if delay_s <= LONGEST_WAIT_S else None


def _doubled(attempt: int) -> float:
    return float(FIRST_WAIT_S * 2**attempt * random.uniform(0.7, 1.3))  # noqa: S311  # the same
