"""Time that moves only when told to."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.ports import Clock


@dataclass
class FakeClock:
    """Starts somewhere; sleeping moves it on and is remembered."""

    now: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


if TYPE_CHECKING:
    _clock: Clock = FakeClock()
