"""Run one job: clone, ask the agent, collect what it did, hand the result on. Every end is a result."""

import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.action import Action, Catalogue, Produces
from orchestrator.domain.agent import AgentRun
from orchestrator.domain.changeset import Changeset
from orchestrator.domain.job import Brief, Job, brief_key, result_key, transcript_key
from orchestrator.domain.outcome import JobResult, Outcome, Verdict, decide_outcome
from orchestrator.domain.prompt import prompt_values
from orchestrator.errors import JobFailed, OrchestratorError, SandboxRefused, TransientError
from orchestrator.ports import (
    Agent,
    AgentTask,
    ArtifactStore,
    BranchPlan,
    Checkout,
    Cloner,
    Delivery,
    Events,
    JobSender,
    JobStore,
    PromptRenderer,
    PullRequestReader,
)

# One less than the queue's own limit, so that the last delivery is always left to tell the ticket.
MAX_ATTEMPTS = 3
_DEFAULT_BRANCH = BranchPlan(name="", start_from=None)


@dataclass(frozen=True)
class RunJob:
    """The worker's one verb."""

    jobs: JobStore
    artifacts: ArtifactStore
    results: JobSender
    cloner: Cloner
    pull_requests: PullRequestReader
    prompts: PromptRenderer
    agent: Agent
    catalogue: Catalogue
    events: Events

    def __call__(self, delivery: Delivery) -> None:
        """Run the job unless an earlier delivery has; raises TransientError when the queue should try again."""
        job = delivery.job
        if not self.jobs.start(job, delivery.attempt):
            return self.events.info("job.ended_already", **job.log_fields())
        if self.artifacts.get(result_key(job.job_id)) is None:
            self._finish(job, self._outcome(delivery))
        self.results.send(job)
        return None

    def _finish(self, job: Job, result: JobResult) -> None:
        self.artifacts.put(result_key(job.job_id), result.model_dump_json().encode())
        for denial in result.denials:
            self.events.warning("permission.denied", **job.log_fields(), **denial.model_dump(mode="json"))
        self.events.info(
            "agent.finished",
            **job.log_fields(),
            outcome=result.verdict.outcome,
            duration_ms=result.duration_ms,
            cost_usd=result.cost_usd,
        )

    def _outcome(self, delivery: Delivery) -> JobResult:
        """The result of the job, whatever happens; only a fault worth another delivery gets out."""
        try:
            return self._attempt(delivery)
        except SandboxRefused as error:
            return _ended(Outcome.REFUSED, str(error))
        except TransientError as error:
            if delivery.attempt < MAX_ATTEMPTS:
                raise
            return _ended(Outcome.FAILED, f"{error} It was tried {delivery.attempt} times.")
        except OrchestratorError as error:
            return _ended(Outcome.FAILED, str(error))
        except Exception as error:
            if delivery.attempt < MAX_ATTEMPTS:
                raise
            self.events.warning("job.crashed", **delivery.job.log_fields(), error=type(error).__name__)
            return _ended(
                Outcome.FAILED, "The orchestrator met an error of its own; the job's log tells more."
            )

    def _attempt(self, delivery: Delivery) -> JobResult:
        job, action = delivery.job, self.catalogue.named(delivery.job.action)
        if action is None:
            raise JobFailed(f"This deployment has no action `{job.action}`.")
        if delivery.attempt > MAX_ATTEMPTS:
            raise JobFailed(f"The worker stopped {MAX_ATTEMPTS} times without finishing this job.")
        stored = self.artifacts.get(brief_key(job))
        if stored is None:
            raise JobFailed("What the worker was to know of the ticket is no longer stored.")
        brief = Brief.model_validate_json(stored)
        plan = self._plan(job, action)
        self._phase(job, "clone")
        with self.cloner.clone(plan.start_from) as checkout:
            return self._run_in(checkout, delivery, brief, plan)

    def _plan(self, job: Job, action: Action) -> BranchPlan:
        if action.produces is not Produces.PULL_REQUEST:
            return _DEFAULT_BRANCH
        return self.pull_requests.plan_branch(f"{action.branch_prefix}{job.issue_key}")

    def _run_in(self, checkout: Checkout, delivery: Delivery, brief: Brief, plan: BranchPlan) -> JobResult:
        action = self.catalogue.named(delivery.job.action)
        assert action is not None  # noqa: S101  # _attempt has looked it up
        prompt = self.prompts.render(
            action.template, prompt_values(delivery.job, brief, secrets.token_hex(8))
        )
        self._phase(delivery.job, "agent")
        run = self._ask(AgentTask(delivery.job, action, prompt, checkout.workspace))
        self._phase(delivery.job, "collect")
        changeset = checkout.changeset() if action.produces is Produces.PULL_REQUEST else None
        return _result(action, brief, run, changeset).model_copy(
            update={"branch": plan.name or None, "base_branch": checkout.default_branch}
        )

    def _phase(self, job: Job, phase: str) -> None:
        self.events.info("job.phase", **job.log_fields(), phase=phase)

    def _ask(self, task: AgentTask) -> AgentRun:
        with tempfile.TemporaryDirectory(prefix="alm-transcript-") as folder:
            transcript = Path(folder) / "transcript.jsonl"
            try:
                return self.agent.run(task, transcript)
            finally:
                if transcript.exists():
                    self.artifacts.put_file(transcript_key(task.job), transcript)


def _ended(outcome: Outcome, reason: str) -> JobResult:
    return JobResult(verdict=Verdict(outcome=outcome, reason=reason))


def _result(action: Action, brief: Brief, run: AgentRun, changeset: Changeset | None) -> JobResult:
    verdict = decide_outcome(action, run, changeset)
    # What the CLI puts into `result` of an error names addresses of ours; beside a report it is the report again.
    left_out = run.report is not None or bool((run.result or {}).get("is_error"))
    return JobResult(
        verdict=verdict,
        summary=brief.summary,
        text="" if left_out else run.text,
        report=run.report,
        cost_usd=run.cost_usd,
        model=run.model,
        turns=run.turns,
        duration_ms=run.duration_ms,
        denials=run.denials,
        changeset=changeset,
    )
