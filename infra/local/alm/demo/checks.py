"""Whether the demo went as it should: each check is a sentence that is printed when it does not hold."""

from collections.abc import Iterator

from alm.demo.evidence import Evidence, Ticket
from orchestrator.adapters.bubblewrap import SYSTEM_FOLDERS
from orchestrator.domain.outcome import Outcome

INSIDE = frozenset({"dev", "etc", "home", "opt", "proc", "run", "tmp", "usr", "workspace"}) | {
    folder.strip("/") for folder in SYSTEM_FOLDERS
}


def unmet(evidence: Evidence, secrets: tuple[str, ...]) -> list[str]:
    """Every expectation that does not hold."""
    if len(evidence.tickets) != 2:  # noqa: PLR2004  # the demo's two
        return ["both tickets became jobs"]
    checks = (
        _ended(evidence),
        _investigated(evidence.tickets[0]),
        _fixed(evidence),
        _walled(evidence, secrets),
    )
    return [sentence for group in checks for holds, sentence in group if not holds]


def _ended(evidence: Evidence) -> Iterator[tuple[bool, str]]:
    for ticket in evidence.tickets:
        key = ticket.after.key
        yield not ticket.after.labels, f"{key} carries no label of ours at the end"
        yield ticket.result.verdict.outcome is Outcome.SUCCEEDED, f"{key}'s job succeeded"
        yield len(ticket.comments) == 1, f"{key} has exactly one comment"
        yield bool(ticket.result.cost_usd), f"{key}'s cost is known"


def _investigated(ticket: Ticket) -> Iterator[tuple[bool, str]]:
    text = "\n".join(ticket.comments)
    yield "INVESTIGATION RESULTS" in text, "the analysis carries its header"
    yield "quantity > BULK_QUANTITY" in text, "the analysis names the root cause"
    yield "1000" in ticket.tool_outputs[-2], "the agent really reproduced the defect"
    yield len(ticket.result.denials) == 1, "reading .env was denied and counted"


def _fixed(evidence: Evidence) -> Iterator[tuple[bool, str]]:
    ticket = evidence.tickets[1]
    yield len(evidence.pull_requests) == 1, "there is one pull request"
    for pull, diff in zip(evidence.pull_requests, evidence.diffs, strict=True):
        yield pull.title == f"fix: {ticket.after.summary} [{ticket.after.key}]", "its title names the ticket"
        yield pull.head == f"fix-{ticket.after.key}", "its branch is named after the ticket"
        yield "+    if quantity >= BULK_QUANTITY:" in diff, "its diff mends the bug"
        yield diff.count("diff --git") == 2, "its diff touches two files and nothing of ours"  # noqa: PLR2004
        yield f"/pull/{pull.number}" in "\n".join(ticket.comments), "the comment links to it"
    yield any("FAILED" in output for output in ticket.tool_outputs), "the new test failed before the change"
    yield (
        any("Ran 4 tests" in output and "OK" in output for output in ticket.tool_outputs),
        "all tests passed after",
    )


def _walled(evidence: Evidence, secrets: tuple[str, ...]) -> Iterator[tuple[bool, str]]:
    seen = evidence.tickets[0].tool_outputs[0]
    folders = set(seen.partition("== /\n")[2].partition("== /home")[0].split())
    yield (
        bool(folders) and folders <= INSIDE,
        f"/ shows only the system inside the wall, not {folders - INSIDE}",
    )
    yield "127.0.0.1/8080 answers" in seen, "the gateway answers"
    yield seen.count(" answers") == 1, "only the gateway answers"
    yield (
        "/workspace/x" in seen and "/usr/x" in seen,
        "writing outside and to a read-only workspace was refused",
    )
    everything = "".join(ticket.transcript for ticket in evidence.tickets)
    told = "".join(text for ticket in evidence.tickets for text in ticket.comments)
    for secret in secrets:
        yield secret not in everything, "no credential was inside the wall"
        yield secret not in told, "no credential is in a comment"
