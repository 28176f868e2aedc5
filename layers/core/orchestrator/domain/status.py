"""The one live comment of a job, edited in place: queued, at work, waiting, given up, ended."""

from orchestrator.domain.action import Action
from orchestrator.domain.job import PROCESSING_LABEL, Job, JobRecord, JobState
from orchestrator.domain.money import Account, moment
from orchestrator.domain.outcome import JobResult, Outcome
from orchestrator.domain.wall import standing, warning

# Jira asks for few writes an issue, and nobody reads faster.
EDIT_EVERY_S = 20.0
# The mark's part number of a status comment; the parts of results count from 0.
STATUS_PART = -1
PUBLISHING = "publish"
_DRAFT = "The pull request is a draft: it changes files that a person has to look at first."
_PHASES = {
    "clone": "cloning the repository",
    "agent": "the agent is at work",
    "collect": "collecting the result",
}


def is_due(record: JobRecord, now: float) -> bool:
    """Whether a job's comment should be edited; while its result is published, its end is the last word."""
    if record.state is JobState.ENDED or (record.phase == PUBLISHING and not record.dead_letter):
        return False
    if record.state is JobState.RUNNING and not record.dead_letter:
        return now - max(record.status_at, record.started_at or now) >= EDIT_EVERY_S
    is_news = bool(record.dead_letter) or record.state is JobState.WAITING or record.sends > 0
    return is_news and record.status_at <= record.seen_at


def queued(action: Action | None, job: Job) -> str:
    """The comment when the job has been claimed."""
    return _line(action, job, "queued")


def current(action: Action | None, record: JobRecord, now: float) -> str:
    """The comment of a job that has not ended."""
    job = record.job
    if record.dead_letter:
        return _line(action, job, "stopped", _given_up(record))
    match record.state:
        case JobState.WAITING:
            whose = "the ticket's" if record.wait_for is Account.TICKET else "the day's"
            resets = (
                f"which resets on {moment(record.wait_until)}. `{PROCESSING_LABEL}` taken off cancels it."
            )
            return _line(action, job, "waiting", f"It waits for {whose} budget, {resets}")
        case JobState.RUNNING:
            return _running(action, record, now)
        case _:
            return queued(action, job)


def _running(action: Action | None, record: JobRecord, now: float) -> str:
    minutes, seconds = divmod(int(max(0.0, now - (record.started_at or now))), 60)
    phase = _PHASES.get(record.phase, "starting")
    state = f"running for {minutes}:{seconds:02d} min, {phase}"
    return _line(action, record.job, state, warning(standing(record.probes)))


def _given_up(record: JobRecord) -> str:
    what = "run" if record.dead_letter == "jobs" else "published"
    return (
        f"It could not be {what}, however often it was tried, and its message is kept. Whoever runs the orchestrator "
        f"finds the reason in the log of job {record.job_id} and brings it back with `alm redrive`; "
        f"`{PROCESSING_LABEL}` taken off ends it."
    )


def ended(action: Action | None, job: Job, result: JobResult, link: str, *, is_draft: bool = False) -> str:
    """The comment when all is over. `is_draft`: the pull request is one, until a person has looked at it."""
    outcome = result.verdict.outcome
    how = "done" if outcome is Outcome.SUCCEEDED else outcome.replace("_", " ")
    cost = "" if result.cost_usd is None else f", ${result.cost_usd:.2f}"
    state = f"{how}{cost}" + (f": <{link}>" if link else "")
    notes = (_DRAFT if is_draft else "", warning(result.sandbox))
    return _line(action, job, state, "\n\n".join(filter(None, notes)))


def _line(action: Action | None, job: Job, state: str, note: str = "") -> str:
    title = job.action if action is None else action.title
    return "\n\n".join(part for part in (f"**{title}** {state}", note, f"*Job {job.job_id}*") if part)
