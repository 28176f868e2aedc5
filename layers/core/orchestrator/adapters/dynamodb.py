"""The job table: one item a job, changed only under conditions."""

import time
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from orchestrator.domain.job import Job, JobRecord, JobState
from orchestrator.domain.outcome import Outcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEPT_S = 90 * 24 * 3600


@dataclass(frozen=True)
class DynamoJobStore:
    """Job records, gone 90 days after their last change."""

    table: "Table"

    def get(self, job_id: str) -> JobRecord | None:
        """The record as it stands now, None if there is none."""
        item = self.table.get_item(Key={"job_id": job_id}, ConsistentRead=True).get("Item")
        return None if item is None else JobRecord.model_validate(item)

    def create(self, job: Job) -> bool:
        """Record a queued job; False if it is known already."""
        item = {**job.model_dump(), "state": JobState.QUEUED, "attempt": 0, "expires_at": _expires_at()}
        return self._unless_refused(
            lambda: self.table.put_item(Item=item, ConditionExpression="attribute_not_exists(job_id)")
        )

    def start(self, job: Job, attempt: int) -> bool:
        """Record that the job is running; False if it has ended already."""
        values = {":state": JobState.RUNNING, ":attempt": attempt, ":ended": JobState.ENDED}
        return self._set(
            job, "attempt = :attempt", values, "attribute_not_exists(job_id) OR #state <> :ended"
        )

    def end(self, job: Job, outcome: Outcome, cost_usd: float | None) -> None:
        """Record how the job ended."""
        cost = None if cost_usd is None else Decimal(str(cost_usd))
        values = {":state": JobState.ENDED, ":outcome": outcome, ":cost": cost}
        self._set(job, "outcome = :outcome, cost_usd = :cost", values, None)

    def _set(self, job: Job, assignments: str, values: dict[str, Any], condition: str | None) -> bool:
        names = {"#state": "state", "#label": "label", "#action": "action"}
        facts = {":key": job.issue_key, ":id": job.issue_id, ":label": job.label, ":action": job.action}
        update = (
            f"SET #state = :state, {assignments}, expires_at = :expires, issue_key = :key, "
            "issue_id = :id, #label = :label, #action = :action"
        )
        options: dict[str, Any] = {} if condition is None else {"ConditionExpression": condition}
        return self._unless_refused(
            lambda: self.table.update_item(
                Key={"job_id": job.job_id},
                UpdateExpression=update,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={**values, **facts, ":expires": _expires_at()},
                **options,
            )
        )

    def _unless_refused(self, write: Any) -> bool:
        try:
            write()
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _expires_at() -> int:
    return int(time.time()) + KEPT_S
