"""The two FIFO queues: in order per issue, once per job id."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.domain.job import Job
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
        """The next job, hidden from others for a while; None if none came within `wait_s` seconds."""
        answer = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=self.hidden_s,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        for message in answer.get("Messages", ()):
            count = message["Attributes"]["ApproximateReceiveCount"]
            return delivery(message["Body"], count, message["ReceiptHandle"])
        return None

    def hide(self, receipt: str, seconds: int) -> None:
        """Keep the message hidden for that long from now; 0 gives it back."""
        self.client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )

    def delete(self, receipt: str) -> None:
        """The message is done with."""
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=receipt)


def delivery(body: str, receive_count: str, receipt: str) -> Delivery:
    """A message's parts as a delivery; a body that is not a job's raises ValueError."""
    return Delivery(job=Job.model_validate(json.loads(body)), attempt=int(receive_count), receipt=receipt)
