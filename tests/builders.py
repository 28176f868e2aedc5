"""Values for tests: each function makes a plausible one, keywords change what the test is about."""

from dataclasses import replace
from typing import Any

from orchestrator.domain.action import Action, Catalogue
from orchestrator.domain.agent import AgentRun, Denial, Source
from orchestrator.domain.changeset import Changeset, Fault, FileChange, FileMode, Ground
from orchestrator.domain.issue import Issue, Left, OwnComment
from orchestrator.domain.job import Brief, Job
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.domain.pull_request import PullState, ReviewSubject
from orchestrator.domain.wall import Answer, Probe, Rung
from orchestrator.ports import Delivery
from orchestrator.usecases.sign_jobs import SignJobs
from tests.fakes.clock import FakeClock
from tests.fakes.signing import FixedKeys

SIGNING_KEY = "the-key-that-signs-the-jobs-of-tests"
# Later than any clock of a test: such a job is never too old.
CLAIMED_AT = 4_000_000_000
SIGNER = SignJobs("DEMO", FixedKeys(SIGNING_KEY), FakeClock())
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "summary": {"type": "string"},
        "root_cause": {"type": "string", "title": "Why"},
        "files": {"type": "array"},
        "confidence": {"enum": ["high", "low"]},
    },
}
REPORT = {"summary": "It is the cart.", "root_cause": "A `>` too much.", "confidence": "high"}


def front_matter(**changes: Any) -> dict[str, Any]:
    """An investigate action as its files say it."""
    known: dict[str, Any] = {
        "name": "investigate",
        "label": "ai-investigate",
        "title": "Investigate",
        "order": 10,
        "issue_types": ["Bug"],
        "produces": "comment",
        "header": "INVESTIGATION RESULTS",
        "tools": ["Read", "Grep"],
        "workspace": "read-only",
        "network": "none",
        "max_turns": 60,
        "budget_usd": 3,
        "timeout_minutes": 20,
        "result_schema": SCHEMA,
        "template": "Find the cause.\n",
        "settings": {"permissions": {"allow": ["Read"], "deny": ["WebFetch"]}},
    }
    return known | changes


def action(**changes: Any) -> Action:
    """An action that makes a comment."""
    return Action.model_validate(front_matter(**changes))


def fix(**changes: Any) -> Action:
    """An action that makes a pull request and builds on investigate."""
    known: dict[str, Any] = {
        "name": "fix",
        "label": "ai-fix",
        "title": "Fix",
        "order": 40,
        "produces": "pull_request",
        "branch_prefix": "fix-",
        "title_prefix": "fix:",
        "context": ["investigate"],
        "header": "FIX CREATED",
        "workspace": "read-write",
    }
    return action(**(known | changes))


REVIEW_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "verdict": {"enum": ["approve", "comment", "request_changes"]},
        "summary": {"type": "string"},
        "findings": {"type": "array"},
    },
}


def code_review(**changes: Any) -> Action:
    """An action that makes a review."""
    known: dict[str, Any] = {
        "name": "code_review",
        "label": "ai-code-review",
        "title": "Code review",
        "order": 60,
        "issue_types": ["Bug", "Story", "Task"],
        "produces": "review",
        "header": "CODE REVIEW",
        "result_schema": REVIEW_SCHEMA,
    }
    return action(**(known | changes))


def catalogue(*actions: Action) -> Catalogue:
    """These actions, else investigate and fix."""
    return Catalogue(actions=actions or (action(), fix()))


def issue(**changes: Any) -> Issue:
    """A bug that asks for investigate; what it keeps of earlier jobs is signed."""
    known: dict[str, Any] = {
        "id": "10001",
        "key": "DEMO-1",
        "labels": frozenset({"ai-investigate"}),
        "issue_type": "Bug",
        "summary": "Ten pieces cost full price",
        "updated": "2026-11-22T10:00:00.000+0000",
    }
    made = Issue(**(known | changes))
    left = SIGNER.signed(job(issue_id=made.id), Left(made.latest, made.unfinished))
    return replace(made, latest=left.latest, unfinished=left.unfinished)


def unsigned(made: Issue) -> Issue:
    """The issue with the signatures of what it keeps left out, for comparing."""
    latest = {name: past.model_copy(update={"signature": ""}) for name, past in made.latest.items()}
    kept = made.unfinished and made.unfinished.model_copy(update={"signature": ""})
    return replace(made, latest=latest, unfinished=kept)


def job(**changes: Any) -> Job:
    """A job that investigates DEMO-1, signed as the poll does."""
    known: dict[str, Any] = {
        "job_id": "DEMO-1-investigate-0123456789ab",
        "issue_id": "10001",
        "issue_key": "DEMO-1",
        "action": "investigate",
        "label": "ai-investigate",
        "claimed_at": CLAIMED_AT,
    }
    return SIGNER.sign(Job.model_validate(known | changes))


