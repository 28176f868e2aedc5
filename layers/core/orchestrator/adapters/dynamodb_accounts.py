"""What tickets and days have cost: an item for each in the job table, changed in one transaction with the job's own.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from orchestrator.adapters.dynamodb import update_of
from orchestrator.domain.job import Job
from orchestrator.domain.money import PLACES, TICKET_KEPT_S, Account, Limits, Reservation, Shortage, end_of
from orchestrator.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# Other workers write the day's account at the same moment; each of these tries waits a little longer than the last.
TRIES, FIRST_WAIT_S = 8, 0.05
JOB, TICKET, DAY = range(3)


def account_key(account: Account, of: str) -> str:
    """The item's key; no job's id can hold a `#`."""
    return f"account#{account}#{of}"


@dataclass(frozen=True)
class DynamoAccounts:
    """Accounts in the job table. `sleep` takes seconds."""

    table: "Table"
    sleep: Callable[[float], None] = time.sleep

    def reserve(self, job: Job, reservation: Reservation, limits: Limits) -> Shortage | None:
        """Set the money aside in the job, its ticket and the day; what is missing where there is not enough."""
        amount = _exact(reservation.amount_usd)
        ticket = _charge(Account.TICKET, job.issue_id, amount, job.issue_key)
        day = _charge(Account.DAY, reservation.day, amount)
        new = "attribute_exists(costs) AND attribute_not_exists(costs.{run})"
        refused = self._written(
            [
                _job_cost(job, reservation.run, amount, new),
                _with_room(ticket, amount, _exact(limits.ticket_usd)),
                _with_room(day, amount, _exact(limits.day_usd)),
            ]
        )
        # The job's item first: what it refuses is set aside already, or nobody has recorded the job.
        if not refused or refused[JOB].is_refused:
            return None
        account, found = (
            (Account.TICKET, refused[TICKET]) if refused[TICKET].is_refused else (Account.DAY, refused[DAY])
        )
        resets_at = found.expires_at if account is Account.TICKET else end_of(reservation.day)
        return Shortage(account, reservation.amount_usd, limits.of(account), found.usd, resets_at)

    def settle(self, job: Job, reservation: Reservation, cost_usd: float) -> None:
        """Put the cost in the reservation's place; a second time changes nothing."""
        reserved, cost = _exact(reservation.amount_usd), _exact(cost_usd)
        if reserved == cost:
            return
        self._written(
            [
                _job_cost(job, reservation.run, cost, "costs.{run} = :reserved", {":reserved": reserved}),
                _charge(Account.TICKET, job.issue_id, cost - reserved, job.issue_key),
                _charge(Account.DAY, reservation.day, cost - reserved),
            ]
        )

    def _written(self, changes: list[dict[str, Any]]) -> "list[_Found]":
        """What each change met where one was refused; empty when all are written."""
        items = [{"Update": {"TableName": self.table.name, **change}} for change in changes]
        for attempt in range(TRIES):
            try:
                self.table.meta.client.transact_write_items(TransactItems=items)  # type: ignore[arg-type]
            except ClientError as error:
                found = [_Found.of(reason) for reason in error.response.get("CancellationReasons", ())]
                if any(one.is_refused for one in found):
                    return found
                if not any(one.is_conflict for one in found):
                    raise
                self.sleep(FIRST_WAIT_S * 2**attempt * random.uniform(0.5, 1))  # noqa: S311  # spreads load
            else:
                return []
        raise TransientError("The accounts are being written by too many workers at once.")


@dataclass(frozen=True)
class _Found:
    """What one change of a transaction met."""

    code: str
    usd: float = 0.0
    expires_at: float = 0.0

    @classmethod
    def of(cls, reason: Any) -> "_Found":
        """A cancellation reason, whose item is in DynamoDB's own notation."""
        item = reason.get("Item") or {}
        usd, expires_at = (float(item.get(name, {}).get("N", 0)) for name in ("usd", "expires_at"))
        return cls(str(reason.get("Code", "None")), usd, expires_at)

    @property
    def is_refused(self) -> bool:
        """Whether its condition did not hold."""
        return self.code == "ConditionalCheckFailed"

    @property
    def is_conflict(self) -> bool:
        """Whether somebody else was writing the item."""
        return self.code == "TransactionConflict"


def _job_cost(
    job: Job, run: str, amount: Decimal, condition: str, more: dict[str, Any] | None = None
) -> dict[str, Any]:
    """`run` is a name of ours, fit for a path in an expression."""
    values = {":cost": amount, **(more or {})}
    return update_of(job, f"costs.{run} = :cost", values, condition.format(run=run))


def _charge(account: Account, of: str, amount: Decimal, issue_key: str = "") -> dict[str, Any]:
    """Add to the account, which is kept for as long again from now."""
    values = {":amount": amount, ":expires": int(time.time()) + TICKET_KEPT_S, ":key": issue_key}
    return {
        "Key": {"job_id": account_key(account, of)},
        "UpdateExpression": "SET expires_at = :expires, issue_key = :key ADD usd :amount",
        "ExpressionAttributeValues": values,
    }


def _with_room(charge: dict[str, Any], amount: Decimal, limit: Decimal) -> dict[str, Any]:
    """The same, where the amount still fits below the limit; else we want to be told what stands there."""
    room = "usd <= :most" if amount > limit else "attribute_not_exists(usd) OR usd <= :most"
    return {
        **charge,
        "ConditionExpression": room,
        "ExpressionAttributeValues": {**charge["ExpressionAttributeValues"], ":most": limit - amount},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _exact(amount_usd: float) -> Decimal:
    return round(Decimal(str(amount_usd)), PLACES)
