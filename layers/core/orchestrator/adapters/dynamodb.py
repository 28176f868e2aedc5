"""The job table: one item a job, changed only under conditions."""

import time
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from orchestrator.domain.job import Job, JobRecord, JobState
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.wall import Probe

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEPT_S = 90 * 24 * 3600
# An update would make an item of a job that nobody has recorded, and half a record cannot be read.
KNOWN = "attribute_exists(#state)"


@dataclass(frozen=True)
class DynamoJobStore:
    """Job records, gone 90 days after their last change."""

    table: "Table"

    def get(self, job_id: str) -> JobRecord | None:
        """The record as it stands now, None if there is none; a job that is only held has none yet."""
        item = self.table.get_item(Key={"job_id": job_id}, ConsistentRead=True).get("Item")
        return JobRecord.model_validate(item) if item and "state" in item else None

    def hold(self, job: Job, seconds: int) -> bool:
        """Keep others from queueing the job for that long; False if one of them is at it, or has done it."""
        now = int(time.time())
        free = "attribute_not_exists(held_until) OR held_until <= :now"
        values = {":until": now + seconds, ":now": now}
        return self._update(job, "held_until = :until", values, f"attribute_not_exists(#state) AND ({free})")

    def create(self, job: Job, status_comment: str | None) -> bool:
        """Record a queued job and its status comment; False if it was queued already.

        A worker may have started it by now: then its state stays as it is.
        """
        now = Decimal(int(time.time()))
        values = {":state": JobState.QUEUED, ":comment": status_comment, ":zero": 0, ":now": now}
        return self._update(
            job,
            "#state = if_not_exists(#state, :state), attempt = if_not_exists(attempt, :zero), "
            "status_comment = :comment, queued_at = :now",
            values,
            "attribute_not_exists(status_comment)",
        )

    def start(self, job: Job, attempt: int) -> bool:
        """Record that the job is running; False if it has ended already."""
        values = {
            ":state": JobState.RUNNING,
            ":none": {},
            ":attempt": attempt,
            ":ended": JobState.ENDED,
            ":now": Decimal(int(time.time())),
        }
        return self._update(
            job,
            "#state = :state, attempt = :attempt, started_at = :now, costs = if_not_exists(costs, :none)",
            values,
            "attribute_not_exists(#state) OR #state <> :ended",
        )

    def progress(self, job: Job, phase: str) -> None:
        """Record what the job is doing now."""
        self._update(job, "phase = :phase", {":phase": phase}, KNOWN)

    def walls_tried(self, job: Job, probes: tuple[Probe, ...]) -> None:
        """Record which walls the worker tried to build around the agent."""
        tried = [probe.model_dump(mode="json") for probe in probes]
        self._update(job, "probes = :probes", {":probes": tried}, KNOWN)

    def spent(self, job: Job, run: str, cost_usd: float) -> None:
        """Record what that run of the agent costs; `run` is a name of ours, fit for a path in an expression."""
        self._update(
            job, f"costs.{run} = :cost", {":cost": Decimal(str(cost_usd))}, "attribute_exists(costs)"
        )

    def status_shown(self, job: Job) -> None:
        """Record that the status comment has just been edited."""
        self._update(job, "status_at = :now", {":now": Decimal(int(time.time()))}, KNOWN)

    def end(self, job: Job, outcome: Outcome, cost_usd: float | None) -> None:
        """Record how the job ended."""
        cost = None if cost_usd is None else Decimal(str(cost_usd))
        values = {":state": JobState.ENDED, ":outcome": outcome, ":cost": cost}
        self._update(job, "#state = :state, outcome = :outcome, cost_usd = :cost", values, None)

    def _update(self, job: Job, assignments: str, values: dict[str, Any], condition: str | None) -> bool:
        names = {"#label": "label", "#action": "action"}
        if "#state" in f"{assignments} {condition}":
            names["#state"] = "state"
        facts = {":key": job.issue_key, ":id": job.issue_id, ":label": job.label, ":action": job.action}
        update = (
            f"SET {assignments}, expires_at = :expires, issue_key = :key, "
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
