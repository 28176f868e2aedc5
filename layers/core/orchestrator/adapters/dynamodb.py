"""The job table: one item a job, changed only under conditions."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from orchestrator.domain.job import FORMAT, Job, JobRecord, JobState, Start, Wait, is_newer, refuse_newer
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.wall import Probe

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEPT_S = 90 * 24 * 3600
# The sparse index of jobs that have not ended: only their items carry its key.
ACTIVE = "active"
_LISTED = {":active": "y"}
# An update would make an item of a job that nobody has recorded, and half a record cannot be read.
KNOWN = "attribute_exists(#state)"
REFUSED = "ConditionalCheckFailedException"
NOT_ENDED = f"{KNOWN} AND #state <> :ended"
_ENDED = {":ended": JobState.ENDED}


@dataclass(frozen=True)
class DynamoJobStore:
    """Job records, gone 90 days after their last change."""

    table: "Table"

    def get(self, job_id: str) -> JobRecord | None:
        """The record as it stands now, None if there is none; a job that is only held has none yet."""
        item = self.table.get_item(Key={"job_id": job_id}, ConsistentRead=True).get("Item")
        return _record(item) if item and "state" in item else None

    def active(self) -> Iterator[JobRecord]:
        """Every job that has not ended, as the index shows it, which is a moment behind.

        Those of a newer release are left out: they are that one's, and ours must not wait for it.
        """
        start: dict[str, Any] = {}
        while True:
            page = self.table.query(
                IndexName=ACTIVE, KeyConditionExpression=Key(ACTIVE).eq(_LISTED[":active"]), **start
            )
            yield from (_record(item) for item in page["Items"] if not is_newer(item))
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def hold(self, job: Job, seconds: int) -> bool:
        """Keep others from queueing the job for that long; False if one of them is at it, or has done it."""
        now = int(time.time())
        free = "attribute_not_exists(held_until) OR held_until <= :now"
        values = {":until": now + seconds, ":now": now}
        return self._update(job, "held_until = :until", values, f"attribute_not_exists(#state) AND ({free})")

    def create(self, job: Job, status_comment: str | None, *, resumed: bool = False) -> bool:
        """Record a queued job and its status comment; False if it was queued already.

        A worker may have started it by now, or the publisher ended it: then its state stays as it is.
        """
        queued = {":state": JobState.QUEUED, ":zero": 0, **_LISTED}
        values = {":comment": status_comment, ":now": _now(), ":resumed": resumed}
        facts = "status_comment = :comment, queued_at = :now, seen_at = :now, resumed = :resumed"
        first = f"#state = :state, attempt = :zero, {ACTIVE} = :active, {facts}"
        unknown = "attribute_not_exists(status_comment) AND attribute_not_exists(#state)"
        return self._update(job, first, {**queued, **values}, unknown) or self._update(
            job, facts, values, f"attribute_not_exists(status_comment) AND {KNOWN}"
        )

    def start(self, job: Job, attempt: int) -> Start:
        """Record that the job is running, and say whether it may."""
        now = _now()
        values = {
            ":state": JobState.RUNNING,
            ":none": {},
            ":yes": True,
            ":attempt": attempt,
            ":now": now,
            **_LISTED,
            **_ENDED,
        }
        item = self._changed(
            job,
            f"#state = :state, attempt = :attempt, started_at = :now, seen_at = :now, {ACTIVE} = :active, "
            "costs = if_not_exists(costs, :none), resumed = if_not_exists(resumed, :yes)",
            values,
            "attribute_not_exists(#state) OR #state <> :ended",
            removed="dead_letter",
        )
        if item is None:
            return Start.ENDED
        return Start.CANCELLED if item.get("cancel_asked") else Start.GO

    def alive(self, job: Job) -> bool:
        """Record that a worker is at it; True if it should stop: a person cancelled the job, or it has ended."""
        update = update_of(job, "seen_at = :now", {":now": _now(), **_ENDED}, NOT_ENDED)
        held, item = self._tried(update, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        return bool(item.get("cancel_asked")) if held else "state" in item

    def progress(self, job: Job, phase: str) -> None:
        """Record what the job is doing now."""
        self._update(
            job,
            "phase = :phase, seen_at = :now",
            {":phase": phase, ":now": _now()},
            KNOWN,
            removed="dead_letter",
        )

    def walls_tried(self, job: Job, probes: tuple[Probe, ...]) -> None:
        """Record which walls the worker tried to build around the agent."""
        tried = [probe.model_dump(mode="json") for probe in probes]
        self._update(job, "probes = :probes", {":probes": tried}, KNOWN)

    def status_shown(self, job: Job) -> None:
        """Record that the status comment has just been edited."""
        self._update(job, "status_at = :now", {":now": _now()}, KNOWN)

    def park(self, job: Job, wait: Wait) -> None:
        """Record that the job waits, for what and until when."""
        values = {":state": JobState.WAITING, ":for": wait.account, ":until": Decimal(int(wait.until))}
        update = "#state = :state, wait_for = :for, wait_until = :until, seen_at = :now"
        self._update(job, update, {**values, ":now": _now(), **_ENDED}, NOT_ENDED)

    def requeue(self, record: JobRecord) -> int | None:
        """Record that the job is about to be sent once more; the number of that sending."""
        values = {
            ":state": JobState.QUEUED,
            ":known": record.state,
            ":sends": record.sends + 1,
            ":now": _now(),
            ":seen": Decimal(int(record.seen_at)),
        }
        # A record of an earlier release has no such moment yet.
        unchanged = "#state = :known AND (seen_at = :seen OR attribute_not_exists(seen_at))"
        update = "#state = :state, sends = :sends, seen_at = :now"
        return record.sends + 1 if self._update(record.job, update, values, unchanged) else None

    def ask_to_cancel(self, job: Job) -> bool:
        """Record that a person wants the job to end; False if it has ended, or nobody has recorded it."""
        return self._update(job, "cancel_asked = :yes", {":yes": True, **_ENDED}, NOT_ENDED)

    def give_up(self, job: Job, queue: str) -> None:
        """Record that a message of the job lies in the dead letters of that queue."""
        values = {":queue": queue, ":now": _now(), **_ENDED}
        self._update(job, "dead_letter = :queue, seen_at = :now", values, NOT_ENDED)

    def end(self, job: Job, outcome: Outcome, cost_usd: float | None) -> None:
        """Record how the job ended."""
        cost = None if cost_usd is None else Decimal(str(cost_usd))
        values = {":state": JobState.ENDED, ":outcome": outcome, ":cost": cost}
        update = "#state = :state, outcome = :outcome, cost_usd = :cost"
        self._update(job, update, values, None, removed=f"{ACTIVE}, dead_letter")

    def _update(
        self, job: Job, assignments: str, values: dict[str, Any], condition: str | None, removed: str = ""
    ) -> bool:
        return self._changed(job, assignments, values, condition, removed) is not None

    def _changed(
        self, job: Job, assignments: str, values: dict[str, Any], condition: str | None, removed: str = ""
    ) -> dict[str, Any] | None:
        """The item after the change, None where the condition does not hold."""
        held, item = self._tried(update_of(job, assignments, values, condition, removed))
        return item if held else None

    def _tried(self, update: dict[str, Any], **options: Any) -> tuple[bool, dict[str, Any]]:
        """Whether the condition held, and the item after the change; where it did not, what the error shows of it."""
        try:
            return True, dict(
                self.table.update_item(**update, ReturnValues="ALL_NEW", **options)["Attributes"]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == REFUSED:
                shown: Any = error.response.get("Item", {})
                return False, dict(shown)
            raise


def update_of(
    job: Job, assignments: str, values: dict[str, Any], condition: str | None, removed: str = ""
) -> dict[str, Any]:
    """What DynamoDB is to be told: the change, and with each the facts of the job and a new expiry."""
    names = {"#label": "label", "#action": "action", "#version": "version"}
    if "#state" in f"{assignments} {condition}":
        names["#state"] = "state"
    facts = {
        ":key": job.issue_key,
        ":id": job.issue_id,
        ":label": job.label,
        ":action": job.action,
        ":claimed": job.claimed_at,
        ":signature": job.signature,
    }
    update = (
        f"SET {assignments}, expires_at = :expires, issue_key = :key, issue_id = :id, #label = :label, "
        "#action = :action, claimed_at = :claimed, signature = :signature, #version = :version"
        + (f" REMOVE {removed}" if removed else "")
    )
    return {
        "Key": {"job_id": job.job_id},
        "UpdateExpression": update,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {**values, **facts, ":expires": _expires_at(), ":version": FORMAT},
        **({} if condition is None else {"ConditionExpression": condition}),
    }


def _record(item: Any) -> JobRecord:
    refuse_newer(item)
    return JobRecord.model_validate(item)


def _now() -> Decimal:
    return Decimal(int(time.time()))


def _expires_at() -> int:
    return int(time.time()) + KEPT_S
