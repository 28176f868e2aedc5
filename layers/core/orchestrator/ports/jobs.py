"""Jobs: their records, their money, their queues, their workers, and what is too large for any of these."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.domain.attempt import Attempt
from orchestrator.domain.fleet import Launched, WorkerTask
from orchestrator.domain.job import Job, JobRecord, Start, Wait
from orchestrator.domain.money import Limits, Reservation, Shortage, Unpaid
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.wall import Probe


class JobStore(Protocol):
    """The job table."""

    def get(self, job_id: str) -> JobRecord | None:
        """The record, None if there is none; NewerFormat if a newer release wrote it."""

    def active(self) -> Iterator[JobRecord]:
        """Every job that has not ended, perhaps as it was a moment ago. One query where there is none."""

    def hold(self, job: Job, seconds: int) -> bool:
        """Keep others from queueing the job for that long; False if one of them is at it, or has done it."""

    def create(self, job: Job, status_comment: str | None, *, resumed: bool = False) -> bool:
        """Record a queued job and its status comment; False if it was queued already.

        `resumed` is true of a job that was claimed before: something may have been told of it.
        """

    def start(self, job: Job, attempt: int) -> Start:
        """Record that the job is running, and say whether it may; nothing is recorded of one that has ended.

        Of a job that nobody has recorded something may have been told: it counts as resumed until `create` says more.
        """

    def alive(self, job: Job) -> bool:
        """Record that a worker is at it; True if it should stop: a person cancelled the job, or it has ended."""

    def progress(self, job: Job, phase: str) -> None:
        """Record what the job is doing now; nothing of a job that nobody has recorded."""

    def walls_tried(self, job: Job, probes: tuple[Probe, ...]) -> None:
        """Record which walls the worker tried to build around the agent; nothing of an unrecorded job."""

    def status_shown(self, job: Job) -> None:
        """Record that the status comment has just been edited."""

    def park(self, job: Job, wait: Wait) -> None:
        """Record that the job waits, for what and until when; its message may go. Nothing of one that has ended."""

    def requeue(self, record: JobRecord) -> int | None:
        """Record that the job is about to be sent once more; the number of that sending.

        None if it has changed since that record was read: somebody is at it.
        """

    def ask_to_cancel(self, job: Job) -> bool:
        """Record that a person wants the job to end; False if it has ended, or nobody has recorded it."""

    def give_up(self, job: Job, queue: str) -> None:
        """Record that a message of the job lies in the dead letters of that queue; nothing of one that has ended."""

    def end(self, job: Job, outcome: Outcome, cost_usd: float | None) -> None:
        """Record how the job ended."""


class JobTracker(Protocol):
    """A job's record as its worker sees it; each may raise ForgedJob, JobFailed or TransientError."""

    def start(self, job: Job, attempt: int) -> Start:
        """Record that the job is running, and say whether it may; nothing is recorded of one that has ended."""

    def alive(self, job: Job) -> bool:
        """Record that a worker is at it; True if it should stop: a person cancelled the job, or it has ended."""

    def progress(self, job: Job, phase: str) -> None:
        """Record what the job is doing now."""

    def walls_tried(self, job: Job, probes: tuple[Probe, ...]) -> None:
        """Record which sandbox levels the worker tried."""

    def park(self, job: Job, wait: Wait) -> None:
        """Record that the job waits, for what and until when; its message may be deleted."""


class JobBudget(Protocol):
    """The money of a job as its worker sees it: amounts and limits are not the worker's to choose."""

    def reserve(self, job: Job, run: str) -> Unpaid | None:
        """Set the action's budget aside for the run of that name; why not where there is not enough."""

    def settle(self, job: Job, run: str, cost_usd: float) -> None:
        """Put the cost in the reservation's place; a second time changes nothing."""


class Attempts(Protocol):
    """What was begun and has not ended: its process was killed, or it ran out of time.

    An attempt is noted before its work and forgotten after it, so that nothing has to be written by a dying process.
    """

    def unfinished(self) -> Mapping[str, Attempt]:
        """By name, what has not ended."""

    def note(self, name: str, count: int) -> None:
        """Record that work of that name is tried for the so-manieth time in a row without an end."""

    def forget(self, name: str) -> None:
        """Record that the work of that name has ended."""


class Accounts(Protocol):
    """What tickets and days have cost. Written together with the job's own record, all or nothing."""

    def reserve(self, job: Job, reservation: Reservation, limits: Limits) -> Shortage | None:
        """Set the money aside in the job, its ticket and the day; what is missing where there is not enough.

        The same reservation a second time changes nothing. Nothing is set aside for a job that nobody has recorded.
        """

    def settle(self, job: Job, reservation: Reservation, cost_usd: float) -> None:
        """Put the cost in the reservation's place; a second time changes nothing."""


class SigningKeys(Protocol):
    """The keys that sign jobs. Worker and agent never hold them."""

    def known(self) -> tuple[str, ...]:
        """The key to sign with first, then those that were in use before it."""

    def fetched(self) -> tuple[str, ...]:
        """The same, read anew, since a signature may be of a key made meanwhile; empty if that was just done."""


class JobSender(Protocol):
    """The way into a queue: in order per issue, once per job and sending."""

    def send(self, job: Job, again: int = 0) -> None:
        """Put the job on the queue. What is sent again on purpose needs a number of its own."""


@dataclass(frozen=True)
class Delivery:
    """A job as a queue hands it out. `attempt` counts from 1."""

    job: Job
    attempt: int
    receipt: str


class JobCounter(Protocol):
    """The job queue, as whoever starts workers sees it."""

    def waiting(self) -> int:
        """Messages nobody works on; may count those too that wait for an earlier one of their issue."""

    def depth(self) -> int:
        """All messages, those too that somebody works on."""


class DeadLetters(Protocol):
    """The messages of a queue that were handed out in vain, as long as nobody brings them back."""

    def jobs(self) -> tuple[Job, ...]:
        """The jobs of some dozens of them; they stay where they are."""


class WorkerFleet(Protocol):
    """The tasks that run jobs."""

    def tasks(self) -> tuple[WorkerTask, ...]:
        """Every one that is starting or running, and those that stopped not long ago."""

    def start(self, count: int) -> Launched:
        """Start that many more; what is refused is an answer, not an error."""


class JobReceiver(Protocol):
    """The way out of the job queue."""

    def receive(self, wait_s: int) -> Delivery | None:
        """The next job, hidden from others for a while; None if none came. ForeignMessage if it is none of ours."""

    def hide(self, receipt: str, seconds: int) -> None:
        """Keep the job hidden from others for that long from now; 0 gives it back."""

    def delete(self, receipt: str) -> None:
        """The job is done with."""


class JobArtifacts(Protocol):
    """What a worker may reach of the artifact store."""

    def __call__(self, job: Job) -> "ArtifactStore":
        """The store as far as this job needs it; other objects are refused."""


class ArtifactStore(Protocol):
    """What is too large or too private for a queue: briefs, results, transcripts."""

    def put(self, key: str, content: bytes) -> None:
        """Store, replacing."""

    def put_new(self, key: str, content: bytes) -> bool:
        """Store unless something is stored there; whether it was."""

    def get(self, key: str) -> bytes | None:
        """The content, None if there is none."""

    def put_file(self, key: str, path: Path) -> None:
        """Store a file without reading it into memory."""
