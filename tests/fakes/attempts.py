"""What was begun and has not ended, in memory; and a limit of time that never comes."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults

from orchestrator.domain.attempt import Attempt
from orchestrator.ports import Attempts, TimeLimit


@dataclass
class FakeAttempts:
    """Attempts by name."""

    clock: FakeClock = field(default_factory=FakeClock)
    known: dict[str, Attempt] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)

    def unfinished(self) -> Mapping[str, Attempt]:
        self.faults.strike("unfinished")
        return dict(self.known)

    def note(self, name: str, count: int) -> None:
        self.faults.strike("note")
        self.known[name] = Attempt(count, self.clock.now)

    def forget(self, name: str) -> None:
        self.faults.strike("forget")
        self.known.pop(name, None)


@dataclass
class FakeTimeLimit:
    """Remembers what it was asked to limit; a fake raises OutOfTime where a test wants it."""

    asked: list[tuple[float, float]] = field(default_factory=list)

    def within(self, wall_s: float, cpu_s: float) -> AbstractContextManager[None]:
        self.asked.append((wall_s, cpu_s))
        return nullcontext()


if TYPE_CHECKING:
    _attempts: Attempts = FakeAttempts()
    _limit: TimeLimit = FakeTimeLimit()
