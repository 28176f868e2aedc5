"""The accounts against moto over HTTP; the fake passes the same tests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count
from threading import Lock
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from tests.fakes.job_store import FakeJobStore

from alm.aws import TABLE, LocalAws
from alm.environment import REGION
from orchestrator.adapters.dynamodb import DynamoJobStore
from orchestrator.adapters.dynamodb_accounts import DynamoAccounts, account_key
from orchestrator.domain.job import Job
from orchestrator.domain.money import TICKET_KEPT_S, Account, Limits, Reservation, Shortage, end_of
from orchestrator.ports import Accounts, JobStore

SESSION = boto3.session.Session("local", "local", region_name=REGION)
LIMITS = Limits(ticket_usd=10.0, day_usd=50.0)
_NUMBERS = count(1)


@dataclass(frozen=True)
class Bank:
    """The table's two sides, and what an account has spent or set aside."""

    jobs: JobStore
    accounts: Accounts
    spent: Callable[[Account, str], float]

    def job(self, issue_id: str | None = None, *, recorded: bool = True) -> Job:
        """A job that is running, of a ticket of its own if none is named."""
        identity, issue_id = f"DEMO-1-fix-{uuid4().hex[:12]}", issue_id or uuid4().hex
        new = Job(job_id=identity, issue_id=issue_id, issue_key="DEMO-1", action="fix", label="ai-fix")
        if recorded:
            self.jobs.start(new, 1)
        return new

    def costs(self, of: Job) -> dict[str, float]:
        """What each run of the job has cost."""
        record = self.jobs.get(of.job_id)
        return {} if record is None else record.costs

    def balances(self, of: Job, reservation: Reservation) -> tuple[float, float]:
        """What the ticket and the day have spent."""
        return self.spent(Account.TICKET, of.issue_id), self.spent(Account.DAY, reservation.day)


def dynamodb(aws: LocalAws) -> Bank:
    config = Config(max_pool_connections=16)
    table = SESSION.resource("dynamodb", endpoint_url=aws.endpoint, config=config).Table(TABLE)

    def spent(account: Account, of: str) -> float:
        item: Any = table.get_item(Key={"job_id": account_key(account, of)}).get("Item", {})
        return float(item.get("usd", 0))

    return Bank(DynamoJobStore(table), DynamoAccounts(table, sleep=lambda _: None), spent)


@pytest.fixture(params=["moto", "fake"])
def bank(request: pytest.FixtureRequest) -> Bank:
    if request.param == "moto":
        return dynamodb(request.getfixturevalue("aws"))
    fake = FakeJobStore()
    return Bank(fake, fake, lambda account, of: fake.accounts.get((account, of), 0.0))


def reserved(amount_usd: float = 5.0, day: str = "") -> Reservation:
    """On a day that no other test knows."""
    number = next(_NUMBERS)
    day = day or f"{2100 + number // 300}-{number % 12 + 1:02}-{number % 25 + 1:02}"
    return Reservation(f"run_{uuid4().hex[:8]}", amount_usd, day)


def test_what_is_set_aside_stands_in_the_job_its_ticket_and_the_day(bank: Bank) -> None:
    known, reservation = bank.job(), reserved(3.5)
    assert bank.accounts.reserve(known, reservation, LIMITS) is None
    assert bank.costs(known) == {reservation.run: 3.5}
    assert bank.balances(known, reservation) == (3.5, 3.5)


@pytest.mark.parametrize("cost_usd", [0.0, 0.25, 5.0, 7.123456])
def test_the_cost_takes_the_reservations_place_everywhere(bank: Bank, cost_usd: float) -> None:
    known, reservation = bank.job(), reserved()
    bank.accounts.reserve(known, reservation, LIMITS)
    bank.accounts.settle(known, reservation, cost_usd)
    assert bank.costs(known) == {reservation.run: cost_usd}
    assert bank.balances(known, reservation) == (cost_usd, cost_usd)


@pytest.mark.parametrize("cost_usd", [0.25, 5.0])
def test_settling_again_changes_nothing(bank: Bank, cost_usd: float) -> None:
    known, reservation = bank.job(), reserved()
    bank.accounts.reserve(known, reservation, LIMITS)
    for again in (cost_usd, cost_usd, 1.0 if cost_usd != 5.0 else 5.0):
        bank.accounts.settle(known, reservation, again)
    assert bank.costs(known) == {reservation.run: cost_usd}
    assert bank.balances(known, reservation) == (cost_usd, cost_usd)


