"""Prints what the demo did, as a person at Jira and GitHub would see it."""

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from alm.demo.evidence import Evidence, Pull, Ticket
from orchestrator.domain.comment import duration


def show(evidence: Evidence, console: Console) -> None:
    """Tickets, comments, pull requests, reviews, the wall from inside, and what it cost."""
    for ticket in evidence.tickets:
        _show_ticket(ticket, console)
    for pull in evidence.pulls:
        _show_pull(pull, console)
    if evidence.tickets and evidence.tickets[0].runs:
        console.rule("What DEMO-1's agent saw inside the wall")
        console.print(Text(evidence.tickets[0].runs[0].tool_outputs[0]))
    console.rule("Jobs")
    console.print(_jobs(evidence))


def _show_ticket(ticket: Ticket, console: Console) -> None:
    console.rule(f"{ticket.after.key}  {ticket.after.type}  {ticket.after.summary}")
    before, after = (
        ", ".join(sorted(labels)) or "none" for labels in (ticket.before.labels, ticket.after.labels)
    )
    console.print(Text(f"labels before: {before}   after: {after}"))
    for text in ticket.statuses:
        console.print(Panel(Markdown(text), title="status comment, edited in place", title_align="left"))
    for text in ticket.comments:
        console.print(Panel(Markdown(text), title="comment", title_align="left"))


def _show_pull(pull: Pull, console: Console) -> None:
    console.rule(f"Pull request #{pull.facts.number}")
    console.print(Text(f"{pull.facts.title}\n{pull.facts.head} → {pull.facts.base}\n"))
    console.print(Syntax(pull.diff, "diff", background_color="default"))
    for review in pull.reviews:
        console.print(Panel(Markdown(review.body), title=f"review by {review.author}", title_align="left"))
    for comment in pull.comments:
        where = f"{comment.path} line {comment.line}"
        console.print(Panel(Markdown(comment.body), title=where, title_align="left"))


def _jobs(evidence: Evidence) -> Table:
    walls = ", ".join(sorted({str(run.result.sandbox) for _, run in evidence.runs}))
    table = Table(
        *("ticket", "action", "outcome", "turns", "cost", "time", "denials"), caption=f"Wall: {walls}."
    )
    for ticket, run in evidence.runs:
        result = run.result
        denied = ", ".join(f"{one.tool} ({one.source})" for one in result.denials)
        table.add_row(
            ticket.after.key,
            run.action,
            result.verdict.outcome,
            str(result.turns),
            "unknown" if result.cost_usd is None else f"${result.cost_usd:.4f}",
            duration(result.duration_ms),
            denied or "none",
        )
    return table
