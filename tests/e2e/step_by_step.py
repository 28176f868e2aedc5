"""The deployed functions one step at a time, so that a test decides which worker gets a message, and when again."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from tests.e2e.alm_command import is_status
from tests.integration.deployment import Deployment, until

from alm.function import LocalFunction
from alm.standins.model import Script
from orchestrator.domain import adf
from orchestrator.domain.job import JobRecord

TICKET = "DEMO-1"
# What a comment's last line says of money.
COST = re.compile(r"· \$[0-9]+\.[0-9]{2} ·")


@dataclass(frozen=True)
class Steps:
    """One ticket on its way through the poll, workers and the publisher."""

    deployment: Deployment
    poller: LocalFunction
    publisher: LocalFunction

    @classmethod
    @contextmanager
    def around(cls, script: Script, label: str) -> Iterator[Self]:
        """A bug with that label, and the two functions that are not the worker."""
        with Deployment.around(script) as deployment:
            deployment.jira.create_issue("Bug", "Ten pieces cost too much", description="x", labels=(label,))
            settings = deployment.settings
            poll = {**settings.poll_environment(), **deployment.aws.dead_letters_environment}
            with (
                deployment.function("poll_jira", poll) as poller,
                deployment.function("publish_result", settings.publish_environment()) as publisher,
            ):
                yield cls(deployment, poller, publisher)

    def poll(self) -> Any:
        """One scheduled poll."""
        return self.poller.invoke({})

    def receipt(self) -> str:
        """Of the job's message, which stays where everybody sees it; moto takes a receipt for good."""
        answer = self.deployment.aws.sqs.receive_message(
            QueueUrl=self.deployment.aws.job_queue, VisibilityTimeout=0
        )
        (message,) = answer["Messages"]
        return message["ReceiptHandle"]

    def show_again(self, receipt: str) -> None:
        """What SQS does when the time is over for which a message was hidden."""
        self.deployment.jobs.hide(receipt, 0)
        until(lambda: self.deployment.jobs.waiting() == 1)

    def publish(self) -> None:
        """Hand the next result to the publisher, as the event source mapping does."""
        message: Any = self.deployment.aws.next_result(0)
        assert message is not None
        record = {
            "messageId": message["MessageId"],
            "body": message["Body"],
            "receiptHandle": message["ReceiptHandle"],
            "attributes": message["Attributes"],
        }
        assert self.publisher.invoke({"Records": [record]}) == {"batchItemFailures": []}
        self.deployment.aws.result_done(message["ReceiptHandle"])

    def comments(self) -> tuple[str, ...]:
        """The ticket's result comments."""
        found = self.deployment.jira.issue(TICKET).comments
        return tuple(adf.to_markdown(one.body) for one in found if not is_status(one))

    def records(self) -> tuple[JobRecord, ...]:
        """Every job's record."""
        return tuple(JobRecord.model_validate(item) for item in self.deployment.aws.jobs())

    def account(self, name: str) -> float:
        """What the one account of that kind stands at."""
        (usd,) = (
            float(str(item["usd"]))
            for item in self.deployment.aws.items()
            if str(item["job_id"]).startswith(f"account#{name}#")
        )
        return usd
