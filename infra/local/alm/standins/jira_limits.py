"""How often one issue may be written to, as Jira documents it: 20 times in 2 s, 100 times in 30 s."""

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from alm.standins.jira_json import failure
from alm.standins.messages import Refused

# https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
WINDOWS = ((2.0, 20), (30.0, 100))
MOST = max(count for _, count in WINDOWS)
REASON = "jira-per-issue-on-write"


class WriteLimits:
    """Counts the writes to each issue that were let through."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._writes: dict[str, deque[float]] = {}

    def check(self, issue_id: str) -> None:
        """Count one more write, or refuse it until it fits."""
        with self._lock:
            now, written = self._clock(), self._writes.setdefault(issue_id, deque(maxlen=MOST))
            left_s = max(
                (written[-count] + seconds - now for seconds, count in WINDOWS if len(written) >= count),
                default=0.0,
            )
            if left_s > 0:
                hints = {"Retry-After": str(math.ceil(left_s)), "RateLimit-Reason": REASON}
                refusal = failure(429, "Rate limit exceeded.")
                raise Refused(replace(refusal, headers={**refusal.headers, **hints}))
            written.append(now)
