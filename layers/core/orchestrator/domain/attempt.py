"""Work that a process began and did not end, and when it is set aside so that it cannot delay all other work."""

from dataclasses import dataclass

# So many attempts in a row that killed their process or ran out of time, and the work is set aside.
MOST_ATTEMPTS = 2
# A younger attempt may still be under way in another process.
UNDER_WAY_S = 50.0
# An older one is forgotten: people and releases have changed since.
REMEMBERED_S = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Attempt:
    """The last attempt at some work: the so-manieth in a row, begun at that time in seconds since the epoch."""

    count: int
    began_at: float

    def is_under_way(self, now: float) -> bool:
        """Whether another process may still be at it."""
        return now - self.began_at < UNDER_WAY_S

    def tries(self, now: float) -> int:
        """How often in a row the work did not end."""
        return self.count if now - self.began_at < REMEMBERED_S else 0