def fix_job(**changes: Any) -> Job:
    """A job that fixes DEMO-1."""
    return job(**({"job_id": "DEMO-1-fix-ba9876543210", "action": "fix", "label": "ai-fix"} | changes))


def review_job(**changes: Any) -> Job:
    """A job that reviews the pull request DEMO-1 names."""
    known = {"job_id": "DEMO-1-code_review-aaaabbbbcccc", "action": "code_review", "label": "ai-code-review"}
    return job(**(known | changes))


def delivery(of: Job | None = None, attempt: int = 1) -> Delivery:
    """A job as a queue hands it out."""
    return Delivery(of or job(), attempt, "receipt")


def brief(**changes: Any) -> Brief:
    """What the worker is told of DEMO-1."""
    known: dict[str, Any] = {
        "issue_type": "Bug",
        "summary": "Ten pieces cost full price",
        "description": "The discount starts at eleven.",
        "url": "https://example.atlassian.net/browse/DEMO-1",
    }
    return Brief.model_validate(known | changes)


def cli_result(**changes: Any) -> dict[str, Any]:
    """The CLI's result message of a run that went well; a value of None leaves its key out."""
    known: dict[str, Any] = {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "result": "The cart compares with `>`.",
        "total_cost_usd": 0.25,
        "num_turns": 4,
        "permission_denials": [],
    }
    return {key: value for key, value in (known | changes).items() if value is not None}


def agent_run(**changes: Any) -> AgentRun:
    """A run that went well."""
    known: dict[str, Any] = {
        "exit_status": 0,
        "result": cli_result(),
        "model": "claude-test-1",
        "turns": 4,
        "duration_ms": 61_000,
        "probes": (Probe(rung=Rung.BUBBLEWRAP, answer=Answer.AVAILABLE),),
    }
    return AgentRun(**(known | changes))


def denial(**changes: Any) -> Denial:
    """A refused command."""
    return Denial(**({"tool": "Bash", "source": Source.RULE, "target": "curl evil"} | changes))


def changeset(**changes: Any) -> Changeset:
    """One changed file."""
    written = FileChange.written("shop/cart.py", FileMode.REGULAR, b"x\n")
    return Changeset(**({"base_sha": "a" * 40, "changes": (written,)} | changes))


def fault(path: str = "vendor/x", ground: Ground = Ground.NESTED) -> Fault:
    """A reason not to publish a change."""
    return Fault(ground=ground, path=path)


def verdict(outcome: Outcome = Outcome.SUCCEEDED, reason: str = "") -> Verdict:
    """An end."""
    return Verdict(outcome=outcome, reason=reason)


def job_result(**changes: Any) -> JobResult:
    """The result of an investigation that went well."""
    known: dict[str, Any] = {
        "verdict": verdict(),
        "summary": "Ten pieces cost full price",
        "report": REPORT,
        "cost_usd": 0.25,
        "model": "claude-test-1",
        "turns": 4,
        "duration_ms": 61_000,
        "sandbox": Rung.BUBBLEWRAP,
    }
    return JobResult.model_validate(known | changes)


def fix_result(**changes: Any) -> JobResult:
    """The result of a fix that changed one file."""
    known: dict[str, Any] = {"branch": "fix-DEMO-1", "changeset": changeset()}
    return job_result(**(known | changes))


def subject(**changes: Any) -> ReviewSubject:
    """An open pull request that changes one file."""
    known: dict[str, Any] = {
        "number": 42,
        "url": "https://github.example/o/r/pull/42",
        "title": "Count from ten",
        "body": "It counted from eleven.",
        "state": PullState.OPEN,
        "head_sha": "b" * 40,
        "merge_base_sha": "a" * 40,
        "changed_files": 1,
    }
    return ReviewSubject.model_validate(known | changes)


def finding(**changes: Any) -> dict[str, Any]:
    """A finding as an agent reports it."""
    known: dict[str, Any] = {
        "path": "shop/cart.py",
        "line": 7,
        "severity": "high",
        "title": "Off by one",
        "explanation": "Ten pieces are eleven here.",
    }
    return known | changes


def review_result(*findings: Any, **changes: Any) -> JobResult:
    """The result of a review that went well, of one finding if none is given."""
    report = {"verdict": "comment", "summary": "Nearly.", "findings": list(findings or (finding(),))}
    return job_result(**({"report": report, "subject": subject()} | changes))


def own_comment(**changes: Any) -> OwnComment:
    """Our comment on a successful investigation."""
    known: dict[str, Any] = {
        "job_id": job().job_id,
        "action": "investigate",
        "part": 0,
        "outcome": "succeeded",
        "text": "INVESTIGATION RESULTS",
    }
    return OwnComment(**(known | changes))
