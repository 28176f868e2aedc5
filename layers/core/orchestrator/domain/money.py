"""What a ticket and a day may cost, what is set aside for a run, and what is said when there is not enough.

Pure rules; the accounts are kept in the job table, see `adapters/dynamodb_accounts.py`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

# As long as job records are kept: a ticket's account goes when nothing has been charged to it for this long.
TICKET_KEPT_S = 90 * 24 * 3600
# What is set aside and charged, in decimal places of a dollar: sums of many runs stay exact.
PLACES = 6


class Account(StrEnum):
    """Whose budget it is."""

    TICKET = "ticket"
    DAY = "day"


class OverBudget(StrEnum):
    """What becomes of a job for which the day has no money left."""

    WAIT = "wait"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Limits:
    """US dollars. `over` says what becomes of a job for which the day has not enough."""

    ticket_usd: float = 10.0
    day_usd: float = 50.0
    over: OverBudget = OverBudget.WAIT

    def of(self, account: Account) -> float:
        """The budget of that account."""
        return self.ticket_usd if account is Account.TICKET else self.day_usd


@dataclass(frozen=True)
class Reservation:
    """What is set aside for one run of the agent. `run` is its `run_name`; `day` is UTC, as 2026-11-22."""

    run: str
    amount_usd: float
    day: str


@dataclass(frozen=True)
class Unpaid:
    """Why a run was not paid for, and whether its job waits until it can be."""

    shortage: "Shortage"
    waits: bool


@dataclass(frozen=True)
class Shortage:
    """Why a run was not paid for: the account has no room for it. `resets_at` is in seconds since the epoch."""

    account: Account
    needed_usd: float
    limit_usd: float
    spent_usd: float
    resets_at: float

    @property
    def can_never_fit(self) -> bool:
        """Whether the whole budget would be too small."""
        return self.needed_usd > self.limit_usd

    def waits(self, limits: Limits) -> bool:
        """Whether the job should wait for the account to be empty again; a ticket's takes months."""
        return self.account is Account.DAY and limits.over is OverBudget.WAIT and not self.can_never_fit

    def words(self) -> str:
        """For the ticket: what happened, when it resets, and what a person can do."""
        is_ticket = self.account is Account.TICKET
        variable, whose = (
            ("TICKET_BUDGET_USD", "this ticket") if is_ticket else ("DAILY_BUDGET_USD", "the day")
        )
        if self.can_never_fit:
            return (
                f"This action may cost ${self.needed_usd:.2f}, and the whole budget of {whose} is "
                f"${self.limit_usd:.2f}. Lower budget_usd of the action or raise {variable}. Nothing was run."
            )
        return (
            f"The budget of {whose} is ${self.limit_usd:.2f}. Of that ${self.spent_usd:.2f} is spent or set aside, "
            f"and this action may cost ${self.needed_usd:.2f}. It resets on {moment(self.resets_at)}; whoever runs "
            f"the orchestrator can raise {variable}. Nothing was run."
        )


def day_of(now: float) -> str:
    """The UTC day of a moment in seconds since the epoch."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")


def run_name(now: float, nonce: str) -> str:
    """The name of a run that begins now; it carries the UTC day that is charged. `nonce` is 8 hexadecimal digits."""
    return f"run_{day_of(now).replace('-', '')}_{nonce}"


def day_of_run(run: str) -> str:
    """The UTC day in the name of a run, as 2026-11-22."""
    digits = run.split("_")[1]
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def end_of(day: str) -> float:
    """When that day ends, in seconds since the epoch."""
    start = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    return (start + timedelta(days=1)).timestamp()


def moment(seconds: float) -> str:
    """A moment as people read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d at %H:%M UTC")
