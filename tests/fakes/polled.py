"""A poll whose clock lets things happen while it sleeps, and whose tracker may be slow."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.builders import issue
from tests.fakes import wiring
from tests.fakes.clock import FakeClock
from tests.fakes.pipeline import REPO, SERVER, Pipeline
from tests.fakes.tracker import FakeTracker

from orchestrator.domain.issue import Issue
from orchestrator.domain.job import Job
from orchestrator.usecases.poll import Poll


@dataclass
class ActingClock(FakeClock):
    """Lets something happen while somebody sleeps for the so-manieth time."""

    acts: dict[int, Callable[[], None]] = field(default_factory=dict)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.acts.get(len(self.slept), lambda: None)()


@dataclass
class SlowTracker(FakeTracker):
    """A read takes the world's `slow_s`, and lets something happen."""

    world: Any = None

    acts: dict[str, Callable[[], None]] = field(default_factory=dict)

    def read(self, key: str) -> Issue | None:
        self.world.clock.now += self.world.slow_s
        self.acts.get(key, lambda: None)()
        return super().read(key)


@dataclass
class Polled(Pipeline):
    """A poll, what it may take on and for how long it watches; `slow_s` is what the tracker takes for a read."""

    clock: ActingClock = field(default_factory=ActingClock)
    tracker: SlowTracker = field(default_factory=SlowTracker)
    limit: int = 12
    watch_s: float = 0.0
    slow_s: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tracker.world = self

    def poller(self) -> Poll:
        return wiring.poller(self, SERVER, REPO, launch=self.launch, limit=self.limit, watch_s=self.watch_s)

    def running(self) -> Job:
        """A job of DEMO-1 that a worker is at."""
        self.tracker.add(issue())
        taken = self.take()
        self.jobs.start(taken, 1)
        self.tracker.requests.clear()
        return taken

    def label(self, count: int, first: int = 1) -> None:
        """So many issues that wait."""
        self.tracker.add(*(issue(id=str(one), key=f"DEMO-{one}") for one in range(first, first + count)))

    def claimed(self) -> list[str]:
        return [claimed.issue_key for claimed in self.poll().claimed]