def test_setting_the_same_aside_again_changes_nothing(bank: Bank) -> None:
    known, reservation = bank.job(), reserved()
    assert [bank.accounts.reserve(known, reservation, LIMITS) for _ in range(3)] == [None] * 3
    assert bank.balances(known, reservation) == (5.0, 5.0)


def test_what_was_settled_is_not_set_aside_again(bank: Bank) -> None:
    known, reservation = bank.job(), reserved()
    bank.accounts.reserve(known, reservation, LIMITS)
    bank.accounts.settle(known, reservation, 1.0)
    assert bank.accounts.reserve(known, reservation, LIMITS) is None
    assert bank.balances(known, reservation) == (1.0, 1.0)


def test_a_cost_that_nothing_was_set_aside_for_is_charged_to_nobody(bank: Bank) -> None:
    known, reservation = bank.job(), reserved()
    bank.accounts.settle(known, reservation, 1.0)
    assert (bank.costs(known), bank.balances(known, reservation)) == ({}, (0.0, 0.0))


def test_a_job_nobody_recorded_sets_nothing_aside_and_makes_no_record(bank: Bank) -> None:
    unknown, reservation = bank.job(recorded=False), reserved()
    assert bank.accounts.reserve(unknown, reservation, LIMITS) is None
    bank.accounts.settle(unknown, reservation, 1.0)
    assert (bank.jobs.get(unknown.job_id), bank.balances(unknown, reservation)) == (None, (0.0, 0.0))


def test_every_run_of_a_job_keeps_its_cost_and_all_are_added_up(bank: Bank) -> None:
    known, day = bank.job(), reserved().day
    for cost in (0.1, 0.2, None):
        reservation = reserved(3.0, day)
        assert bank.accounts.reserve(known, reservation, LIMITS) is None
        if cost is not None:
            bank.accounts.settle(known, reservation, cost)
    record = bank.jobs.get(known.job_id)
    assert record is not None
    assert sorted(record.costs.values()) == [0.1, 0.2, 3.0]
    assert record.spent_usd == pytest.approx(3.3)
    assert bank.balances(known, reservation) == (3.3, 3.3)


def test_a_start_keeps_what_earlier_runs_cost(bank: Bank) -> None:
    known, reservation = bank.job(), reserved()
    bank.accounts.reserve(known, reservation, LIMITS)
    bank.jobs.start(known, 2)
    assert bank.costs(known) == {reservation.run: 5.0}


def test_sums_of_many_runs_stay_exact(bank: Bank) -> None:
    known, day = bank.job(), reserved().day
    for _ in range(10):
        reservation = reserved(1.0, day)
        bank.accounts.reserve(known, reservation, LIMITS)
        bank.accounts.settle(known, reservation, 0.1)
    assert bank.balances(known, reservation) == (1.0, 1.0)


def test_a_ticket_takes_what_fits_to_the_cent_and_nothing_more(bank: Bank) -> None:
    first, day = bank.job(), reserved().day
    for _ in range(2):
        assert bank.accounts.reserve(first, reserved(5.0, day), LIMITS) is None
    second, more = bank.job(first.issue_id), reserved(0.01, day)
    shortage = bank.accounts.reserve(second, more, LIMITS)
    assert shortage is not None
    assert shortage == Shortage(Account.TICKET, 0.01, 10.0, 10.0, shortage.resets_at)
    assert (bank.costs(second), bank.balances(second, more)) == ({}, (10.0, 10.0))
    assert (shortage.waits(LIMITS), shortage.can_never_fit) == (False, False)


def test_a_day_takes_what_fits_to_the_cent_and_nothing_more(bank: Bank) -> None:
    day = reserved().day
    for _ in range(10):
        assert bank.accounts.reserve(bank.job(), reserved(5.0, day), LIMITS) is None
    late, more = bank.job(), reserved(0.01, day)
    shortage = bank.accounts.reserve(late, more, LIMITS)
    assert shortage == Shortage(Account.DAY, 0.01, 50.0, 50.0, end_of(day))
    assert (bank.costs(late), bank.balances(late, more)) == ({}, (0.0, 50.0))
    assert bank.accounts.reserve(late, reserved(0.01), LIMITS) is None, "another day"


def test_where_neither_has_room_the_ticket_is_told(bank: Bank) -> None:
    day = reserved().day
    jobs = [bank.job() for _ in range(5)]
    for known in [*jobs, *jobs]:
        bank.accounts.reserve(known, reserved(5.0, day), LIMITS)
    shortage = bank.accounts.reserve(jobs[0], reserved(5.0, day), LIMITS)
    assert shortage is not None
    assert (shortage.account, shortage.spent_usd) == (Account.TICKET, 10.0)


