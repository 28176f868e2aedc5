"""What a person does to jobs: cancel one, ask for one again, bring back messages that were given up."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from alm import jobs
from alm.account import aws_answers
from alm.deployment import Deployment
from alm.jobs import StoredJob, job_of
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.dynamodb import DynamoJobStore
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.adapters.s3 import S3Artifacts
from orchestrator.adapters.sqs import SqsQueue
from orchestrator.domain.job import PROCESSING_LABEL, Job, JobState, read_stored
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import ConfigError, NewerFormat, NotFoundError
from orchestrator.usecases.cancel_job import BY_COMMAND, CancelJob
from orchestrator.usecases.stored_results import read_result

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# As long as SQS remembers what was sent: who is interrupted and begins anew sends nothing twice.
HIDDEN_S = 300


class _Unheard:
    """The events of a command: its person is told in words."""

    def info(self, event: str, **fields: object) -> None:
        """Nothing is logged."""

    def warning(self, event: str, **fields: object) -> None:
        """Nor this."""

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        """And nothing is counted."""


def cancel(deployment: Deployment, record: StoredJob) -> str:
    """Ask for the job's end, as a person does who takes `ai-processing` off; what happens next, in words."""
    job = job_of(record)
    artifacts = S3Artifacts(deployment.s3, deployment.bucket)
    with aws_answers():
        if record.state is not JobState.ENDED and _is_about_to_be_told(artifacts, job):
            raise ConfigError(f"The job {job.job_id} has its result already, which is being published.")
        results = SqsQueue(deployment.sqs, deployment.outputs["ResultQueueUrl"])
        store = DynamoJobStore(deployment.table)
        cancelling = CancelJob(store, artifacts, results, SystemClock(), _Unheard())
        if not cancelling(record, BY_COMMAND):
            how = f" ({record.outcome})" if record.outcome else ""
            raise ConfigError(f"The job {job.job_id} has ended already{how}.")
    return _cancelled(record)


def _is_about_to_be_told(artifacts: S3Artifacts, job: Job) -> bool:
    """Whether it has a result that no wish can change; one of an earlier cancel may have been left half-way."""
    result = read_result(artifacts, job.job_id)
    return result is not None and result.verdict.outcome is not Outcome.CANCELLED


def _cancelled(record: StoredJob) -> str:
    if not record.is_attended(SystemClock().time()):
        return f"{record.job_id} is cancelled: no agent will start, and its ticket will be told."
    return (
        f"{record.job_id} is being cancelled: its worker stops the agent within seconds and publishes nothing of it. "
        "Its ticket will be told."
    )


def retry(jira: JiraCloud, record: StoredJob) -> str:
    """Put the job's label on its ticket again, as a person would; the next poll makes a new job of it."""
    if record.state is not JobState.ENDED:
        raise ConfigError(
            f"The job {record.job_id} has not ended. `alm cancel` ends it, `alm redrive` revives it."
        )
    job = job_of(record)
    issue = jira.read(job.issue_key)
    if issue is None:
        raise NotFoundError(f"The issue {job.issue_key} is gone, or the service account may not see it.")
    if job.label in issue.labels:
        return f"{job.issue_key} carries {job.label} already: a poll will take it."
    jira.ask_for(job.issue_key, job.label)
    return f"{job.label} is on {job.issue_key} again: the next poll makes a new job of it."


def ask_again(jira: JiraCloud, record: StoredJob) -> None:
    """The same for a job that was given up, unless its ticket has moved on since."""
    job = job_of(record)
    issue = jira.read(job.issue_key)
    if issue is None or issue.labels & {job.label, PROCESSING_LABEL}:
        return
    if issue.unfinished is not None and issue.unfinished.job_id == job.job_id:
        jira.ask_for(job.issue_key, job.label)


@dataclass(frozen=True)
class Redriven:
    """What became of a dead-letter queue's messages.

    `foreign` are those that are not ours; `newer` those that only a newer release can read: they are never deleted.
    `asked` are jobs whose ticket was told that they failed: their label was put on again, or had no need to be.
    """

    queue: str
    moved: tuple[str, ...]
    foreign: int
    deleted: bool
    newer: int = 0
    asked: tuple[str, ...] = ()

    def words(self) -> str:
        """For a person."""
        fate = "deleted" if self.deleted else "left there (--delete-foreign deletes)"
        foreign = f", {self.foreign} not ours {fate}" if self.foreign else ""
        newer = f", {self.newer} of a newer release left there" if self.newer else ""
        asked = f", {len(self.asked)} job(s) that had ended asked for again" if self.asked else ""
        return f"{self.queue}: {len(self.moved)} message(s) brought back{asked}{foreign}{newer}"


