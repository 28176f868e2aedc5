"""Prints what the demo did, as a person at Jira and GitHub would see it."""

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from alm.demo.evidence import Evidence, Ticket
from orchestrator.domain.comment import duration


def show(evidence: Evidence, console: Console) -> None:
    """Tickets, comments, the pull request, the wall from inside, and what it cost."""
    for ticket in evidence.tickets:
        _show_ticket(ticket, console)
    for pull, diff in zip(evidence.pull_requests, evidence.diffs, strict=True):
        console.rule(f"Pull request #{pull.number}")
        console.print(Text(f"{pull.title}\n{pull.head} → {pull.base}\n"))
        console.print(Syntax(diff, "diff", background_color="default"))
    if evidence.tickets:
        console.rule("What DEMO-1's agent saw inside the wall")
        console.print(Text(evidence.tickets[0].tool_outputs[0]))
    console.rule("Jobs")
    console.print(_jobs(evidence))


def _show_ticket(ticket: Ticket, console: Console) -> None:
    console.rule(f"{ticket.after.key}  {ticket.after.summary}")
    before, after = (
        ", ".join(sorted(labels)) or "none" for labels in (ticket.before.labels, ticket.after.labels)
    )
    console.print(Text(f"labels before: {before}   after: {after}"))
    for text in ticket.comments:
        console.print(Panel(Markdown(text), title="comment", title_align="left"))


def _jobs(evidence: Evidence) -> Table:
    table = Table("ticket", "job", "outcome", "turns", "cost", "agent's time", "denials")
    for ticket in evidence.tickets:
        result = ticket.result
        denied = ", ".join(f"{denial.tool} {denial.target} ({denial.source})" for denial in result.denials)
        table.add_row(
            ticket.after.key,
            ticket.job_id,
            result.verdict.outcome,
            str(result.turns),
            "unknown" if result.cost_usd is None else f"${result.cost_usd:.4f}",
            duration(result.duration_ms),
            denied or "none",
        )
    return table