@pytest.mark.parametrize(
    ("limits", "account"), [(Limits(4.99, 50.0), Account.TICKET), (Limits(10.0, 4.99), Account.DAY)]
)
def test_what_is_dearer_than_a_whole_budget_never_fits(bank: Bank, limits: Limits, account: Account) -> None:
    known, reservation = bank.job(), reserved(5.0)
    shortage = bank.accounts.reserve(known, reservation, limits)
    assert shortage is not None
    assert (shortage.account, shortage.can_never_fit, shortage.spent_usd) == (account, True, 0.0)
    assert bank.balances(known, reservation) == (0.0, 0.0)


def test_what_turned_out_cheap_makes_room(bank: Bank) -> None:
    known, day = bank.job(), reserved().day
    first = reserved(8.0, day)
    bank.accounts.reserve(known, first, LIMITS)
    assert bank.accounts.reserve(known, reserved(8.0, day), LIMITS) is not None
    bank.accounts.settle(known, first, 2.0)
    assert bank.accounts.reserve(known, reserved(8.0, day), LIMITS) is None


def test_what_turned_out_dear_is_charged_beyond_the_limit(bank: Bank) -> None:
    known, reservation = bank.job(), reserved(9.0)
    bank.accounts.reserve(known, reservation, LIMITS)
    bank.accounts.settle(known, reservation, 12.0)
    assert bank.balances(known, reservation) == (12.0, 12.0)
    assert bank.accounts.reserve(known, reserved(1.0), LIMITS) is not None


def test_an_account_is_kept_for_as_long_as_records_and_says_when_it_goes(aws: LocalAws) -> None:
    bank, reservation = dynamodb(aws), reserved(10.0)
    known = bank.job()
    bank.accounts.reserve(known, reservation, LIMITS)
    shortage = bank.accounts.reserve(known, reserved(10.0), LIMITS)
    items: dict[str, Any] = {str(item["job_id"]): item for item in aws.items()}
    ticket = items[account_key(Account.TICKET, known.issue_id)]
    day = items[account_key(Account.DAY, reservation.day)]
    assert shortage is not None
    assert shortage.resets_at == int(ticket["expires_at"])
    assert int(ticket["expires_at"]) > 1_700_000_000 + TICKET_KEPT_S
    assert (ticket["issue_key"], "expires_at" in day) == ("DEMO-1", True)


def test_accounts_are_no_jobs(aws: LocalAws) -> None:
    bank, reservation = dynamodb(aws), reserved()
    known = bank.job()
    bank.accounts.reserve(known, reservation, LIMITS)
    assert bank.jobs.get(account_key(Account.TICKET, known.issue_id)) is None
    assert not [one for one in bank.jobs.active() if "#" in one.job_id]


@dataclass
class OneAtATime:
    """moto undoes a refused transaction by putting all its tables back as they were, whatever was written meanwhile.

    DynamoDB itself makes transactions wait for each other, or refuses one of them as a conflict.
    """

    table: Any
    lock: Lock = field(default_factory=Lock)

    @property
    def name(self) -> str:
        return str(self.table.name)

    @property
    def meta(self) -> SimpleNamespace:
        return SimpleNamespace(client=self)

    def transact_write_items(self, **items: Any) -> None:
        with self.lock:
            self.table.meta.client.transact_write_items(**items)


def test_many_workers_at_once_spend_no_more_than_there_is(aws: LocalAws) -> None:
    """Twenty runs of $5 on a day of $50, eight at a time: ten, whichever they are."""
    bank, day = dynamodb(aws), reserved().day
    accounts: Any = bank.accounts
    bank = replace(bank, accounts=DynamoAccounts(OneAtATime(accounts.table)))  # type: ignore[arg-type]
    jobs = [bank.job() for _ in range(20)]

    def reserve(known: Job) -> Shortage | None:
        return bank.accounts.reserve(known, reserved(5.0, day), LIMITS)

    with ThreadPoolExecutor(8) as workers:
        answers = [*workers.map(reserve, jobs)]
    assert answers.count(None) == 10
    assert {one.account for one in answers if one is not None} == {Account.DAY}
    assert bank.spent(Account.DAY, day) == 50.0
    assert sum(sum(bank.costs(known).values()) for known in jobs) == 50.0
