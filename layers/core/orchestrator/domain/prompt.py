"""What a template may name: the ticket and earlier results, every untrusted text already fenced."""

from collections.abc import Mapping

from orchestrator.domain.job import Brief, Job
from orchestrator.domain.pull_request import DIFF_COMMAND, ReviewSubject
from orchestrator.domain.text_limits import LONGEST_CONTEXT, LONGEST_DESCRIPTION, cut
from orchestrator.domain.untrusted import fenced

# The names a template may use; the catalogue refuses any other.
VALUES = frozenset({"ticket", "context", "pull_request", "continued"})


def prompt_values(
    job: Job, brief: Brief, subject: ReviewSubject | None, nonce: str, *, continued: bool = False
) -> dict[str, object]:
    """The values of `VALUES`: `ticket.key/type/summary/description`, `context` (a text or empty), `pull_request`.

    `pull_request.title/description/diff_command` are there for reviews, None else. `continued` is true where the
    workspace holds what an earlier run left unfinished; of that run nothing is quoted.
    """
    description = (
        cut(brief.description, LONGEST_DESCRIPTION, "the ticket") or "(The ticket has no description.)"
    )
    ticket = {
        "key": job.issue_key,
        "type": fenced("issue-type", brief.issue_type, nonce),
        "summary": fenced("summary", brief.summary, nonce),
        "description": fenced("description", description, nonce),
    }
    return {
        "ticket": ticket,
        "context": _context(brief, nonce),
        "pull_request": _reviewed(subject, nonce),
        "continued": continued,
    }


def _reviewed(subject: ReviewSubject | None, nonce: str) -> Mapping[str, str] | None:
    if subject is None:
        return None
    body = (
        cut(subject.body, LONGEST_DESCRIPTION, "the pull request") or "(The pull request has no description.)"
    )
    return {
        "title": fenced("pull-request-title", subject.title, nonce),
        "description": fenced("pull-request-description", body, nonce),
        "diff_command": DIFF_COMMAND,
    }


def _context(brief: Brief, nonce: str) -> str:
    blocks = (
        f"Result of the earlier action `{result.action}`:\n"
        + fenced("earlier-result", cut(result.text, LONGEST_CONTEXT, "the ticket"), nonce)
        for result in brief.context
    )
    return "\n\n".join(blocks)
