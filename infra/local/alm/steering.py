"""What a person does to jobs: cancel one, ask for one again, bring back messages that were given up."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from alm.account import aws_answers
from alm.deployment import Deployment
from alm.jobs import StoredJob
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.adapters.sqs import SqsQueue
from orchestrator.domain.job import Job, JobState, result_key
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

CANCELLED = "A person cancelled it."
# As long as SQS remembers what was sent: who is interrupted and begins anew sends nothing twice.
HIDDEN_S = 300


def cancel(deployment: Deployment, record: StoredJob) -> str:
    """Put a cancelled result in the job's place and have it published; what happens next, in words.

    A worker that has not started finds the result and runs nothing. One at work cannot be reached from here: its
    agent goes on to its limits, but what it makes comes after the end and is not published.
    """
    if record.state is JobState.ENDED:
        raise ConfigError(f"The job {record.job_id} has ended already ({record.outcome}).")
    job = record.job
    with aws_answers():
        if not _stored(deployment, job):
            raise ConfigError(f"The job {job.job_id} has its result already, which is being published.")
        SqsQueue(deployment.sqs, deployment.outputs["ResultQueueUrl"]).send(job)
    return _cancelled(record)


def _stored(deployment: Deployment, job: Job) -> bool:
    """Whether the cancelled result was put there; False if a result was there before, ours included."""
    result = JobResult(verdict=Verdict(outcome=Outcome.CANCELLED, reason=CANCELLED))
    try:
        deployment.s3.put_object(
            Bucket=deployment.bucket,
            Key=result_key(job.job_id),
            Body=result.model_dump_json().encode(),
            IfNoneMatch="*",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict"}:
            return False
        raise
    return True


def _cancelled(record: StoredJob) -> str:
    if record.state is JobState.QUEUED:
        return f"{record.job_id} is cancelled: it will not start, and its ticket will be told."
    return (
        f"{record.job_id} is cancelled: its ticket will be told and nothing of it published. "
        "The agent itself ends at its own time or budget."
    )


def retry(jira: JiraCloud, record: StoredJob) -> str:
    """Put the job's label on its ticket again, as a person would; the next poll makes a new job of it."""
    if record.state is not JobState.ENDED:
        raise ConfigError(
            f"The job {record.job_id} has not ended. `alm cancel` ends it, `alm redrive` revives it."
        )
    job = record.job
    issue = jira.read(job.issue_key)
    if issue is None:
        raise NotFoundError(f"The issue {job.issue_key} is gone, or the service account may not see it.")
    if job.label in issue.labels:
        return f"{job.issue_key} carries {job.label} already: a poll will take it."
    jira.ask_for(job.issue_key, job.label)
    return f"{job.label} is on {job.issue_key} again: the next poll makes a new job of it."


@dataclass(frozen=True)
class Redriven:
    """What became of a dead-letter queue's messages; `foreign` are those that are not ours."""

    queue: str
    moved: tuple[str, ...]
    foreign: int
    deleted: bool

    def words(self) -> str:
        """For a person."""
        fate = "deleted" if self.deleted else "left there (--delete-foreign deletes)"
        foreign = f", {self.foreign} not ours {fate}" if self.foreign else ""
        return f"{self.queue}: {len(self.moved)} message(s) brought back{foreign}"


def redrive(deployment: Deployment, *, delete_foreign: bool = False, wait_s: int = 2) -> tuple[Redriven, ...]:
    """Every message of ours from both dead-letter queues back to where it came from.

    By receiving and sending, not by a move task of SQS: that one moves what is not ours too, and does not say which
    jobs it moved.
    """
    return tuple(
        _redriven(deployment, name, wait_s, delete_foreign=delete_foreign) for name in ("Job", "Result")
    )


def _redriven(deployment: Deployment, name: str, wait_s: int, *, delete_foreign: bool) -> Redriven:
    source, target = deployment.outputs[f"{name}DeadLettersUrl"], deployment.outputs[f"{name}QueueUrl"]
    moved: list[str] = []
    foreign: list[str] = []
    with aws_answers():
        while messages := _received(deployment.sqs, source, wait_s):
            for message in messages:
                job = _job(message)
                if job is None:
                    foreign.append(message["ReceiptHandle"])
                    continue
                _send_back(deployment.sqs, target, message)
                deployment.sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
                moved.append(job.job_id)
        for receipt in foreign:
            _leave_or_delete(deployment.sqs, source, receipt, delete=delete_foreign)
    return Redriven(f"{name.lower()}s", tuple(moved), len(foreign), delete_foreign)


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


def _job(message: "MessageTypeDef") -> Job | None:
    try:
        return Job.model_validate_json(message["Body"])
    except ValueError:
        return None
