"""The two FIFO queues: in order per issue, once per job id."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.domain.job import Job, read_stored
from orchestrator.errors import ForeignMessage, NewerFormat, NewerMessage
from orchestrator.ports import Delivery

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeFilterType

_VISIBLE: "QueueAttributeFilterType" = "ApproximateNumberOfMessages"
_ALL: "tuple[QueueAttributeFilterType, ...]" = (
    _VISIBLE,
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
# Hidden for as long as one look takes, so that no message is seen twice and a person who redrives finds all of them.
LOOKED_AT_S = 5
MOST_LOOKS = 5


@dataclass(frozen=True)
class SqsQueue:
    """One queue, both ends. `hidden_s` is how long a received message stays hidden at first."""

    client: "SQSClient"
    url: str
    hidden_s: int = 120

    def send(self, job: Job, again: int = 0) -> None:
        """Put the job on the queue; a second send of that number within SQS's five minutes is dropped there."""
        self.client.send_message(
            QueueUrl=self.url,
            MessageBody=job.model_dump_json(),
            MessageGroupId=job.issue_key,
            MessageDeduplicationId=f"{job.job_id}.{again}" if again else job.job_id,
        )

    def receive(self, wait_s: int) -> Delivery | None:
        """The next job, hidden from others for a while; None if none came within `wait_s` seconds.

        A message that is no job of ours raises ForeignMessage (one of a newer release: NewerMessage), and stays
        hidden for as long.
        """
        answer = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=self.hidden_s,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        for message in answer.get("Messages", ()):
            return delivery(
                {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": message["Attributes"],
                }
            )
        return None

    def waiting(self) -> int:
        """Messages nobody works on; SQS counts those too that wait for an earlier one of their issue."""
        return self._count(_VISIBLE)

    def depth(self) -> int:
        """All messages, those too that somebody works on."""
        return self._count(*_ALL)

    def _count(self, *names: "QueueAttributeFilterType") -> int:
        answer = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        return sum(map(int, answer["Attributes"].values()))

    def hide(self, receipt: str, seconds: int) -> None:
        """Keep the message hidden for that long from now; 0 gives it back."""
        self.client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )

    def delete(self, receipt: str) -> None:
        """The message is done with."""
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=receipt)


def delivery(record: Mapping[str, Any]) -> Delivery:
    """A message as a Lambda event has it; a body that is not a job's raises ForeignMessage."""
    receipt, attempt = record["receiptHandle"], int(record["attributes"]["ApproximateReceiveCount"])
    # Without the parser's words, which quote the body: that may be anything.
    try:
        job = read_stored(Job, record["body"].encode())
    except NewerFormat:
        raise NewerMessage(record["messageId"], receipt, attempt) from None
    if job is None:
        raise ForeignMessage(record["messageId"], receipt, attempt)
    return Delivery(job=job, attempt=attempt, receipt=receipt)


@dataclass(frozen=True)
class SqsDeadLetters:
    """A dead-letter queue, looked into and left as it is."""

    client: "SQSClient"
    url: str

    def jobs(self) -> tuple[Job, ...]:
        """The jobs of some dozens of its messages; each message shows again after a moment."""
        return tuple(job for body in self._bodies() if (job := _job(body)) is not None)

    def _bodies(self) -> Iterator[str]:
        for _ in range(MOST_LOOKS):
            answer = self.client.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=0, VisibilityTimeout=LOOKED_AT_S
            )
            if not (messages := answer.get("Messages", ())):
                return
            yield from (message["Body"] for message in messages)


def _job(body: str) -> Job | None:
    with suppress(NewerFormat):
        return read_stored(Job, body.encode())
    return None
