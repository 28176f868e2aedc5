"""An issue as the tracker shows it, and what is to be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain.action import Action, Catalogue
from orchestrator.domain.job import PROCESSING_LABEL, Job, PastResult, job_id

CLAIM_PROPERTY = "alm.job"
RESULT_PROPERTY = "alm.result"
LATEST_PROPERTY = "alm.latest"


@dataclass(frozen=True)
class Comment:
    """A comment anybody wrote, as Markdown."""

    id: str
    text: str


@dataclass(frozen=True)
class Issue:
    """One issue. `description` is ADF or None; `claim` is the raw value of our issue property.

    `latest` are the last successful results by action; `comments` are oldest first, perhaps not all of them.
    """

    id: str
    key: str
    labels: frozenset[str]
    issue_type: str = ""
    summary: str = ""
    updated: str = ""
    description: Any = None
    claim: dict[str, Any] | None = None
    latest: Mapping[str, PastResult] = field(default_factory=dict)
    comments: tuple[Comment, ...] = ()
    has_all_comments: bool = True


@dataclass(frozen=True)
class OwnComment:
    """A comment our own service account wrote and marked with our property."""

    job_id: str
    action: str
    part: int
    outcome: str
    text: str = field(compare=False, default="")
    id: str = field(compare=False, default="")


@dataclass(frozen=True)
class Claim:
    """Take this action for this issue as this job."""

    job: Job
    action: Action


@dataclass(frozen=True)
class Resume:
    """The issue is claimed already; bring that job back if nothing else knows it."""

    job: Job


@dataclass(frozen=True)
class Leave:
    """Nothing to do, for this reason."""

    reason: str


def decide(issue: Issue, catalogue: Catalogue) -> Claim | Resume | Leave:
    """What a poll does about an issue it has just read."""
    if PROCESSING_LABEL in issue.labels:
        return _resume(issue)
    action = catalogue.first_asked(issue.labels)
    if action is None:
        return Leave("it carries no label of ours any more")
    identity = job_id(issue.id, issue.key, action.name, issue.updated)
    job = Job(job_id=identity, issue_id=issue.id, issue_key=issue.key, action=action.name, label=action.label)
    return Claim(job, action)


def _resume(issue: Issue) -> Resume | Leave:
    job = claimed_job(issue)
    if job is None:
        return Leave(f"it carries {PROCESSING_LABEL}, but no claim of ours")
    return Resume(job)


def claimed_job(issue: Issue) -> Job | None:
    """The job in the issue's property, unless the property is missing, not ours, or another issue's."""
    try:
        job = Job.model_validate(issue.claim)
    except ValueError:
        return None
    # By id: the key changes when an issue moves to another project.
    return job if job.issue_id == issue.id else None


def is_released(issue: Issue, job: Job) -> bool:
    """Whether that job's claim is over: how it ended stands in it by now, or another job's took its place."""
    claim = issue.claim
    if not isinstance(claim, dict):  # anybody who may edit the issue may have written anything
        return False
    return "outcome" in claim or claim.get("job_id", job.job_id) != job.job_id


def is_claimed_for(issue: Issue, job: Job) -> bool:
    """Whether the issue is claimed for that job now."""
    return PROCESSING_LABEL in issue.labels and claimed_job(issue) == job
