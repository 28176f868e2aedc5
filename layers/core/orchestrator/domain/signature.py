"""Signatures over what the poll decided, so that nobody else can make up or move a job. Pure; keys come from outside.

Issue properties, queue messages and results pass through places where other people and the worker can write. A value
there counts only if its signature fits the issue it was found on.
"""

import hmac
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum

from orchestrator.domain.job import Job, PastResult, Unfinished

# Job records live 90 days after their last change. A signature that outlived its record could be replayed.
VALID_S = 80 * 24 * 3600


class Purpose(StrEnum):
    """What a signature is for: one of one purpose is worth nothing for another."""

    JOB = "job"
    LATEST = "latest"
    UNFINISHED = "unfinished"


def project_of(issue_key: str) -> str:
    """The project's key in an issue's key; empty if it is none."""
    return issue_key.rpartition("-")[0]


def job_facts(job: Job) -> tuple[object, ...]:
    """What the signature of a job covers: issue, project, action, job, and when it was claimed."""
    project = project_of(job.issue_key)
    return job.issue_id, job.issue_key, project, job.action, job.label, job.job_id, job.claimed_at


def latest_facts(issue_id: str, project: str, action: str, past: PastResult) -> tuple[object, ...]:
    """What the signature of a ticket's latest result covers."""
    return issue_id, project, action, past.job_id, past.comment_id


def unfinished_facts(issue_id: str, project: str, unfinished: Unfinished) -> tuple[object, ...]:
    """What the signature of a ticket's last unsuccessful action covers."""
    return issue_id, project, unfinished.action, unfinished.job_id, unfinished.draft


def signature(key: str, purpose: Purpose, facts: Sequence[object]) -> str:
    """HMAC-SHA256 over purpose and facts, in hexadecimal. JSON keeps the facts apart."""
    said = json.dumps([f"alm.{purpose}", *facts], separators=(",", ":"))
    return hmac.new(key.encode(), said.encode(), "sha256").hexdigest()


def is_signed(keys: Iterable[str], signed: str, purpose: Purpose, facts: Sequence[object]) -> bool:
    """Whether one of the keys made the signature; compared in constant time."""
    # ASCII only: compare_digest refuses other text.
    given = signed.encode()
    return any(hmac.compare_digest(signature(key, purpose, facts).encode(), given) for key in keys)
