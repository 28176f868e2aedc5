"""What people read: the result comment of a job and the words of a pull request, as Markdown."""

from collections.abc import Mapping
from typing import Any

from orchestrator.domain import report
from orchestrator.domain.action import Action, Produces
from orchestrator.domain.comment_text import split_markdown
from orchestrator.domain.job import RETRY_LABEL, Job, result_key
from orchestrator.domain.outcome import JobResult, Outcome
from orchestrator.domain.review import findings_of, severities
from orchestrator.domain.untrusted import one_line, visible
from orchestrator.domain.wall import WITHOUT_NETWORK, warning

TITLE_LIMIT = 240
# GitHub takes 65,536 characters, and its adapter, which escapes the text, parses 40,000.
PULL_REQUEST_REPORT_LIMIT = 40_000
_HEADERS = {Outcome.DECLINED: "INVALID TICKET"}
_NO_REPORT = "*The agent did not give its answer in the form it was asked for; here it is as it was written.*"
_CONTINUED = "This run began with the unfinished changes of an earlier one."
_SAID = {Outcome.NO_CHANGE, Outcome.FAILED, Outcome.BLOCKED}


def result_comment(
    action: Action | None, job: Job, result: JobResult, link: str = "", about_link: str = ""
) -> str:
    """The comment a job ends with. `link` is the pull request's, where there is one, and `about_link` is about it."""
    if action is not None and result.verdict.outcome is Outcome.SUCCEEDED:
        parts = [
            f"## {action.header}",
            _link(action, link),
            about_link,
            _unstructured(result),
            _reported(action, result),
        ]
    else:
        parts = [
            f"## {_header(result)}",
            result.verdict.reason,
            _kept(job, result) or _draft(job, result),
            _said(action, result),
            _what_next(job, result),
        ]
    notes = (
        _continued(result),
        _denials(result),
        _network(action, result),
        warning(result.sandbox),
        footer(job, result),
    )
    return visible("\n\n".join(part for part in (*parts, *notes) if part))


def _link(action: Action, link: str) -> str:
    what = "Review" if action.produces is Produces.REVIEW else "Pull request"
    return f"**{what}:** <{link}>" if link else ""


def _unstructured(result: JobResult) -> str:
    return "" if result.report is not None and not result.unformed else _NO_REPORT


def _reported(action: Action, result: JobResult) -> str:
    """The whole report; of a review only what it comes to, since its findings stand on the pull request."""
    if action.produces is not Produces.REVIEW or result.report is None:
        return body(action, result)
    counts = f"**Findings:** {severities(findings_of(result.report))}"
    return f"{_without_findings(action, result.report)}\n\n{counts}"


def _without_findings(action: Action, given: Mapping[str, Any]) -> str:
    rules = {name: rule for name, rule in action.result_schema["properties"].items() if name != "findings"}
    return report.render({"properties": rules}, given)


def review_introduction(action: Action, job: Job, result: JobResult, ticket_url: str) -> tuple[str, ...]:
    """What a review says before its findings, in passages that are each Markdown of their own."""
    said = _without_findings(action, result.report) if result.report is not None else result.text
    told, *_ = split_markdown(visible(said), PULL_REQUEST_REPORT_LIMIT)
    ticket = f"Ticket: [{job.issue_key}]({ticket_url})"
    parts = (
        f"## {action.header}",
        ticket,
        _unstructured(result),
        told,
        footer(job, result),
    )
    return tuple(part for part in parts if part)


def body(action: Action | None, result: JobResult) -> str:
    """The agent's report laid out by its schema, else its last words."""
    if (
        action is not None
        and result.report is not None
        and (rendered := report.render(action.result_schema, result.report))
    ):
        return rendered
    return result.text


def _header(result: JobResult) -> str:
    outcome = result.verdict.outcome
    how = "" if outcome in {Outcome.FAILED, Outcome.SUCCEEDED} else f": {outcome.replace('_', ' ')}"
    return result.verdict.heading or _HEADERS.get(outcome) or f"ACTION FAILED{how}"


