"""Jobs under way, as a poll watches them."""

from dataclasses import dataclass, field

from tests.builders import issue
from tests.fakes.pipeline import Pipeline
from tests.fakes.queue import FakeQueue, Message

from orchestrator.domain import status
from orchestrator.domain.job import Job, JobRecord


@dataclass
class NumberedQueue(FakeQueue):
    """Remembers what it was told to send, and with which number."""

    sent: list[tuple[str, int]] = field(default_factory=list)

    def send(self, job: Job, again: int = 0) -> None:
        self.sent.append((job.issue_key, again))
        super().send(job, again)


@dataclass
class Watched(Pipeline):
    """Jobs under way, one on each issue."""

    queue: NumberedQueue = field(default_factory=NumberedQueue)
    results: NumberedQueue = field(default_factory=NumberedQueue)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.queue.clock = self.results.clock = self.clock

    def queued(self, count: int = 1) -> list[Job]:
        """So many jobs, the first the oldest by a second."""
        taken = []
        for number in range(1, count + 1):
            self.tracker.add(issue(id=str(number), key=f"DEMO-{number}"))
            taken.append(self.take())
            self.wait(1)
        self.queue.sent.clear()
        self.tracker.requests.clear()
        return taken

    def publishing(self) -> Job:
        """A job whose result lies on its queue and has been looked at."""
        (taken,) = self.queued()
        self.work(taken)
        self.queue.purge()
        self.jobs.progress(taken, status.PUBLISHING)
        self.results.sent.clear()
        return taken

    def watch(self) -> list[str]:
        """The issues whose jobs were cancelled."""
        return [one.issue_key for one in self.poller().watch(tuple(self.jobs.active()))]

    def record(self, of: Job) -> JobRecord:
        """The record of a job."""
        return self.jobs.records[of.job_id]

    def die(self, of: Job, queue: FakeQueue) -> None:
        """Let a message of the job be handed out in vain, until the queue puts it aside."""
        queue.messages = [message for message in queue.messages if message.job != of]
        queue.dead.append(Message(of, of.issue_key, 0.0))

    def shown(self, key: str = "DEMO-1") -> str:
        """What the one status comment of an issue says."""
        (text,) = self.tracker.status(key)
        return text

    def edits(self) -> int:
        """How often a status comment was edited."""
        return self.tracker.calls().count("edit_comment")

    def counted(self) -> int:
        """How often a job was counted as lost."""
        return sum(name == "JobsResent" for name, _, _ in self.events.measured)
