"""A job: one action asked for once on one issue. Its messages, its record, and what the worker is told."""

import hashlib
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.domain.action import Label, Name
from orchestrator.domain.untrusted import StorableText
from orchestrator.domain.wall import Probe

PROCESSING_LABEL = "ai-processing"
# One less than the queues' own limit, so that the last delivery is always left to tell the ticket.
MAX_ATTEMPTS = 3
_FROZEN = ConfigDict(frozen=True, extra="forbid")
# Both name things elsewhere, in SQS and in S3; a claim comes back to us from where other people can write.
_Identity = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]


class Job(BaseModel):
    """What travels on both queues and stands in the issue property."""

    model_config = _FROZEN
    version: Literal[1] = 1
    job_id: _Identity
    issue_id: str
    issue_key: _Identity
    action: Name
    label: Label

    def log_fields(self) -> dict[str, str]:
        """The fields every log line about this job carries."""
        return {"job_id": self.job_id, "issue_key": self.issue_key, "action": self.action}


def job_id(issue_id: str, issue_key: str, action: str, updated: str) -> str:
    """The id of a claim: the same for every retry of it, since `updated` moves only when the issue does."""
    digest = hashlib.sha256(f"{issue_id}\x00{action}\x00{updated}".encode()).hexdigest()
    return f"{issue_key}-{action}-{digest[:12]}"


class JobState(StrEnum):
    """Where a job record stands."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"


class JobRecord(BaseModel):
    """What the job table holds of a job."""

    model_config = ConfigDict(frozen=True)
    job_id: str
    state: JobState
    attempt: int = 0
    outcome: str | None = None
    cost_usd: float | None = None
    phase: str = ""
    queued_at: float | None = None
    started_at: float | None = None
    status_comment: str | None = None
    status_at: float = 0.0
    probes: tuple[Probe, ...] = ()
    costs: dict[str, float] = {}

    @property
    def spent_usd(self) -> float:
        """What all runs of the agent cost, those too whose worker died; such a one counts with all it was allowed."""
        return sum(self.costs.values()) if self.costs else self.cost_usd or 0.0

    def age_s(self, now: float) -> float:
        """Seconds since the job was queued; 0 of a record that does not tell."""
        return 0.0 if self.queued_at is None else max(0.0, now - self.queued_at)


class PastResult(BaseModel):
    """Where a successful result is: its job's artifacts, and the comment that told of it."""

    model_config = _FROZEN
    job_id: _Identity
    comment_id: str

    def belongs_to(self, issue_key: str, action: str) -> bool:
        """Whether the job was one of that issue and action: the property it comes from can be edited by others."""
        return self.job_id.startswith(f"{issue_key}-{action}-")


class ContextResult(BaseModel):
    """An earlier action's result that this one builds on."""

    model_config = _FROZEN
    action: str
    title: str
    text: StorableText


class Brief(BaseModel):
    """What worker and publisher are told of the ticket, as Markdown; the worker has no Jira access of its own."""

    model_config = _FROZEN
    issue_type: StorableText
    summary: StorableText
    description: StorableText
    url: str
    context: tuple[ContextResult, ...] = ()
    latest: dict[str, PastResult] = {}
    pull_request: int | None = None
    status_comment: str | None = None

    @classmethod
    def read(cls, stored: bytes | None) -> "Brief | None":
        """A stored brief, None if there is none or another release wrote it in a form this one cannot read."""
        try:
            return None if stored is None else cls.model_validate_json(stored)
        except ValueError:
            return None


def brief_key(job: Job) -> str:
    """Where the job's brief lies in the artifact store."""
    return f"jobs/{job.job_id}/brief.json"


def result_key(job_id: str) -> str:
    """Where the job's result lies in the artifact store."""
    return f"jobs/{job_id}/result.json"


def transcript_key(job: Job) -> str:
    """Where the agent's stream lies in the artifact store."""
    return f"jobs/{job.job_id}/transcript.jsonl"
