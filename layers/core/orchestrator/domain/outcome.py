"""How a job ended: decided from what the agent did, never from what it says of itself alone."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.domain import publishable, report
from orchestrator.domain.action import Action, Produces
from orchestrator.domain.agent import OUT_OF_BUDGET, OUT_OF_TURNS, UNFORMED, AgentRun, Denial, Source, Stop
from orchestrator.domain.changeset import Changeset
from orchestrator.domain.job import FORMAT, Version, read_stored
from orchestrator.domain.ledger import Spent
from orchestrator.domain.model_overload import OVERLOADED
from orchestrator.domain.pull_request import ReviewSubject
from orchestrator.domain.text_limits import LONGEST_ANSWER, LONGEST_REASON, LONGEST_TITLE, cut, cut_report
from orchestrator.domain.untrusted import StorableText
from orchestrator.domain.wall import Rung

# In capitals, or in any case as a heading of its own: "Invalid ticket numbers crash the parser" is a finding.
_INVALID_TICKET = re.compile(
    r"[#*>_`\s]*(?:INVALID TICKET\b|(?i:invalid ticket)(?=[*_`]*[ ]*(?:[:.!\u2013\u2014-]|\n|\Z)))"
)


class Outcome(StrEnum):
    """The ends a job can come to."""

    SUCCEEDED = "succeeded"
    NO_CHANGE = "no_change"
    DECLINED = "declined"
    REJECTED = "rejected"
    BLOCKED = "blocked"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    FAILED = "failed"


class Verdict(BaseModel):
    """An outcome and, unless it is success, the reason in words a person can act on."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    outcome: Outcome
    reason: StorableText = ""
    heading: str = ""


