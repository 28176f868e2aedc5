"""The two FIFO queues: in order per issue, once per job id."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.domain.job import Job
from orchestrator.errors import ForeignMessage
from orchestrator.ports import Delivery

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class SqsQueue:
    """One queue, both ends. `hidden_s` is how long a received message stays hidden at first."""

    client: "SQSClient"
    url: str
    hidden_s: int = 120

    def send(self, job: Job) -> None:
        """Put the job on the queue; a second send within SQS's five minutes is dropped there."""
        self.client.send_message(
            QueueUrl=self.url,
            MessageBody=job.model_dump_json(),
            MessageGroupId=job.issue_key,
            MessageDeduplicationId=job.job_id,
        )

    def receive(self, wait_s: int) -> Delivery | None:
        """The next job, hidden from others for a while; None if none came within `wait_s` seconds.

        A message that is no job of ours raises ForeignMessage, and stays hidden for as long.
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
        answer = self.client.get_queue_attributes(
            QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

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
    try:
        job = Job.model_validate_json(record["body"])
    except ValueError:
        # Without its words, which quote the body: that may be anything.
        raise ForeignMessage(record["messageId"], receipt, attempt) from None
    return Delivery(job=job, attempt=attempt, receipt=receipt)
