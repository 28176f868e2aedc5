"""The demo's seven tickets, as a person writes and labels them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alm.standins.github import GitHubStandIn
from alm.standins.jira import Issue, JiraStandIn, paragraphs

BUG = "Ten pieces of an article cost the full price"
DEFECT = (
    "Ten pieces of an article should cost 10% less, as the README says. They do not; eleven pieces do.",
    "Acceptance criterion: ten pieces cost ten per cent less.",
)
WISH = (
    "A customer wants to see what the bulk discount saved.",
    "Acceptance criterion: a cart shows what it saved.",
)
LABELS = {
    "investigate": "ai-investigate",
    "impact": "ai-impact",
    "recommend": "ai-recommend",
    "fix": "ai-fix",
    "implement": "ai-implement",
    "code_review": "ai-code-review",
    "security_review": "ai-security-review",
}


@dataclass(frozen=True)
class Wanted:
    """One ticket, and the actions its labels ask for in the order in which they have to run."""

    type: str
    summary: str
    text: tuple[str, ...]
    actions: tuple[str, ...]


TICKETS = (
    Wanted("Bug", BUG, DEFECT, ("investigate",)),
    Wanted("Bug", BUG, DEFECT, ("impact",)),
    Wanted("Bug", BUG, DEFECT, ("recommend",)),
    Wanted("Bug", BUG, DEFECT, ("investigate", "recommend", "fix")),
    Wanted("Story", "Show what the discount saved", WISH, ("recommend", "implement")),
    Wanted("Story", "Vouchers", ("Customers type in vouchers. See PR #1.",), ("code_review",)),
    Wanted("Story", "Vouchers, once more", (), ("security_review",)),
)


def create(jira: JiraStandIn, github: GitHubStandIn) -> tuple[Issue, ...]:
    """Write the tickets and put their labels on; the last one names its pull request by a smart card."""
    for wanted in TICKETS:
        labels = tuple(LABELS[action] for action in reversed(wanted.actions))
        description = paragraphs(*wanted.text) if wanted.text else _card(f"{github.url}/acme/shop/pull/1")
        jira.create_issue(wanted.type, wanted.summary, description=description, labels=labels)
    return tuple(jira.issue(f"DEMO-{number}") for number in range(1, len(TICKETS) + 1))


def _card(url: str) -> Mapping[str, Any]:
    return {"type": "doc", "version": 1, "content": [{"type": "blockCard", "attrs": {"url": url}}]}