class JobResult(BaseModel):
    """Everything the publisher needs to know of a job that has ended.

    `draft` is true if the changeset is the work of an agent that was cut short, kept for a person and for the next
    run; `continued` if the agent began with such a one; `given_up` if something failed each time the job was tried.
    `changes` is the SHA-256 of the stored changeset where that is an object of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Version = FORMAT
    verdict: Verdict
    summary: StorableText = ""
    text: StorableText = ""
    report: dict[str, Any] | None = None
    cost_usd: float | None = None
    model: str = ""
    turns: int = 0
    duration_ms: int = 0
    denials: tuple[Denial, ...] = ()
    branch: str | None = None
    changeset: Changeset | None = None
    changes: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    subject: ReviewSubject | None = None
    unformed: bool = False
    sandbox: Rung | None = None
    spent: Spent | None = None
    draft: bool = False
    continued: bool = False
    given_up: bool = False

    @classmethod
    def read(cls, stored: bytes | None) -> "JobResult | None":
        """A stored result, None if there is none or it cannot be read; NewerFormat if a newer release wrote it."""
        found = read_stored(cls, stored)
        return None if found is None else found.within_limits()

    def within_limits(self) -> "JobResult":
        """The same with its texts cut: what is stored may come from a worker that somebody has taken over."""
        reason = cut(self.verdict.reason, LONGEST_REASON, "the artifact store")
        return self.model_copy(
            update={
                "verdict": self.verdict.model_copy(update={"reason": reason}),
                "summary": cut(self.summary, LONGEST_TITLE, "the ticket"),
                "text": cut(self.text, LONGEST_ANSWER, "the artifact store"),
                "report": cut_report(self.report),
            }
        )


def decide_outcome(action: Action, run: AgentRun, changeset: Changeset | None) -> Verdict:
    """The first thing that decides, decides."""
    verdict = _stopped(action, run) or _errored(action, run) or _declined(run) or _said_nothing(action, run)
    if verdict is not None:
        return verdict
    if action.produces is Produces.PULL_REQUEST:
        return _changed(run, changeset or Changeset(base_sha=""))
    return Verdict(outcome=Outcome.SUCCEEDED)


def _failed(reason: str) -> Verdict:
    return Verdict(outcome=Outcome.FAILED, reason=reason)


def _stopped(action: Action, run: AgentRun) -> Verdict | None:
    match run.stop:
        case Stop.DEADLINE:
            return Verdict(outcome=Outcome.TIMED_OUT, reason=_deadline_reason(action, run))
        case Stop.EXCESS:
            return _failed(f"The agent was stopped because {run.excess}. What it did was not published.")
        case Stop.CANCELLED | Stop.INTERRUPTED:
            return Verdict(outcome=Outcome.CANCELLED, reason=_STOPPED[run.stop])
    return None


_STOPPED: Mapping[Stop, str] = {
    Stop.CANCELLED: "A person took the label `ai-processing` off or cancelled the job, so the agent was stopped.",
    Stop.INTERRUPTED: "The orchestrator was stopped while the agent was at work.",
}


def _deadline_reason(action: Action, run: AgentRun) -> str:
    if run.capped_s is None:
        time, setting = f"its {action.timeout_minutes:g} minutes", "timeout_minutes for this action"
    else:
        time = f"the {run.capped_s:g} seconds that this deployment gives to an agent"
        setting = "CLAUDE_TIMEOUT_SECONDS"
    stopped = f"The agent was stopped after {time}"
    if run.upstream_status in OVERLOADED:
        return (
            f"{stopped}, and just then the model's service was overloaded ({run.upstream_status}). "
            "Try again later."
        )
    return f"{stopped}. Make the ticket smaller or more precise, or raise {setting}."


def _errored(action: Action, run: AgentRun) -> Verdict | None:
    if run.is_overspent and (run.result is None or run.result.get("is_error")):
        # The CLI knows of a refused call only, and not what the agent spent past it.
        return _failed(_REASONS[OUT_OF_BUDGET](action))
    if run.result is None:
        return _failed(
            f"The agent ended without a result (exit status {run.exit_status}). "
            "If it happens again, the job's log tells more."
        )
    if run.is_unformed and (run.report or run.text):
        return None
    # `subtype` says "success" for a refused model call: `is_error` is what counts.
    if run.result.get("is_error") or str(run.result.get("subtype")) in _REASONS:
        return _failed(_error_reason(action, run, run.result))
    if run.exit_status != 0:
        return _failed(f"The agent ended with exit status {run.exit_status} although it reported no error.")
    return None


_REASONS: Mapping[str, Callable[[Action], str]] = {
    OUT_OF_TURNS: lambda action: (
        f"The agent used all its {action.max_turns} turns without finishing. "
        "Make the ticket smaller or more precise, or raise max_turns for this action."
    ),
    OUT_OF_BUDGET: lambda action: (
        f"The agent used up its budget of ${action.budget_usd:.2f} without finishing. "
        "Make the ticket smaller or more precise, or raise budget_usd for this action."
    ),
    UNFORMED: lambda _: "The agent could not put its answer into the form this action asks for.",
}
_API_REASONS: Mapping[int, str] = {
    400: "The model's service did not accept the request (400). The ticket may be too large for the model.",
    401: "The model's service did not accept the orchestrator's credential (401). It has to be renewed.",
    403: "The model's service refused the orchestrator's credential (403). Its rights have to be checked.",
    404: "The model's service does not know the configured model (404). CLAUDE_MODEL has to be checked.",
    429: "The model's service is limiting requests (429). Try again later.",
    529: "The model's service is overloaded (529). Try again later.",
}


def _error_reason(action: Action, run: AgentRun, result: Mapping[str, Any]) -> str:
    if known := _REASONS.get(str(result.get("subtype"))):
        return known(action)
    status = run.upstream_status or result.get("api_error_status")
    if isinstance(status, int):
        return _API_REASONS.get(
            status, f"The model's service answered with an error ({status}). Try again later."
        )
    return "The agent ended with an error before it had a result."


def _declined(run: AgentRun) -> Verdict | None:
    reason = str((run.report or {}).get(report.INVALID_TICKET_KEY) or "").strip()
    said = _INVALID_TICKET.match(run.text)
    if not reason and said:
        reason = run.text[said.end() :].strip(" \n*_`:.!-\u2013\u2014") or "The agent gave no reason."
    return Verdict(outcome=Outcome.DECLINED, reason=reason) if reason else None


def _said_nothing(action: Action, run: AgentRun) -> Verdict | None:
    said = run.text if run.report is None else report.says_something(action.result_schema, run.report)
    if said:
        return None
    if tools := _denied_tools(run):
        return _failed(f"The agent was denied something it tried ({tools}). It produced nothing.")
    return _failed("The agent ended without an error, but its answer is empty.")


def _changed(run: AgentRun, changeset: Changeset) -> Verdict:
    if changeset.blocked:
        return Verdict(outcome=Outcome.BLOCKED, reason=publishable.told(changeset.blocked))
    if changeset.changes:
        return Verdict(outcome=Outcome.SUCCEEDED)
    if tools := _denied_tools(run):
        return _failed(f"The agent was denied something it tried ({tools}). It changed nothing.")
    return Verdict(outcome=Outcome.NO_CHANGE, reason="The agent finished, but changed no file.")


def _denied_tools(run: AgentRun) -> str:
    """The tools that were denied, but for the kernel's refusals: `find /` makes some and means nothing by it."""
    decided = {denial.tool for denial in run.denials if denial.source is not Source.KERNEL}
    return ", ".join(sorted(decided))
