"""Worker tasks as a list: started at once, ready when the test says so."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults

from orchestrator.domain.fleet import Launched, WorkerTask
from orchestrator.ports import WorkerFleet


@dataclass
class FakeFleet:
    """`room` is how many more ECS would take; what is refused beyond it has `refusal` as its reason."""

    clock: FakeClock = field(default_factory=FakeClock)
    all: list[WorkerTask] = field(default_factory=list)
    room: int = 1_000
    refusal: str = "Capacity is unavailable at this time."
    asked: list[int] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)

    def tasks(self) -> tuple[WorkerTask, ...]:
        self.faults.strike("tasks")
        return tuple(self.all)

    def start(self, count: int) -> Launched:
        self.faults.strike("start")
        self.asked.append(count)
        started = min(count, self.room)
        self.room -= started
        self.all += [WorkerTask(created_at=self.clock.now, ready_at=self.clock.now)] * started
        return Launched(started, (self.refusal,) * (count - started))

    def stop_one(self, exit_code: int = 0) -> None:
        """The first running task ends."""
        index = next(at for at, task in enumerate(self.all) if task.is_running)
        self.all[index] = replace(self.all[index], stopped_at=self.clock.now, exit_code=exit_code)


if TYPE_CHECKING:
    _fleet: WorkerFleet = FakeFleet()
