"""A job: one action asked for once on one issue. Its messages, its record, and what the worker is told."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.domain.action import Label, Name
from orchestrator.domain.money import Account
from orchestrator.domain.untrusted import StorableText
from orchestrator.domain.wall import Probe
from orchestrator.errors import NewerFormat

PROCESSING_LABEL = "ai-processing"
RETRY_LABEL = "ai-retry"
# Of messages, claims, briefs, results and records. One that says more was written by a newer release, and is its.
# A release that adds a field to one of them says more: an older one could not read the value, and has to know why.
FORMAT = 2
# One less than the queues' own limit, so that the last delivery is always left to tell the ticket.
MAX_ATTEMPTS = 3
# A dozen signs of life that did not come.
UNATTENDED_S = 60.0
# What a stored value may say: one of a newer release's is none that this one can read, even if it looks like one.
Version = Annotated[int, Field(le=FORMAT)]
_FROZEN = ConfigDict(frozen=True, extra="forbid")
# Both name things elsewhere, in SQS and in S3; a claim comes back to us from where other people can write.
_Identity = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
Signature = Annotated[str, Field(pattern=r"^[0-9a-f]{0,64}$")]


class Job(BaseModel):
    """What both queues and the issue property carry. `claimed_at` is in seconds since the epoch.

    `signature` is the poll's over all of it (`domain/signature.py`); a release before version 2 did not sign.
    """

    model_config = _FROZEN
    version: Literal[1, 2] = 2
    job_id: _Identity
    issue_id: str
    issue_key: _Identity
    action: Name
    label: Label
    claimed_at: int = 0
    signature: Signature = ""

    def is_same(self, other: "Job | None") -> bool:
        """Whether both are the same job of the same issue; the signature of a job sent again may be another key's."""
        return other is not None and (self.job_id, self.issue_id) == (other.job_id, other.issue_id)

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
    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


class Start(StrEnum):
    """Whether a worker may run the job it was given."""

    GO = "go"
    CANCELLED = "cancelled"
    ENDED = "ended"


@dataclass(frozen=True)
class Wait:
    """What a parked job waits for, and until when, in seconds since the epoch."""

    account: Account
    until: float


class JobRecord(BaseModel):
    """What the job table holds of a job.

    Times are seconds since the epoch. `seen_at` is when somebody last was at it; `sends` counts the times it was put
    on the queue again; `dead_letter` names the queue that gave one of its messages up; `resumed` is true of a job
    that had been claimed before, of which something may have been told.
    """

    model_config = ConfigDict(frozen=True)
    version: int = FORMAT
    job_id: str
    issue_id: str = ""
    issue_key: str = ""
    action: str = ""
    label: str = ""
    claimed_at: int = 0
    signature: str = ""
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
    seen_at: float = 0.0
    sends: int = 0
    wait_for: Account | None = None
    wait_until: float = 0.0
    cancel_asked: bool = False
    dead_letter: str = ""
    resumed: bool = False

    @property
    def job(self) -> Job:
        """What its messages say; ValueError if the record does not say what its job was."""
        return Job(
            job_id=self.job_id,
            issue_id=self.issue_id,
            issue_key=self.issue_key,
            action=self.action,
            label=self.label,
            claimed_at=self.claimed_at,
            signature=self.signature,
        )

    @property
    def spent_usd(self) -> float:
        """What all runs of the agent cost, those too whose worker died; such a one counts with all it was allowed."""
        return sum(self.costs.values()) if self.costs else self.cost_usd or 0.0

    def is_attended(self, now: float) -> bool:
        """Whether a worker is at it: it says so every few seconds."""
        return self.state is JobState.RUNNING and not self.dead_letter and now - self.seen_at < UNATTENDED_S

    @property
    def rests(self) -> bool:
        """Whether neither a message nor a worker is to be expected: it waits for money, or for a person."""
        return self.state is JobState.WAITING or bool(self.dead_letter)

    def is_due_again(self, now: float) -> bool:
        """Whether what it waited for should be there."""
        return self.state is JobState.WAITING and now >= self.wait_until

    def age_s(self, now: float) -> float:
        """Seconds since the job was queued, or what it waited for was due: a job that waits for money is not late."""
        return 0.0 if self.queued_at is None else max(0.0, now - max(self.queued_at, self.wait_until))


class PastResult(BaseModel):
    """Where a successful result is: its job's artifacts, and the comment that told of it."""

    model_config = _FROZEN
    job_id: _Identity
    comment_id: str
    signature: Signature = ""

    def belongs_to(self, issue_key: str, action: str) -> bool:
        """Whether the job was one of that issue and action: the property it comes from can be edited by others."""
        return self.job_id.startswith(f"{issue_key}-{action}-")


class Unfinished(BaseModel):
    """The last action that did not succeed on a ticket; `draft` if its changes are kept in the job's result."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    action: Name
    job_id: _Identity
    draft: bool = False
    signature: Signature = ""

    def belongs_to(self, issue_key: str) -> bool:
        """Whether the job was one of that issue: the property it comes from can be edited by others."""
        return self.job_id.startswith(f"{issue_key}-{self.action}-")


class ContextResult(BaseModel):
    """An earlier action's result that this one builds on."""

    model_config = _FROZEN
    action: str
    title: str
    text: StorableText


class Brief(BaseModel):
    """What worker and publisher are told of the ticket, as Markdown; the worker has no Jira access of its own."""

    model_config = _FROZEN
    version: Version = FORMAT
    issue_type: StorableText
    summary: StorableText
    description: StorableText
    url: str
    context: tuple[ContextResult, ...] = ()
    latest: dict[str, PastResult] = {}
    pull_request: int | None = None
    status_comment: str | None = None
    unfinished: Unfinished | None = None

    @classmethod
    def read(cls, stored: bytes | None) -> "Brief | None":
        """A stored brief, None if there is none or it cannot be read; NewerFormat if a newer release wrote it."""
        return read_stored(cls, stored)


def read_stored[M: BaseModel](model: type[M], stored: bytes | None) -> M | None:
    """A stored value, None if there is none or it cannot be read; NewerFormat if a newer release wrote it."""
    if stored is None:
        return None
    try:
        return model.model_validate_json(stored)
    except ValueError:
        refuse_newer(_said(stored))
        return None


def _said(stored: bytes) -> object:
    try:
        return json.loads(stored)
    except (ValueError, RecursionError):
        return None


def is_newer(value: object) -> bool:
    """Whether the value says that a newer release wrote it."""
    version = value.get("version") if isinstance(value, Mapping) else None
    return isinstance(version, int | Decimal) and version > FORMAT


def refuse_newer(value: object) -> None:
    """Raise NewerFormat if the value says that a newer release wrote it."""
    if is_newer(value):
        raise NewerFormat


def brief_key(job: Job) -> str:
    """Where the job's brief lies in the artifact store."""
    return f"jobs/{job.job_id}/brief.json"


def result_key(job_id: str) -> str:
    """Where the job's result lies in the artifact store."""
    return f"jobs/{job_id}/result.json"


def changes_key(job_id: str, digest: str) -> str:
    """Where the changes with that SHA-256 lie in the artifact store."""
    return f"jobs/{job_id}/changes-{digest}.json"


def transcript_key(job: Job) -> str:
    """Where the agent's stream lies in the artifact store."""
    return f"jobs/{job.job_id}/transcript.jsonl"
