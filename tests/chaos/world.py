"""The three functions as processes that can die, and what AWS and the schedule do around them until all is quiet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from tests.builders import agent_run, catalogue, changeset
from tests.chaos.points import Killed, Points, Process, Unanswered, watched
from tests.chaos.services import ExpiringQueue, LaggingTracker, TimedJobStore
from tests.fakes import wiring
from tests.fakes.agent import FakeAgent, FakePrompts
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.attempts import FakeAttempts, FakeTimeLimit
from tests.fakes.clock import FakeClock
from tests.fakes.code_host import FakeCheckout, FakeCloner, FakePullRequests
from tests.fakes.events import FakeEvents
from tests.fakes.pipeline import REPO, SERVER

from orchestrator.domain.action import Catalogue
from orchestrator.domain.agent import AgentRun
from orchestrator.domain.issue import claimed_job
from orchestrator.domain.job import PROCESSING_LABEL, Job, JobState
from orchestrator.domain.ledger import Spent
from orchestrator.domain.money import Limits
from orchestrator.ports import AgentTask
from orchestrator.usecases.deliver_results import DeliverResults
from orchestrator.usecases.poll import Poll
from orchestrator.usecases.publish_in_time import PublishInTime
from orchestrator.usecases.work import Work

MINUTE_S = 60
# As template.yaml and SqsQueue have them.
RESULT_HIDDEN_S = 720
JOB_HIDDEN_S = 120
# Ten hours: more than four deliveries of everything take, and all that is sent again after long silence.
MOST_TICKS = 600
QUIET_TICKS = 2
# What nobody has been at for ten minutes is sent again, a result after two hours: from then on the minutes are long.
LONG_QUIET_TICKS, LONG_TICK_S = 12, 900
MOST_QUIET_TICKS = 22


@dataclass
class World:
    """Everything a job passes through. `spent` is what the agent really cost, by job."""

    points: Points = field(default_factory=Points)
    catalogue: Catalogue = field(default_factory=catalogue)
    answers: dict[str, AgentRun] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    events: FakeEvents = field(default_factory=FakeEvents)
    artifacts: FakeArtifacts = field(default_factory=FakeArtifacts)
    time_limit: FakeTimeLimit = field(default_factory=FakeTimeLimit)
    pull_requests: FakePullRequests = field(default_factory=FakePullRequests)
    cloner: FakeCloner = field(default_factory=lambda: FakeCloner(FakeCheckout(changeset())))
    spent: dict[str, list[float]] = field(default_factory=dict)
    deaths: int = 0
    redriven: int = 0
    beats: int = 3
    beat_s: float = 30.0
    limits: Limits | None = None
    cancelled: set[str] = field(default_factory=set)
    trespasses: list[str] = field(default_factory=list)
    _receipts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tracker = LaggingTracker(clock=self.clock)
        self.jobs = TimedJobStore(clock=self.clock)
        self.attempts = FakeAttempts(self.clock)
        self.queue = ExpiringQueue(self.clock, JOB_HIDDEN_S)
        self.results = ExpiringQueue(self.clock, RESULT_HIDDEN_S)

    def go_on(self, between: Callable[[], None] = lambda: None) -> None:
        """The schedule and the queues, minute by minute, until nothing is left to be handed out."""
        quiet = 0
        for _ in range(MOST_TICKS):
            between()
            self.poll()
            is_idle = not (self.queue.messages or self.results.messages)
            self.take_jobs()
            self.deliver()
            self.clock.now += MINUTE_S if quiet < LONG_QUIET_TICKS else LONG_TICK_S
            quiet = quiet + 1 if is_idle else 0
            if quiet == (MOST_QUIET_TICKS if self._is_asked() else QUIET_TICKS):
                return

    def _is_asked(self) -> bool:
        """Whether a ticket still waits for something, or a job for its end."""
        ours = {PROCESSING_LABEL, *self.catalogue.labels}
        is_labelled = any(issue.labels & ours for issue in self.tracker.issues.values())
        return is_labelled or any(one.state is not JobState.ENDED for one in self.jobs.records.values())

    def take_jobs(self) -> None:
        """A worker for each message that can be had."""
        while self._was_taken(self.queue, self.work):
            pass

    def deliver(self) -> None:
        """The publisher for each result that can be had."""
        while self._was_taken(self.results, self.publish):
            pass

    def _was_taken(self, queue: ExpiringQueue, function: Callable[[], None]) -> bool:
        """Whether a message could be handed out; a standing queue starts nobody."""
        if queue.is_standing():
            return False
        function()
        return True

    def poll(self) -> None:
        """One scheduled poll."""
        with self._process("poll") as process:
            watched(self._poll(), process)()

    def work(self) -> None:
        """One worker task."""
        with self._process("work") as process:
            watched(self._work(), process).take_one(0)

    def publish(self) -> None:
        """What AWS does with one result: hand it to the function, then delete it if all went well."""
        delivery = self.results.receive(0)
        if delivery is None:
            return
        with self._process("publish") as process:
            publisher = watched(self._publisher(), process)
            deliver = DeliverResults(lambda: publisher, lambda _: delivery, self.results.hide, self.events)
            attributes = {"ApproximateReceiveCount": delivery.attempt}
            record = {"messageId": "1", "receiptHandle": delivery.receipt, "attributes": attributes}
            if not deliver([record]):
                process.call("aws", self.results.delete, delivery.receipt)

    @contextmanager
    def _process(self, name: str) -> Iterator[Process]:
        process = Process(name, self.points)
        try:
            yield process
        except Killed:
            self.deaths += 1
            # An outer process is not struck by the death of one that ran meanwhile.
        except Exception as error:  # noqa: BLE001  # as Lambda and ECS take it: the process is over, the message comes again
            self.events.warning("process.ended", process=name, error=type(error).__name__)

    def _poll(self) -> Poll:
        return wiring.poller(self, SERVER, REPO)

    def _work(self) -> Work:
        agent = CostlyAgent(
            agent_run(), meanwhile=self._while_it_works, answers=self.answers, spent=self.spent
        )
        run = wiring.runner(self, agent, FakePrompts(), (self.cloner, self.pull_requests), self.limits)
        return Work(
            self.queue, run, self._hidden, self.events, self.clock, lambda low, high: (low + high) / 2
        )

    def _publisher(self) -> PublishInTime:
        return wiring.publisher(self, self.pull_requests)

    @contextmanager
    def _hidden(self, receipt: str, look: Callable[[], None]) -> Iterator[None]:
        self._receipts.append(receipt)
        self._look_in = look
        try:
            yield
        finally:
            self._receipts.remove(receipt)

    def _while_it_works(self, task: AgentTask) -> None:
        """Minutes pass: the worker's message stays hidden, and the schedule goes on polling."""
        receipt, look_in = self._receipts[-1], self._look_in
        for _ in range(self.beats):
            self.clock.now += self.beat_s
            with suppress(Unanswered):
                look_in()
            if task.halt.is_asked:
                return
            self.queue.hide(receipt, JOB_HIDDEN_S)
            self._look(task.job)
            self.poll()
            self.deliver()

    def _look(self, job: Job) -> None:
        """While the agent works, its ticket is claimed for its job and no other."""
        issue = self.tracker.issues[job.issue_key]
        if job.issue_key in self.cancelled:
            return
        if PROCESSING_LABEL not in issue.labels or claimed_job(issue) != job:
            self.trespasses.append(f"the claim of {job.action} was taken away while its agent was at work")

    def cancel(self, key: str) -> None:
        """What a person does who takes the label off; nothing where it is not on."""
        issue = self.tracker.issues[key]
        if PROCESSING_LABEL in issue.labels and claimed_job(issue) is not None:
            self.cancelled.add(key)
            self.tracker.relabel(key, off=PROCESSING_LABEL)

    def empty_table(self) -> None:
        """What a person does who makes the job table anew; the accounts are in it."""
        self.jobs.records.clear()
        self.jobs.held.clear()
        self.jobs.accounts.clear()
        self.attempts.known.clear()

    def redrive(self) -> None:
        """What a person does with the dead letters."""
        self.redriven += self.queue.redrive() + self.results.redrive()


@dataclass
class CostlyAgent(FakeAgent):
    """Answers by action, and remembers what every run cost."""

    answers: dict[str, AgentRun] = field(default_factory=dict)
    spent: dict[str, list[float]] = field(default_factory=dict)

    def run(self, task: AgentTask, transcript: object, tell: object) -> AgentRun:
        self.answer = self.answers.get(task.action.name, self.answer)
        answer = super().run(task, transcript, tell)  # type: ignore[arg-type]
        if task.halt.is_asked:
            answer = replace(
                answer, stop=task.halt.reason, result=None, spent=Spent(cost_usd=answer.cost_usd or 0.0)
            )
        self.spent.setdefault(task.job.job_id, []).append(answer.cost_usd or 0.0)
        return answer
