"""Remembers that a service asked us to wait, so that it is not asked again before that time."""

from dataclasses import dataclass, field

from orchestrator.errors import TransientError
from orchestrator.ports import Clock

# Jira's and GitHub's longest windows are an hour. A longer wait is a mistake, and must not stop a deployment.
LONGEST_PAUSE_S = 3600.0
EVERYTHING = ""


@dataclass
class Pauses:
    """What may not be asked until when, in seconds since the epoch: a frozen function's other clock stands still."""

    service: str
    clock: Clock
    _until: dict[str, float] = field(default_factory=dict)

    def heed(self, seconds: float, scope: str = EVERYTHING) -> None:
        """Ask nothing of that scope for so long."""
        now = self.clock.time()
        # Those that are over are dropped here, so that there are never more than were asked for within an hour.
        self._until = {name: until for name, until in self._until.items() if _left_s(until, now)}
        self._until[scope] = now + min(seconds, LONGEST_PAUSE_S)

    def check(self, scope: str = EVERYTHING) -> None:
        """Raise TransientError while that scope, or everything, may not be asked for."""
        now = self.clock.time()
        left_s = max(_left_s(self._until.get(name, 0.0), now) for name in (EVERYTHING, scope))
        if left_s:
            raise TransientError(f"{self.service} asked to be left alone for another {left_s:.0f} s.", left_s)


def _left_s(until: float, now: float) -> float:
    """Seconds left; none of a pause longer than any: then the clock was set back."""
    left_s = until - now
    return left_s if 0 < left_s <= LONGEST_PAUSE_S else 0.0
