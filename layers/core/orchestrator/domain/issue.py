"""An issue as the tracker shows it, and what is to be done about it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.domain.action import Action, Catalogue
from orchestrator.domain.job import (
    PROCESSING_LABEL,
    RETRY_LABEL,
    Job,
    PastResult,
    Unfinished,
    job_id,
    refuse_newer,
)
from orchestrator.domain.outcome import Outcome, Verdict
from orchestrator.errors import NewerFormat

CLAIM_PROPERTY = "alm.job"
RESULT_PROPERTY = "alm.result"
LATEST_PROPERTY = "alm.latest"
UNFINISHED_PROPERTY = "alm.unfinished"


@dataclass(frozen=True)
class Comment:
    """A comment anybody wrote, as Markdown."""

    id: str
    text: str


@dataclass(frozen=True)
class Issue:
    """One issue. `description` is ADF or None; `claim` is the raw value of our issue property.

    `latest` are the last successful results by action, `unfinished` is the last that was none; `comments` are oldest
    first, perhaps not all of them.
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
    unfinished: Unfinished | None = None
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
class Left:
    """What a ticket keeps of its jobs when one has ended."""

    latest: Mapping[str, PastResult] = field(default_factory=dict)
    unfinished: Unfinished | None = None


@dataclass(frozen=True)
class Claim:
    """Take this job for this issue, and these labels off it. With a verdict there is nothing to run, only to tell."""

    job: Job
    takes_off: frozenset[str]
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Resume:
    """The issue is claimed already; bring that job back if nothing else knows it. `verdict` as in a Claim."""

    job: Job
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Leave:
    """Nothing to do, for this reason."""

    reason: str


# The names of what is only told; no action can have them, see `adapters/action_files.py`.
ORPHAN, RETRY = "recover", "retry"
RESERVED_ACTIONS = frozenset({ORPHAN, RETRY})
# Long enough for a claim that is being written by another poll.
ORPHAN_AFTER_S = 300.0
_NOTHING_UNDER_WAY = Verdict(
    outcome=Outcome.REJECTED,
    heading="NOTHING UNDER WAY",
    reason=(
        f"`{PROCESSING_LABEL}` was on this ticket, but no job of this deployment belongs to it. The label was taken "
        "off. Put an action's label on the ticket to have it done."
    ),
)
_NOTHING_TO_RETRY = Verdict(
    outcome=Outcome.REJECTED,
    heading="NOTHING TO RETRY",
    reason=f"`{RETRY_LABEL}` repeats the last action that did not succeed, and there is none on this ticket.",
)
_ONLY_TOLD = {ORPHAN: _NOTHING_UNDER_WAY, RETRY: _NOTHING_TO_RETRY}


def decide(issue: Issue, catalogue: Catalogue, now: float) -> Claim | Resume | Leave:
    """What a poll does about an issue it has just read, at that time in seconds since the epoch."""
    if PROCESSING_LABEL in issue.labels:
        return _resume(issue, now)
    asked = catalogue.first_asked(issue.labels)
    repeated = _repeated(issue, catalogue) if RETRY_LABEL in issue.labels else None
    if (action := repeated or asked) is not None:
        return Claim(
            _job(issue, action.name, action.label, now),
            _taken_off(action, is_retry=repeated is not None),
        )
    if RETRY_LABEL in issue.labels:
        return Claim(_job(issue, RETRY, RETRY_LABEL, now), frozenset({RETRY_LABEL}), _ONLY_TOLD[RETRY])
    return Leave("it carries no label of ours any more")


def _repeated(issue: Issue, catalogue: Catalogue) -> Action | None:
    """The last action that did not succeed, if this deployment has it."""
    past = issue.unfinished
    return catalogue.named(past.action) if past is not None and past.belongs_to(issue.key) else None


def _taken_off(action: Action, *, is_retry: bool) -> frozenset[str]:
    return frozenset({action.label, RETRY_LABEL}) if is_retry else frozenset({action.label})


def _job(issue: Issue, action: str, label: str, now: float) -> Job:
    return Job(
        job_id=job_id(issue.id, issue.key, action, issue.updated),
        issue_id=issue.id,
        issue_key=issue.key,
        action=action,
        label=label,
        claimed_at=int(now),
    )


def _resume(issue: Issue, now: float) -> Claim | Resume | Leave:
    job = claimed_job(issue)
    if job is not None:
        return Resume(job, _ONLY_TOLD.get(job.action))
    if is_newer(issue):
        return Leave("a newer release of the orchestrator has claimed it")
    if now - _updated_at(issue) < ORPHAN_AFTER_S:
        return Leave(f"it carries {PROCESSING_LABEL}, but no claim of ours, and has just been edited")
    return Claim(_job(issue, ORPHAN, PROCESSING_LABEL, now), frozenset(), _ONLY_TOLD[ORPHAN])


def _updated_at(issue: Issue) -> float:
    """Seconds since the epoch, 0 where it does not say: Jira's dates look like 2026-11-22T16:41:56.000+0000."""
    with suppress(ValueError):
        return datetime.fromisoformat(issue.updated).timestamp()
    return 0.0


def is_newer(issue: Issue) -> bool:
    """Whether a newer release wrote the claim."""
    try:
        refuse_newer(issue.claim)
    except NewerFormat:
        return True
    return False


def claimed_job(issue: Issue) -> Job | None:
    """The job in the issue's property, None if there is none or it names another issue.

    The issue that was read always wins. An issue that moved to another project has another key: its job ends there.
    """
    try:
        job = Job.model_validate(issue.claim)
    except ValueError:
        return None
    return job if (job.issue_id, job.issue_key) == (issue.id, issue.key) else None


def is_released(issue: Issue, job: Job) -> bool:
    """Whether that job's claim is over: how it ended stands in it by now, or another job's took its place."""
    claim = issue.claim
    if not isinstance(claim, dict):  # anybody who may edit the issue may have written anything
        return False
    return "outcome" in claim or claim.get("job_id", job.job_id) != job.job_id


def is_claimed_for(issue: Issue, job: Job) -> bool:
    """Whether the issue is claimed for that job now."""
    return PROCESSING_LABEL in issue.labels and job.is_same(claimed_job(issue))


def is_taken_from(issue: Issue | None, job: Job) -> bool:
    """Whether a person has taken the label off. Not so of an issue that is gone: it may only be hidden from us."""
    return issue is not None and PROCESSING_LABEL not in issue.labels and not is_released(issue, job)
