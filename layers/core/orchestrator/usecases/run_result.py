"""What a run of the agent comes to, as the result the publisher is given."""

from dataclasses import dataclass

from orchestrator.domain.action import Action
from orchestrator.domain.agent import AgentRun, Stop
from orchestrator.domain.changeset import Changeset
from orchestrator.domain.job import Brief, Job
from orchestrator.domain.outcome import JobResult, Outcome, Verdict, decide_outcome
from orchestrator.domain.publishable import reviewed
from orchestrator.domain.pull_request import PullState, ReviewSubject
from orchestrator.errors import JobFailed
from orchestrator.ports import Checkout


@dataclass(frozen=True)
class Asked:
    """One job with all that is known of it."""

    job: Job
    action: Action
    brief: Brief


def is_draft(run: AgentRun, result: JobResult) -> bool:
    """Whether half-done work is worth keeping: what a person cancelled is begun anew."""
    change = result.changeset
    is_whole = change is not None and bool(change.changes) and not change.blocked
    return is_whole and run.is_cut_short and run.stop is not Stop.CANCELLED


def ended(outcome: Outcome, reason: str) -> JobResult:
    """The end of a job without a run that could tell more."""
    return JobResult(verdict=Verdict(outcome=outcome, reason=reason))


def not_reviewable(number: int | None, subject: ReviewSubject | None) -> Verdict | None:
    """Why there is nothing to review, None if there is.

    It becomes a comment: as code, the number is none that the next review would take for the ticket's reference.
    """
    if number is None:
        reason = "The ticket names no pull request."
    elif subject is None:
        reason = (
            f"GitHub has no pull request `#{number}` in this repository, or the read token may not see it."
        )
    elif subject.state is not PullState.OPEN:
        reason = f"The pull request `#{number}` is {subject.state} already."
    elif subject.changed_files == 0:
        reason = f"The pull request `#{number}` changes no file."
    else:
        return None
    return Verdict(outcome=Outcome.REJECTED, reason=f"{reason} Nothing was run.")


def changed(asked: Asked, run: AgentRun, checkout: Checkout, protected: tuple[str, ...]) -> JobResult:
    """The result with the changes; when they cannot be read, what the run cost is still told."""
    try:
        return result_of(asked, run, reviewed(checkout.changeset(), protected))
    except JobFailed as error:
        failed = Verdict(outcome=Outcome.FAILED, reason=str(error))
        return result_of(asked, run, None).model_copy(update={"verdict": failed})


def result_of(asked: Asked, run: AgentRun, changeset: Changeset | None) -> JobResult:
    """The result of a run, with what it changed."""
    verdict = decide_outcome(asked.action, run, changeset)
    # What the CLI puts into `result` of an error names addresses of ours; beside a report it is the report again.
    left_out = run.report is not None or bool((run.result or {}).get("is_error"))
    return JobResult(
        verdict=verdict,
        summary=asked.brief.summary,
        text="" if left_out else run.text,
        report=run.report,
        cost_usd=run.cost_usd,
        model=run.model,
        turns=run.turns,
        duration_ms=run.duration_ms,
        denials=run.denials,
        changeset=changeset,
        unformed=run.is_unformed,
        sandbox=run.sandbox,
        spent=run.spent,
    )
