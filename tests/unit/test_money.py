"""What a ticket and a day may cost, and what is said when there is not enough."""

from datetime import UTC, datetime

import pytest

from orchestrator.domain.money import Account, Limits, OverBudget, Shortage, day_of, end_of, moment

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
DAY, TICKET = Account.DAY, Account.TICKET
WAIT, REFUSE = OverBudget.WAIT, OverBudget.REFUSE


def _short(account: Account = DAY, needed_usd: float = 3.0, spent_usd: float = 48.5) -> Shortage:
    return Shortage(account, needed_usd, Limits().of(account), spent_usd, MIDNIGHT)


def test_without_a_word_a_ticket_may_cost_10_and_a_day_50_and_what_does_not_fit_waits() -> None:
    assert (Limits().of(TICKET), Limits().of(DAY), Limits().over) == (10, 50, WAIT)


@pytest.mark.parametrize(
    ("account", "over", "needed_usd", "waits"),
    [
        (DAY, WAIT, 3.0, True),
        (DAY, WAIT, 50.0, True),
        (DAY, WAIT, 50.01, False),
        (DAY, REFUSE, 3.0, False),
        (TICKET, WAIT, 3.0, False),
        (TICKET, REFUSE, 3.0, False),
    ],
)
def test_only_what_tomorrow_can_pay_waits(
    account: Account, over: OverBudget, needed_usd: float, *, waits: bool
) -> None:
    assert _short(account, needed_usd).waits(Limits(over=over)) is waits


def test_an_empty_day_says_what_is_spent_what_is_needed_and_when_it_resets() -> None:
    assert _short().words() == (
        "The budget of the day is $50.00. Of that $48.50 is spent or set aside, and this action may cost $3.00. "
        "It resets on 2026-11-23 at 00:00 UTC; whoever runs the orchestrator can raise DAILY_BUDGET_USD. "
        "Nothing was run."
    )


def test_an_empty_ticket_names_its_own_variable() -> None:
    words = _short(TICKET, spent_usd=8.0).words()
    assert words.startswith("The budget of this ticket is $10.00. Of that $8.00 is spent or set aside")
    assert "raise TICKET_BUDGET_USD" in words


@pytest.mark.parametrize(
    ("account", "variable", "whose"),
    [
        (DAY, "DAILY_BUDGET_USD", "the day is $50.00"),
        (TICKET, "TICKET_BUDGET_USD", "this ticket is $10.00"),
    ],
)
def test_an_action_dearer_than_the_whole_budget_is_not_told_to_wait(
    account: Account, variable: str, whose: str
) -> None:
    assert _short(account, 60.0, 0.0).words() == (
        f"This action may cost $60.00, and the whole budget of {whose}. "
        f"Lower budget_usd of the action or raise {variable}. Nothing was run."
    )


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (MIDNIGHT - 0.5, "2026-11-22"),
        (MIDNIGHT, "2026-11-23"),
        (MIDNIGHT + 86_399, "2026-11-23"),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC).timestamp(), "2026-12-31"),
    ],
)
def test_a_day_is_a_day_of_utc(now: float, day: str) -> None:
    assert day_of(now) == day


@pytest.mark.parametrize(
    ("day", "next_day"),
    [("2026-11-22", "2026-11-23"), ("2026-12-31", "2027-01-01"), ("2028-02-28", "2028-02-29")],
)
def test_a_day_ends_when_the_next_one_begins(day: str, next_day: str) -> None:
    end = end_of(day)
    assert (day_of(end - 1), day_of(end)) == (day, next_day)
    assert moment(end) == f"{next_day} at 00:00 UTC"
