"""When a request may be sent again, and after how long: within the service's own hints."""

import random
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

import requests

RETRIES = 4
FIRST_WAIT_S = 0.5
# Longer than this and the queue waits better than a function that is paid by the second.
LONGEST_WAIT_S = 20.0
# https://developer.atlassian.com/cloud/jira/platform/rate-limiting/ (RateLimit-Reason)
PER_ISSUE = "jira-per-issue-on-write"
_HOURLY = frozenset({"jira-quota-global-based", "jira-quota-tenant-based"})
_TRANSIENT = frozenset({500, 502, 503, 504})
_JITTER_S = 0.5
# Until the year 2286 if it is a time, for three centuries if it is a wait: more is no number of seconds.
_SECONDS = re.compile(r"[0-9]{1,10}")
_REASON = re.compile(r"[a-z0-9-]{1,80}")


class Repeat(StrEnum):
    """When a request may be sent a second time."""

    SAFE = "whatever became of the first"
    NOT_DONE = "if the service says that the first was not carried out"
    NEVER = "never"


def wait_s(answer: requests.Response | None, attempt: int, repeat: Repeat, now: float) -> float | None:
    """Seconds until the next try, None if there should be none. `answer` is None when none came."""
    if attempt >= RETRIES or repeat is Repeat.NEVER:
        return None
    if answer is None:
        return _doubled(attempt) if repeat is Repeat.SAFE else None
    if answer.status_code == requests.codes.too_many_requests:  # not carried out, so safe to repeat
        return None if is_hourly(answer.headers) else _hinted(answer.headers, attempt, now)
    if answer.status_code in _TRANSIENT and repeat is Repeat.SAFE:
        return _hinted(answer.headers, attempt, now)
    return None


def asked_s(headers: Mapping[str, str], now: float) -> float | None:
    """How many seconds the service asks us to wait, None if it does not say; `now` is since the epoch.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after; a limit's reset counts only where nothing is left of it.
    """
    until = _after(headers.get("retry-after", "").strip(), now)
    if until is None and headers.get("x-ratelimit-remaining", "").strip() == "0":
        until = _moment(headers.get("x-ratelimit-reset", "").strip())
    return None if until is None else max(0.0, until - now)


def reason(headers: Mapping[str, str]) -> str:
    """Which limit was met, in the service's word for it; empty if it does not say."""
    said = headers.get("ratelimit-reason", "").strip()
    return said if _REASON.fullmatch(said) else ""


def is_hourly(headers: Mapping[str, str]) -> bool:
    """Whether the quota of an hour is used up: then each further request is in vain."""
    return reason(headers) in _HOURLY


def _after(said: str, now: float) -> float | None:
    if _SECONDS.fullmatch(said):
        return now + int(said)
    with suppress(ValueError, OverflowError):
        return _epoch(parsedate_to_datetime(said))
    return None


def _moment(said: str) -> float | None:
    """A reset as GitHub says it, in seconds since the epoch, or as Jira does: 2026-11-22T17:00Z."""
    if _SECONDS.fullmatch(said):
        return float(said)
    with suppress(ValueError, OverflowError):
        return _epoch(datetime.fromisoformat(said))
    return None


def _epoch(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _hinted(headers: Mapping[str, str], attempt: int, now: float) -> float | None:
    hint_s = asked_s(headers, now)
    if hint_s is None:
        return _doubled(attempt)
    if hint_s > LONGEST_WAIT_S:
        return None
    # Jitter only adds: asking before the hint is over counts against us.
    return max(hint_s + random.uniform(0, _JITTER_S), _doubled(attempt))  # noqa: S311  # spreads load, guards nothing


def _doubled(attempt: int) -> float:
    return float(FIRST_WAIT_S * 2**attempt * random.uniform(0.7, 1.3))  # noqa: S311  # the same
