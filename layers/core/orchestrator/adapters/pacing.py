"""Keeps the writes to one issue below the limits that Jira has for them."""

from collections import deque
from dataclasses import dataclass, field
from itertools import takewhile

from orchestrator.ports import Clock

# Jira takes 20 writes in 2 s and 100 in 30 s: https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
# What is left of that is for the other function and for people.
WINDOWS = ((2.0, 15), (30.0, 80))
LONGEST_S = max(seconds for seconds, _ in WINDOWS)
MOST = max(count for _, count in WINDOWS)


@dataclass
class Pacing:
    """When this process wrote to which issue; an issue is forgotten once its writes no longer count."""

    clock: Clock
    writes: dict[str, deque[float]] = field(default_factory=dict)

    def wait(self, issue: str) -> None:
        """Wait until one more write to the issue breaks no limit, and count it."""
        written = self.writes.pop(issue, deque[float](maxlen=MOST))
        delay_s = _delay_s(written, self.clock.monotonic())
        if delay_s > 0:
            self.clock.sleep(delay_s)
        written.append(self.clock.monotonic())
        # Put in last: so the issues stand in the order of their newest write.
        self.writes[issue] = written
        self._forget(self.clock.monotonic() - LONGEST_S)

    def _forget(self, before: float) -> None:
        for issue in list(takewhile(lambda one: self.writes[one][-1] <= before, self.writes)):
            del self.writes[issue]


def _delay_s(written: deque[float], now: float) -> float:
    """Seconds until each window has room: the write that has to leave it is the limit's, from the newest."""
    full = (written[-count] + seconds for seconds, count in WINDOWS if len(written) >= count)
    return max(full, default=now) - now
