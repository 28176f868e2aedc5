"""What the accounts make of a transaction that is refused, and how long they try."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.builders import job

from orchestrator.adapters.dynamodb_accounts import FIRST_WAIT_S, TRIES, DynamoAccounts
from orchestrator.domain.money import Account, Limits, Reservation
from orchestrator.errors import TransientError

LIMITS = Limits(ticket_usd=10.0, day_usd=50.0)
JOB = job()


def reserved(amount_usd: float = 5.0) -> Reservation:
    return Reservation("run_0a1b2c3d", amount_usd, "2026-11-22")


def cancelled(*codes: str) -> ClientError:
    """A transaction that was refused, with the reason of each of its changes."""
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(answer, "TransactWriteItems")


CONFLICT = cancelled("None", "None", "TransactionConflict")


@dataclass
class BusyTable:
    """A table whose transactions end as told, then well."""

    errors: Iterator[ClientError]
    name: str = "jobs"
    written: list[list[dict[str, Any]]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def meta(self) -> SimpleNamespace:
        return SimpleNamespace(client=self)

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> None:  # noqa: N803  # boto3's
        self.written.append(TransactItems)
        for error in self.errors:
            raise error

    def accounts(self) -> DynamoAccounts:
        table: Any = self
        return DynamoAccounts(table, sleep=self.slept.append)


def test_where_others_write_the_same_account_it_is_tried_again_later_each_time() -> None:
    table = BusyTable(iter([CONFLICT] * (TRIES - 1)))
    assert table.accounts().reserve(JOB, reserved(), LIMITS) is None
    assert len(table.written) == TRIES
    most = [FIRST_WAIT_S * 2**number for number in range(TRIES - 1)]
    assert all(half / 2 <= slept <= half for half, slept in zip(most, table.slept, strict=True))
    assert table.slept == sorted(table.slept)


@pytest.mark.parametrize("call", ["reserve", "settle"])
def test_a_conflict_that_does_not_end_is_left_to_the_queue(call: str) -> None:
    table = BusyTable(iter([CONFLICT] * 100))
    accounts, reservation = table.accounts(), reserved()
    calls: dict[str, Callable[[], object]] = {
        "reserve": lambda: accounts.reserve(JOB, reservation, LIMITS),
        "settle": lambda: accounts.settle(JOB, reservation, 1.0),
    }
    with pytest.raises(TransientError, match="too many workers at once"):
        calls[call]()
    assert (len(table.written), len(table.slept)) == (TRIES, TRIES)


def test_what_is_refused_for_good_is_not_tried_again_though_another_change_met_a_conflict() -> None:
    table = BusyTable(iter([cancelled("None", "ConditionalCheckFailed", "TransactionConflict")]))
    shortage = table.accounts().reserve(JOB, reserved(), LIMITS)
    assert shortage is not None
    assert (shortage.account, len(table.written), table.slept) == (Account.TICKET, 1, [])


@pytest.mark.parametrize(
    "error",
    [
        cancelled("None", "ThrottlingError", "None"),
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "TransactWriteItems"),
    ],
)
def test_another_error_of_the_table_is_told_at_once(error: ClientError) -> None:
    table = BusyTable(iter([error]))
    with pytest.raises(ClientError):
        table.accounts().reserve(JOB, reserved(), LIMITS)
    assert table.slept == []


def test_a_cost_that_is_what_was_set_aside_needs_no_write() -> None:
    table = BusyTable(iter(()))
    table.accounts().settle(JOB, reserved(5.0), 5.0000001)
    assert table.written == []


def test_amounts_are_written_as_exact_decimals() -> None:
    table = BusyTable(iter(()))
    table.accounts().reserve(JOB, replace(reserved(), amount_usd=0.1 + 0.2), LIMITS)
    ((job, ticket, day),) = table.written
    values = [one["Update"]["ExpressionAttributeValues"] for one in (job, ticket, day)]
    assert [values[0][":cost"], values[1][":amount"], values[2][":amount"]] == [Decimal("0.3")] * 3
    assert [values[1][":most"], values[2][":most"]] == [Decimal("9.7"), Decimal("49.7")]
