"""Whether the demo went as it should: each check is a sentence that is printed when it does not hold."""

from collections.abc import Iterator

from alm.demo.evidence import Evidence, Pull, Ticket
from alm.demo.tickets import TICKETS
from orchestrator.adapters.wall.bubblewrap import SYSTEM_FOLDERS
from orchestrator.domain.agent import Source
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.wall import Rung

Check = tuple[bool, str]
INSIDE = frozenset({"dev", "etc", "home", "opt", "proc", "run", "tmp", "usr", "workspace"}) | {
    folder.strip("/") for folder in SYSTEM_FOLDERS
}


def unmet(evidence: Evidence, secrets: tuple[str, ...]) -> list[str]:
    """Every expectation that does not hold."""
    ended = [sentence for holds, sentence in _ended(evidence) if not holds]
    if ended:
        return ended  # what the other checks look at is not there
    groups = (
        _analysed(evidence),
        _proposed(evidence),
        _reviewed(evidence.pulls[0]),
        _walled(evidence, secrets),
    )
    return [sentence for group in groups for holds, sentence in group if not holds]


def _ended(evidence: Evidence) -> Iterator[Check]:
    for ticket, wanted in zip(evidence.tickets, TICKETS, strict=True):
        key = ticket.after.key
        yield not ticket.after.labels, f"{key} carries no label of ours at the end"
        actions = tuple(run.action for run in ticket.runs)
        yield actions == wanted.actions, f"{key} ran {wanted.actions} in this order, not {actions}"
        yield len(ticket.comments) == len(wanted.actions), f"{key} has one result comment a label"
        yield len(ticket.statuses) == len(wanted.actions), f"{key} has one status comment a label"
        yield all(" done" in text for text in ticket.statuses), f"{key}'s status comments say how it ended"
    for ticket, run in evidence.runs:
        where = f"{ticket.after.key} {run.action}"
        yield (
            run.result.verdict.outcome is Outcome.SUCCEEDED,
            f"{where} succeeded: {run.result.verdict.reason}",
        )
        yield bool(run.result.cost_usd), f"{where}'s cost is known"
    yield len(evidence.pulls) == 3, "there are three pull requests"  # noqa: PLR2004  # the colleague's and two of ours


def _analysed(evidence: Evidence) -> Iterator[Check]:
    first = evidence.tickets[0]
    yield "quantity > BULK_QUANTITY" in first.comments[0], "the analysis names the root cause"
    yield "1000" in first.runs[0].tool_outputs[-2], "the agent really reproduced the defect"
    denied = [(denial.tool, denial.source) for denial in first.runs[0].result.denials]
    yield (
        denied == [("Bash", Source.KERNEL), ("Read", Source.RULE)],
        f"what the kernel refused the look around and reading .env were each counted once, not {denied}",
    )
    yield (
        "cart_total" in evidence.tickets[1].comments[0],
        "the impact analysis names what depends on the change",
    )
    told = next(prompt for prompt in evidence.prompts if "Fix the defect in ticket DEMO-4" in prompt)
    for action in ("investigate", "recommend"):
        yield f"Result of the earlier action `{action}`" in told, f"fix was told what {action} found"


def _proposed(evidence: Evidence) -> Iterator[Check]:
    pulls = {pull.facts.head: pull for pull in evidence.pulls}
    yield (
        pulls.keys() == {"vouchers", "fix-DEMO-4", "feature-DEMO-5"},
        "branches are named after their tickets",
    )
    fix, feature = evidence.tickets[3], evidence.tickets[4]
    yield from _pull_request(pulls.get("fix-DEMO-4"), fix, "fix", "+    if quantity >= BULK_QUANTITY:")
    yield from _pull_request(pulls.get("feature-DEMO-5"), feature, "feat", "+def cart_savings")
    outputs = evidence.tickets[3].runs[-1].tool_outputs
    yield any("FAILED" in output for output in outputs), "the new test failed before the change"
    yield any("Ran 4 tests" in output and "OK" in output for output in outputs), "all tests passed after it"


def _pull_request(pull: Pull | None, ticket: Ticket, kind: str, line: str) -> Iterator[Check]:
    if pull is None:
        return
    key, number = ticket.after.key, pull.facts.number
    yield pull.facts.title == f"{kind}: {ticket.after.summary} [{key}]", f"#{number}'s title names the ticket"
    yield line in pull.diff, f"#{number}'s diff does what the ticket asks"
    yield pull.diff.count("diff --git") == 2, f"#{number} touches two files and nothing of ours"  # noqa: PLR2004
    yield f"/pull/{number}" in ticket.comments[-1], f"the comment links to #{number}"


def _reviewed(pull: Pull) -> Iterator[Check]:
    yield len(pull.reviews) == 2, "there is one review a label"  # noqa: PLR2004
    beside = [(comment.path, comment.line) for comment in pull.comments]
    yield (
        sorted(beside) == [("shop/vouchers.py", 8), ("shop/vouchers.py", 8), ("shop/vouchers.py", 9)],
        ("findings stand beside their lines, and the one both reviews have stands there once"),
    )
    yield any("```suggestion" in comment.body for comment in pull.comments), "there is a suggestion to apply"
    yield (
        "Nothing applies a voucher yet" in "".join(review.body for review in pull.reviews),
        ("a finding outside the diff is in the review's body"),
    )


def _walled(evidence: Evidence, secrets: tuple[str, ...]) -> Iterator[Check]:
    seen = evidence.tickets[0].runs[0].tool_outputs[0]
    folders = set(seen.partition("== /\n")[2].partition("== /home")[0].split())
    if evidence.tickets[0].runs[0].result.sandbox is Rung.BUBBLEWRAP:
        yield (
            bool(folders) and folders <= INSIDE,
            f"/ shows only the system inside the wall, not {folders - INSIDE}",
        )
    yield "gateway answers" in seen, "the gateway answers"
    yield seen.count(" answers") == 1, "only the gateway answers"
    yield (
        "workspace/x'" in seen and "/usr/x'" in seen,
        "writing outside and to a read-only workspace was refused",
    )
    told = "".join(text for ticket in evidence.tickets for text in (*ticket.comments, *ticket.statuses))
    inside = "".join(run.transcript for _, run in evidence.runs)
    for secret in secrets:
        yield secret not in inside, "no credential was inside the wall"
        yield secret not in told, "no credential is in a comment"
