"""Budgets: whether each action fits into what a ticket and a day may cost. One that does not could never run."""

from collections.abc import Iterator
from pathlib import Path

from alm.doctor.finding import Finding, ok, warning
from alm.settings import LocalSettings
from orchestrator.bootstrap import catalogue
from orchestrator.domain.action import Action
from orchestrator.domain.money import Account, Limits


def budgets(settings: LocalSettings) -> Iterator[Finding]:
    """Each action whose own budget is more than a whole ticket's or day's; one line if there is none."""
    prompts = Path(settings.poll_environment()["PROMPTS_DIR"])
    return fitting("budgets", prompts, settings.limits)


def fitting(topic: str, prompts: Path, limits: Limits) -> Iterator[Finding]:
    """Whether the actions in that folder fit into these limits."""
    found = tuple(too_large(catalogue(prompts).actions, limits))
    said = f"every action fits: ${limits.ticket_usd:.2f} a ticket, ${limits.day_usd:.2f} a day"
    yield from found or (ok(topic, said),)


def too_large(actions: tuple[Action, ...], limits: Limits) -> Iterator[Finding]:
    """The actions that these limits never let run."""
    for account, variable in ((Account.TICKET, "TICKET_BUDGET_USD"), (Account.DAY, "DAILY_BUDGET_USD")):
        for action in actions:
            if action.budget_usd > limits.of(account):
                yield warning(
                    f"budget of {action.name}",
                    f"${action.budget_usd:.2f} is more than {variable}=${limits.of(account):.2f}: it can never run",
                    f"Lower budget_usd in prompts/{action.name}.md, or raise {variable}.",
                )
