"""The use cases over fakes: poll, work and publish as the deployed functions chain them, with no queue between."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.builders import agent_run, catalogue, changeset
from tests.fakes import wiring
from tests.fakes.agent import FakeAgent, FakePrompts
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.attempts import FakeAttempts, FakeTimeLimit
from tests.fakes.clock import FakeClock
from tests.fakes.code_host import FakeCheckout, FakeCloner, FakePullRequests
from tests.fakes.events import FakeEvents
from tests.fakes.job_store import FakeJobStore
from tests.fakes.queue import FakeQueue
from tests.fakes.secrets import FakeFiles
from tests.fakes.tracker import FakeTracker

from orchestrator.domain.action import Catalogue
from orchestrator.domain.halt import Halt
from orchestrator.domain.job import Brief, Job, brief_key
from orchestrator.domain.money import Limits
from orchestrator.domain.publishable import PROTECTED
from orchestrator.ports import Delivery
from orchestrator.usecases.poll import Poll, PollReport

SERVER, REPO = "https://github.example", "o/r"


@dataclass
class Pipeline:
    """Everything a job passes through, and everything it can reach."""

    catalogue: Catalogue = field(default_factory=catalogue)
    tracker: FakeTracker = field(default_factory=FakeTracker)
    clock: FakeClock = field(default_factory=FakeClock)
    jobs: FakeJobStore = field(default_factory=FakeJobStore)
    queue: FakeQueue = field(default_factory=FakeQueue)
    results: FakeQueue = field(default_factory=FakeQueue)
    artifacts: FakeArtifacts = field(default_factory=FakeArtifacts)
    attempts: FakeAttempts = field(default_factory=FakeAttempts)
    time_limit: FakeTimeLimit = field(default_factory=FakeTimeLimit)
    events: FakeEvents = field(default_factory=FakeEvents)
    cloner: FakeCloner = field(default_factory=lambda: FakeCloner(FakeCheckout(changeset())))
    pull_requests: FakePullRequests = field(default_factory=FakePullRequests)
    agent: FakeAgent = field(default_factory=lambda: FakeAgent(agent_run()))
    files: FakeFiles = field(default_factory=FakeFiles)
    protected: tuple[str, ...] = PROTECTED
    limits: Limits | None = None
    launch: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.jobs.now = self.clock.now
        self.attempts.clock = self.clock

    def wait(self, seconds: float) -> None:
        """Let time pass, for the job table too."""
        self.clock.now += seconds
        self.jobs.now = self.clock.now

    def poll(self) -> PollReport:
        """One poll."""
        return self.poller()()

    def poller(self) -> Poll:
        """What polls."""
        return wiring.poller(self, SERVER, REPO, launch=self.launch)

    def work(self, of: Job, attempt: int = 1) -> None:
        """One delivery to a worker."""
        code_host = (self.cloner, self.pull_requests)
        run = wiring.runner(self, self.agent, FakePrompts(), code_host, self.limits)
        run(Delivery(of, attempt, "receipt"), Halt())

    def publish(self, of: Job, attempt: int = 1, *, may_request_changes: bool = False) -> None:
        """One delivery to the publisher of a job that was claimed."""
        self.tracker.put_claim(of)
        publish = wiring.publisher(
            self,
            self.pull_requests,
            self.files,
            may_request_changes=may_request_changes,
            protected=self.protected,
        )
        publish(of, attempt)

    def take(self) -> Job:
        """The one job that a poll claims or brings back."""
        report = self.poll()
        (taken,) = (*report.claimed, *report.resumed)
        return taken

    def through(self, attempt: int = 1) -> Job:
        """One job from its label to its end, on that attempt of worker and publisher."""
        taken = self.take()
        if taken in self.queue.jobs():
            self.work(taken, attempt)
        self.publish(taken, attempt)
        return taken

    def brief(self, of: Job) -> Brief:
        """What was stored for the worker."""
        return Brief.model_validate_json(self.artifacts.contents[brief_key(of)])
