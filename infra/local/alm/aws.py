"""The deployment's queues, table, bucket and secrets in moto, and the two ends of queues that AWS itself plays."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import boto3
from botocore.config import Config

from alm import tether
from alm.environment import REGION, aws_environment, machine_environment
from orchestrator.adapters.s3 import S3Artifacts
from orchestrator.domain.outcome import JobResult
from orchestrator.usecases.stored_results import read_whole_result

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeFilterType
    from mypy_boto3_sqs.type_defs import MessageTypeDef

TABLE = "alm-jobs"
BUCKET = "alm-artifacts"
TRACK_FUNCTION = "track_job"
# moto hands out credentials for any role.
ARTIFACTS_ROLE = "arn:aws:iam::123456789012:role/alm-artifacts"
# As in the template. Only a job that has not ended carries `active`.
TABLE_FORM: Final[Mapping[str, Any]] = {
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "job_id", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": "job_id", "AttributeType": "S"},
        {"AttributeName": "active", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "active",
            "KeySchema": [{"AttributeName": "active", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
# One more than the worker's and the publisher's own tries: the last delivery is for telling the ticket.
MAX_RECEIVES = 4
COUNTS: Final[tuple["QueueAttributeFilterType", ...]] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass
class LocalAws:
    """moto in a process of its own, set up like the template."""

    secrets: Mapping[str, str]

    def __enter__(self) -> Self:
        self._process = tether.start("alm.moto_process", (), machine_environment())
        assert self._process.stdout is not None  # noqa: S101  # it is a pipe
        self.endpoint = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self._session = boto3.session.Session("local", "local", region_name=REGION)
        self.sqs: SQSClient = self._session.client(
            "sqs", endpoint_url=self.endpoint, config=Config(max_pool_connections=32)
        )
        self._create()
        return self

    def __exit__(self, *_: object) -> None:
        tether.stop(self._process)

    @property
    def environment(self) -> Mapping[str, str]:
        """What every function is told of AWS."""
        return {
            **aws_environment(self.endpoint),
            "JOBS_TABLE": TABLE,
            "ARTIFACTS_BUCKET": BUCKET,
            "JOB_QUEUE_URL": self.job_queue,
            "RESULT_QUEUE_URL": self.result_queue,
        }

    @property
    def worker_environment(self) -> Mapping[str, str]:
        """What run_job is told of AWS: neither the job table nor the result queue."""
        return {
            **aws_environment(self.endpoint),
            "ARTIFACTS_BUCKET": BUCKET,
            "JOB_QUEUE_URL": self.job_queue,
            "TRACK_FUNCTION": TRACK_FUNCTION,
        }

    @property
    def dead_letters_environment(self) -> Mapping[str, str]:
        """What poll_jira alone is told of AWS."""
        return {
            "JOB_DEAD_LETTERS_URL": self.job_dead_letters,
            "RESULT_DEAD_LETTERS_URL": self.result_dead_letters,
        }

    def _create(self) -> None:
        self.job_queue, self.job_dead_letters = self._queue("alm-jobs")
        self.result_queue, self.result_dead_letters = self._queue("alm-results")
        self._session.client("s3", endpoint_url=self.endpoint).create_bucket(Bucket=BUCKET)
        self._session.client("dynamodb", endpoint_url=self.endpoint).create_table(
            TableName=TABLE, **TABLE_FORM
        )
        manager = self._session.client("secretsmanager", endpoint_url=self.endpoint)
        for name, value in self.secrets.items():
            manager.create_secret(Name=name, SecretString=value)

    def _queue(self, name: str) -> tuple[str, str]:
        """A queue, and the one of its dead letters."""
        dead = self.sqs.create_queue(QueueName=f"{name}-dead.fifo", Attributes={"FifoQueue": "true"})[
            "QueueUrl"
        ]
        arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES})
        queue = self.sqs.create_queue(
            QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true", "RedrivePolicy": redrive}
        )
        return queue["QueueUrl"], dead

    def next_result(self, wait_s: int) -> "MessageTypeDef | None":
        """The next message for the publisher, as SQS hands it out."""
        answer = self.sqs.receive_message(
            QueueUrl=self.result_queue,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=30,
            MessageSystemAttributeNames=["All"],
        )
        return next(iter(answer.get("Messages", ())), None)

    def result_done(self, receipt: str) -> None:
        """Delete a result that was published."""
        self.sqs.delete_message(QueueUrl=self.result_queue, ReceiptHandle=receipt)

    def jobs_waiting(self) -> int:
        """Jobs that no worker has taken yet."""
        names: list[QueueAttributeFilterType] = ["ApproximateNumberOfMessages"]
        answer = self.sqs.get_queue_attributes(QueueUrl=self.job_queue, AttributeNames=names)
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def in_flight(self) -> int:
        """Messages on both queues, hidden ones included."""
        return self._count(self.job_queue) + self.results_left()

    def results_left(self) -> int:
        """Messages on the result queue, hidden ones included."""
        return self._count(self.result_queue)

    def dead_letters(self) -> int:
        """Messages that nobody could work on."""
        return self._count(self.job_dead_letters) + self._count(self.result_dead_letters)

    def _count(self, queue: str) -> int:
        answer = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=list(COUNTS))
        return sum(int(count) for count in answer["Attributes"].values())

    def artifact(self, key: str) -> bytes:
        """An object of the bucket, for the demo to show and tests to look at."""
        return (
            self._session.client("s3", endpoint_url=self.endpoint)
            .get_object(Bucket=BUCKET, Key=key)["Body"]
            .read()
        )

    def result(self, job_id: str) -> JobResult:
        """A job's stored result with its changes; LookupError if there is none."""
        store = S3Artifacts(self._session.client("s3", endpoint_url=self.endpoint), BUCKET)
        result = read_whole_result(store, job_id)
        if result is None:
            raise LookupError(f"the job {job_id} has no result")
        return result

    def jobs(self) -> list[dict[str, object]]:
        """Every job record: neither the accounts nor what is only held."""
        return [item for item in self.items() if "state" in item]

    def items(self) -> list[dict[str, object]]:
        """Everything in the job table."""
        table = self._session.resource("dynamodb", endpoint_url=self.endpoint).Table(TABLE)
        return [dict(item) for item in table.scan()["Items"]]
