"""When a message that failed comes again: later each time, never before a service asked for, and spread out."""

from collections.abc import Callable
from dataclasses import dataclass

# A random number between two others: what failed together should not come again together.
type Between = Callable[[float, float], float]
SPREAD = (0.7, 1.3)


@dataclass(frozen=True)
class Postponement:
    """The waits of one queue: `retry_s` longer with each attempt, `longest_s` at most."""

    retry_s: int
    longest_s: int

    def delay_s(self, attempt: int, asked_s: float, between: Between) -> int:
        """Seconds to hide the message; `asked_s` is what a service asked for, 0 if none did."""
        own_s = self.retry_s * attempt * between(*SPREAD)
        # Here chance only adds: asking before that time is over counts against us.
        asked_for = asked_s and asked_s + between(1, self.retry_s)
        return round(min(self.longest_s, max(own_s, asked_for)))
