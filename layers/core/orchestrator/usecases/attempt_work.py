"""Work with an end: limited in time, and counted so that work which never ends is known by the next process."""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.errors import OutOfTime, TransientError
from orchestrator.ports import Attempts, TimeLimit


@dataclass(frozen=True)
class Allowance:
    """How long work may take, and how much of the processor it may use."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class AttemptWork:
    """Does work of a name. What kills the process, or is interrupted while it is busy, counts as an attempt."""

    attempts: Attempts
    limit: TimeLimit

    def __call__[T](self, name: str, before: int, allowed: Allowance, work: Callable[[], T]) -> T:
        """The work's answer; TransientError if it took too long. `before` attempts of it did not end."""
        self.attempts.note(name, before + 1)
        try:
            with self.limit.within(allowed.wall_s, allowed.cpu_s):
                done = work()
        except OutOfTime as late:
            if not late.is_busy:
                # A slow service is not the fault of this work: it counts once, so that other work comes first.
                self.attempts.note(name, 1)
            raise TransientError(
                f"It took longer than {allowed.wall_s:g} s, so it was interrupted."
            ) from late
        except Exception:
            self.attempts.forget(name)
            raise
        self.attempts.forget(name)
        return done