def redrive(
    deployment: Deployment,
    jira: Callable[[], JiraCloud],
    *,
    delete_foreign: bool = False,
    wait_s: int = 2,
) -> tuple[Redriven, ...]:
    """Every message of ours from both dead-letter queues back to where it came from.

    A job whose ticket has been told its end is asked for anew instead; `jira` is called for that only.
    By receiving and sending, not by a move task of SQS: that one moves what is not ours too, and does not say which
    jobs it moved.
    """
    return tuple(
        _Redrive(deployment, jira, name, wait_s)(delete_foreign=delete_foreign) for name in ("Job", "Result")
    )


class _Fate(StrEnum):
    MOVED = "moved"
    ASKED = "asked"
    FOREIGN = "foreign"
    NEWER = "newer"


@dataclass(frozen=True)
class _Dealt:
    """One message and what became of it; the job's id where it is ours."""

    fate: _Fate
    receipt: str
    job_id: str = ""


@dataclass(frozen=True)
class _Redrive:
    """One dead-letter queue, emptied."""

    deployment: Deployment
    jira: Callable[[], JiraCloud]
    name: str
    wait_s: int

    def __call__(self, *, delete_foreign: bool) -> Redriven:
        """Every message of it, each once."""
        with aws_answers():
            dealt = [self._dealt_with(message) for message in self._messages()]
            for one in dealt:
                if one.fate in {_Fate.FOREIGN, _Fate.NEWER}:
                    delete = delete_foreign and one.fate is _Fate.FOREIGN
                    _leave_or_delete(self.deployment.sqs, self._source, one.receipt, delete=delete)
        counts = Counter(one.fate for one in dealt)
        moved, asked = (
            tuple(one.job_id for one in dealt if one.fate is fate) for fate in (_Fate.MOVED, _Fate.ASKED)
        )
        foreign, newer = counts[_Fate.FOREIGN], counts[_Fate.NEWER]
        return Redriven(f"{self.name.lower()}s", moved, foreign, delete_foreign, newer, asked)

    @property
    def _source(self) -> str:
        return self.deployment.outputs[f"{self.name}DeadLettersUrl"]

    def _messages(self) -> "Iterator[MessageTypeDef]":
        while messages := _received(self.deployment.sqs, self._source, self.wait_s):
            yield from messages

    def _dealt_with(self, message: "MessageTypeDef") -> _Dealt:
        """What becomes of it; of ours it is done at once."""
        receipt = message["ReceiptHandle"]
        match _job(message):
            case Job() as job:
                fate = _Fate.ASKED if self._was_asked_for(job) else _Fate.MOVED
                if fate is _Fate.MOVED:
                    target = self.deployment.outputs[f"{self.name}QueueUrl"]
                    _send_back(self.deployment.sqs, target, message)
                self.deployment.sqs.delete_message(QueueUrl=self._source, ReceiptHandle=receipt)
                return _Dealt(fate, receipt, job.job_id)
            case NewerFormat():
                return _Dealt(_Fate.NEWER, receipt)
            case _:
                return _Dealt(_Fate.FOREIGN, receipt)

    def _was_asked_for(self, job: Job) -> bool:
        """Whether its ticket was told that it failed: its id is used up, and a new job takes its place."""
        if self.name != "Job":
            return False
        try:
            record = jobs.found(self.deployment, job.job_id)
        except NotFoundError:
            return False
        if record.state is not JobState.ENDED or record.outcome != Outcome.FAILED:
            return False
        ask_again(self.jira(), record)
        return True


def _leave_or_delete(sqs: "SQSClient", queue: str, receipt: str, *, delete: bool) -> None:
    if delete:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=receipt)
    else:
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=receipt, VisibilityTimeout=0)


def _received(sqs: "SQSClient", queue: str, wait_s: int) -> "list[MessageTypeDef]":
    # A message stays hidden while others are looked at, so that none is looked at twice.
    answer = sqs.receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=wait_s,
        VisibilityTimeout=HIDDEN_S,
        MessageSystemAttributeNames=["MessageGroupId"],
    )
    return answer.get("Messages", [])


def _send_back(sqs: "SQSClient", queue: str, message: "MessageTypeDef") -> None:
    # Not the job's id: within five minutes of its first sending SQS would drop it. The same for each try of this one.
    sqs.send_message(
        QueueUrl=queue,
        MessageBody=message["Body"],
        MessageGroupId=message["Attributes"]["MessageGroupId"],
        MessageDeduplicationId=f"redrive-{message['MessageId']}",
    )


def _job(message: "MessageTypeDef") -> Job | NewerFormat | None:
    try:
        return read_stored(Job, message["Body"].encode())
    except NewerFormat as newer:
        return newer
