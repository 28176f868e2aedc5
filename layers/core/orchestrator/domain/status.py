"""The one live comment of a job, edited in place: queued, at work, ended."""

from orchestrator.domain.action import Action
from orchestrator.domain.job import Job, JobRecord, JobState
from orchestrator.domain.outcome import JobResult, Outcome
from orchestrator.domain.wall import standing, warning

# Jira asks for few writes an issue, and nobody reads faster.
EDIT_EVERY_S = 20.0
# The mark's part number of a status comment; the parts of results count from 0.
STATUS_PART = -1
PUBLISHING = "publish"
_PHASES = {
    "clone": "cloning the repository",
    "agent": "the agent is at work",
    "collect": "collecting the result",
}


def is_due(record: JobRecord, now: float) -> bool:
    """Whether a running job's comment should be edited; once its result is published, its end is the last word."""
    running = record.state is JobState.RUNNING and record.status_comment is not None
    running = running and record.phase != PUBLISHING
    return running and now - max(record.status_at, record.started_at or now) >= EDIT_EVERY_S


def queued(action: Action | None, job: Job) -> str:
    """The comment when the job has been claimed."""
    return _line(action, job, "queued")


def running(action: Action | None, job: Job, record: JobRecord, now: float) -> str:
    """The comment while a worker is at it."""
    minutes, seconds = divmod(int(max(0.0, now - (record.started_at or now))), 60)
    phase = _PHASES.get(record.phase, "starting")
    state = f"running for {minutes}:{seconds:02d} min, {phase}"
    return _line(action, job, state, warning(standing(record.probes)))


def ended(action: Action | None, job: Job, result: JobResult, link: str) -> str:
    """The comment when all is over."""
    outcome = result.verdict.outcome
    how = "done" if outcome is Outcome.SUCCEEDED else outcome.replace("_", " ")
    cost = "" if result.cost_usd is None else f", ${result.cost_usd:.2f}"
    state = f"{how}{cost}" + (f": <{link}>" if link else "")
    return _line(action, job, state, warning(result.sandbox))


def _line(action: Action | None, job: Job, state: str, note: str = "") -> str:
    title = job.action if action is None else action.title
    return "\n\n".join(part for part in (f"**{title}** {state}", note, f"*Job {job.job_id}*") if part)