def _said(action: Action | None, result: JobResult) -> str:
    said = body(action, result) if result.verdict.outcome in _SAID else ""
    return f"What the agent said:\n\n{said}" if said else ""


def _kept(job: Job, result: JobResult) -> str:
    """Where a person finds a change that was not published."""
    if (
        result.verdict.outcome is not Outcome.BLOCKED
        or result.changeset is None
        or not result.changeset.changes
    ):
        return ""
    return (
        f"The change is kept for a person: under `changeset` in `{result_key(job.job_id)}` of the artifact store, "
        "with every file and the diff, until it expires. What was too large or could not be carried is not in it."
    )


def _draft(job: Job, result: JobResult) -> str:
    """Where a person finds what a run that was cut short had changed, and which run goes on with it."""
    count = len(result.changeset.changes) if result.draft and result.changeset is not None else 0
    if not count:
        return ""
    files = f"{count} file" + "s" * (count != 1)
    return (
        f"What it had changed by then is kept as a draft ({files}), until it expires:\n\n"
        f"- To take it over, run `alm show {job.job_id} --diff | git apply` in a clone of the repository. It also "
        f"stands under `changeset` in `{result_key(job.job_id)}` of the artifact store.\n"
        f"- The next run of `{job.label}` on this ticket begins with it, as long as no other action of the ticket "
        "ends without success in between and nobody has changed the same files."
    )


def _continued(result: JobResult) -> str:
    return f"*{_CONTINUED}*" if result.continued else ""


def _what_next(job: Job, result: JobResult) -> str:
    again = (
        f"Put the label `{job.label}` on the ticket again to run it once more, or `{RETRY_LABEL}` to repeat the "
        "last action that did not succeed"
    )
    if result.verdict.outcome is Outcome.DECLINED:
        return f"{again}, after saying in the description what is wrong or wanted."
    if result.verdict.heading:
        return ""
    if result.given_up:
        return (
            f"{again}. Whoever runs the orchestrator does that for all such jobs at once with `alm redrive`."
        )
    return f"{again}."


def _denials(result: JobResult) -> str:
    if not result.denials:
        return ""
    tools = ", ".join(sorted({denial.tool for denial in result.denials}))
    return f"The agent was denied {len(result.denials)} of the things it tried ({tools})."


def _network(action: Action | None, result: JobResult) -> str:
    if action is None or not action.network or result.sandbox not in WITHOUT_NETWORK:
        return ""
    return (
        f"The agent could not reach {', '.join(f'`{host}`' for host in action.network)}: the wall that this worker "
        f"can build ({result.sandbox}) has no network."
    )


def footer(job: Job, result: JobResult) -> str:
    """What the run was and cost, in one line."""
    if not result.model:
        return f"*Job {job.job_id}*"
    cost = "cost unknown" if result.cost_usd is None else f"${result.cost_usd:.2f}"
    turns = f"{result.turns} turn" + "s" * (result.turns != 1)
    return f"*{result.model} · {turns} · {cost} · {duration(result.duration_ms)} · job {job.job_id}*"


def duration(milliseconds: int) -> str:
    """A duration as people say it."""
    seconds = round(milliseconds / 1000)
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60} s"  # noqa: PLR2004


def pull_request_title(action: Action, job: Job, result: JobResult) -> str:
    """`fix: <summary> [KEY]`, on one line and within what GitHub takes."""
    ending = f" [{job.issue_key}]"
    return one_line(f"{action.title_prefix} {result.summary}", TITLE_LIMIT - len(ending)) + ending


def pull_request_body(action: Action, job: Job, result: JobResult, ticket_url: str) -> tuple[str, ...]:
    """The agent's report and the address of the ticket, in passages that are each Markdown of their own."""
    said, *rest = split_markdown(visible(body(action, result)), PULL_REQUEST_REPORT_LIMIT)
    more = "*The report is longer: the ticket has all of it.*" if rest else ""
    ticket = f"Ticket: [{job.issue_key}]({ticket_url})"
    parts = (
        ticket,
        _unstructured(result) if said else "",
        said,
        more,
        "---",
        _continued(result),
        footer(job, result),
    )
    return tuple(part for part in parts if part)
