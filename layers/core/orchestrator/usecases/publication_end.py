"""How a publication ends: what the ticket keeps of it, and the result that is reported instead of the stored one."""

from collections.abc import Mapping
from dataclasses import replace

from orchestrator.domain import status
from orchestrator.domain.action import Action
from orchestrator.domain.issue import RESERVED_ACTIONS, Left, OwnComment
from orchestrator.domain.job import Brief, Job, JobRecord, PastResult, Unfinished, result_key
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.domain.sensitive import draft_note
from orchestrator.usecases.judge_change import Judgement


def result_set_aside(
    action: Action | None, job: Job, attempt: int, told: Outcome | None
) -> tuple[JobResult, str, Judgement]:
    """A result of fixed words in the place of the stored one; no link, since nothing is asked of GitHub."""
    del action
    reason = (
        "The result of this job could not be published: each time it was tried, that took too long or ended the "
        f"publisher's process (delivery {attempt} now). So that other tickets do not wait for this one, it was set "
        f"aside. A pull request or a review may have been made already. The result is kept as "
        f"`{result_key(job.job_id)}` in the artifact store until it expires."
    )
    return (
        as_reported(not_published(JobResult(verdict=Verdict(outcome=Outcome.FAILED)), reason), told),
        "",
        Judgement(),
    )


def was_begun(record: JobRecord | None, attempt: int) -> bool:
    """Whether something may have been told, or the claim be another job's by now: then it is looked at first.

    Dead letters brought back are counted from 1 again; a job claimed before may have a past that no record tells.
    """
    if attempt > 1 or record is None:
        return True
    return record.phase == status.PUBLISHING or record.resumed or record.cancel_asked or record.sends > 0


def judgement_notes(judgement: Judgement, link: str) -> str:
    """What the ticket is told of the judgement, beside a reason not to publish, which says it itself."""
    if judgement.reason:
        return ""
    return "\n\n".join(filter(None, (draft_note(judgement.sensitive) if link else "", *judgement.notes)))


def kept_by_ticket(brief: Brief | None, job: Job, result: JobResult, told: str) -> Left:
    """What the ticket keeps: its latest results, and the last action that did not succeed."""
    before = Left() if brief is None else Left(brief.latest, brief.unfinished)
    if job.action in RESERVED_ACTIONS:
        return before
    if result.verdict.outcome is not Outcome.SUCCEEDED:
        return replace(before, unfinished=_unfinished(before.unfinished, job, result))
    done = before.unfinished is not None and before.unfinished.action == job.action
    latest = {**before.latest, job.action: PastResult(job_id=job.job_id, comment_id=told)}
    return Left(latest, None if done else before.unfinished)


def _unfinished(before: Unfinished | None, job: Job, result: JobResult) -> Unfinished:
    """The job; but where no agent was started, a draft of an earlier run still waits to be gone on with."""
    is_same = before is not None and before.action == job.action and before.belongs_to(job.issue_key)
    if before is not None and is_same and before.draft and result.sandbox is None:
        return before
    return Unfinished(action=job.action, job_id=job.job_id, draft=result.draft)


def reported_outcome(own: Mapping[int, OwnComment]) -> Outcome | None:
    """The end that the ticket was told of; None if nothing that can be understood stands there."""
    return next((one for one in Outcome if 0 in own and own[0].outcome == one), None)


def as_reported(result: JobResult, told: Outcome | None) -> JobResult:
    """The same run with the end that was told: the comment stands, and all else has to fit to it."""
    if told is None or result.verdict.outcome is told:
        return result
    return result.model_copy(update={"verdict": Verdict(outcome=told)})


def not_published(result: JobResult, reason: str) -> JobResult:
    """The same run, but what it made could not be published."""
    return result.model_copy(update={"verdict": Verdict(outcome=Outcome.FAILED, reason=reason)})
