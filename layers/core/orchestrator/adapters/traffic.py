"""Counts the answers of Jira and GitHub as they come, and what is left of their rate limits."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import requests

from orchestrator.ports import Events

# https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
_COUNT = re.compile(r"[0-9]{1,9}")
# https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/: "name";r=REMAINING;t=SECONDS
_REMAINING = re.compile(r";\s*r=([0-9]{1,9})\b")
_STRUCTURED = ("ratelimit", "beta-ratelimit")


def remaining(headers: Mapping[str, str]) -> int | None:
    """How many requests the service would still take, None where it does not say; the least of several limits."""
    plain = headers.get("x-ratelimit-remaining", "").strip()
    said = [plain] if _COUNT.fullmatch(plain) else []
    for name in _STRUCTURED:
        said += _REMAINING.findall(headers.get(name, ""))
    return min(map(int, said), default=None)


def counting(service: str, events: Events, within: str = "") -> Callable[..., None]:
    """A hook for answers whose address holds `within`; requests calls it with more than it needs."""

    def count(answer: requests.Response, **_: Any) -> None:
        if within not in answer.url:
            return
        events.metric(f"{service}Requests", 1)
        if (left := remaining(answer.headers)) is not None:
            events.metric(f"{service}RateLimitRemaining", left)

    return count
