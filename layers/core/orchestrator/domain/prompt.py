"""What a template may name: the ticket and earlier results, every untrusted text already fenced."""

from collections.abc import Mapping

from orchestrator.domain.job import Brief, Job
from orchestrator.domain.untrusted import bounded, fenced

DESCRIPTION_LIMIT = 200_000
CONTEXT_LIMIT = 50_000
# The names a template may use; the catalogue refuses any other.
VALUES = frozenset({"ticket", "context"})


def prompt_values(job: Job, brief: Brief, nonce: str) -> Mapping[str, object]:
    """The values of `VALUES`: `ticket.key/type/summary/description` and `context`, a text or empty."""
    description = bounded(brief.description, DESCRIPTION_LIMIT) or "(The ticket has no description.)"
    ticket = {
        "key": job.issue_key,
        "type": fenced("issue-type", brief.issue_type, nonce),
        "summary": fenced("summary", brief.summary, nonce),
        "description": fenced("description", description, nonce),
    }
    return {"ticket": ticket, "context": _context(brief, nonce)}


def _context(brief: Brief, nonce: str) -> str:
    blocks = (
        f"Result of the earlier action `{result.action}`:\n"
        + fenced("earlier-result", bounded(result.text, CONTEXT_LIMIT), nonce)
        for result in brief.context
    )
    return "\n\n".join(blocks)
