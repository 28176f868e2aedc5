"""What was begun and has not ended: one item of the job table, so that one read shows all."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orchestrator.adapters.dynamodb import KEPT_S
from orchestrator.domain.attempt import Attempt

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# No job's id can hold a `#`.
KEY = {"job_id": "attempts#unfinished"}
# Before every name: `job_id` and `expires_at` are the item's own.
_PREFIX = "of#"


@dataclass(frozen=True)
class DynamoAttempts:
    """Attempts in the job table."""

    table: "Table"

    def unfinished(self) -> Mapping[str, Attempt]:
        """By name, what has not ended."""
        item = self.table.get_item(Key=KEY, ConsistentRead=True).get("Item", {})
        return {
            name.removeprefix(_PREFIX): _attempt(value)
            for name, value in item.items()
            if name.startswith(_PREFIX)
        }

    def note(self, name: str, count: int) -> None:
        """Record that work of that name is tried for the so-manieth time in a row without an end."""
        attempt = {"count": count, "began_at": Decimal(int(time.time()))}
        self._update("SET #name = :attempt, expires_at = :expires", name, {":attempt": attempt})

    def forget(self, name: str) -> None:
        """Record that the work of that name has ended."""
        self._update("SET expires_at = :expires REMOVE #name", name, {})

    def _update(self, expression: str, name: str, values: dict[str, Any]) -> None:
        self.table.update_item(
            Key=KEY,
            UpdateExpression=expression,
            ExpressionAttributeNames={"#name": f"{_PREFIX}{name}"},
            ExpressionAttributeValues={":expires": int(time.time()) + KEPT_S, **values},
        )


def _attempt(value: Any) -> Attempt:
    return Attempt(int(value["count"]), float(value["began_at"]))
