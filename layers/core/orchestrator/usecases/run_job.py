"""Run one job: clone, ask the agent, collect what it did, hand the result on. Every end is a result."""

import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.action import Action, Catalogue, Produces
from orchestrator.domain.agent import AgentRun
from orchestrator.domain.changeset import Changeset
from orchestrator.domain.job import MAX_ATTEMPTS, Brief, Job, brief_key, result_key, transcript_key
from orchestrator.domain.outcome import JobResult, Outcome, Verdict, decide_outcome
from orchestrator.domain.prompt import prompt_values
from orchestrator.domain.publishable import PROTECTED, reviewed
from orchestrator.domain.pull_request import PullState, ReviewSubject
from orchestrator.domain.wall import Probe, standing
from orchestrator.errors import JobFailed, OrchestratorError, SandboxRefused, is_final, words_for_the_ticket
from orchestrator.ports import (
    Agent,
    AgentTask,
    ArtifactStore,
    Checkout,
    Cloner,
    Delivery,
    Events,
    JobSender,
    JobStore,
    PromptRenderer,
    PullRequestReader,
)


@dataclass(frozen=True)
class _Work:
    """One job with all that is known of it."""

    job: Job
    action: Action
    brief: Brief


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
    protected: tuple[str, ...] = PROTECTED

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
            fields = {**job.log_fields(), "sandbox": result.sandbox, **denial.model_dump(mode="json")}
            self.events.warning("permission.denied", **fields)
        self.events.info(
            "agent.finished",
            **job.log_fields(),
            outcome=result.verdict.outcome,
            sandbox=result.sandbox,
            duration_ms=result.duration_ms,
            cost_usd=result.cost_usd,
            **({} if result.spent is None else result.spent.model_dump(exclude={"cost_usd"})),
        )
        self._measure(job.action, result)

    def _measure(self, action: str, result: JobResult) -> None:
        self.events.metric("Jobs", 1, action=action, outcome=result.verdict.outcome)
        self.events.metric("PermissionDenials", len(result.denials), action=action)
        if result.cost_usd is not None:
            self.events.metric("CostUsd", result.cost_usd, action=action)

    def _outcome(self, delivery: Delivery) -> JobResult:
        """The result of the job, whatever happens; only a fault worth another delivery gets out."""
        try:
            return self._attempt(delivery)
        except SandboxRefused as error:
            self.events.metric("SandboxRefused", 1, action=delivery.job.action)
            return _ended(Outcome.REFUSED, str(error))
        except Exception as error:
            if not is_final(error) and delivery.attempt < MAX_ATTEMPTS:
                raise
            if not isinstance(error, OrchestratorError):
                self.events.warning("job.crashed", **delivery.job.log_fields(), error=type(error).__name__)
            return _ended(Outcome.FAILED, words_for_the_ticket(error, delivery.attempt))

    def _attempt(self, delivery: Delivery) -> JobResult:
        job, action = delivery.job, self.catalogue.named(delivery.job.action)
        if action is None:
            raise JobFailed(f"This deployment has no action `{job.action}`.")
        if delivery.attempt > MAX_ATTEMPTS:
            raise JobFailed(f"The worker stopped {MAX_ATTEMPTS} times without finishing this job.")
        brief = Brief.read(self.artifacts.get(brief_key(job)))
        if brief is None:
            raise JobFailed("What the worker was to know of the ticket is no longer stored.")
        work = _Work(job, action, brief)
        self._phase(job, "clone")
        match action.produces:
            case Produces.COMMENT:
                return self._comment(work)
            case Produces.PULL_REQUEST:
                return self._change(work)
            case Produces.REVIEW:
                return self._review(work)

    def _comment(self, work: _Work) -> JobResult:
        with self.cloner.clone(None) as checkout:
            return _result(work, self._ask(work, checkout, None), None)

    def _change(self, work: _Work) -> JobResult:
        plan = self.pull_requests.plan_branch(f"{work.action.branch_prefix}{work.job.issue_key}")
        with self.cloner.clone(plan.start_from) as checkout:
            run = self._ask(work, checkout, None)
            self._phase(work.job, "collect")
            result = _changed(work, run, checkout, self.protected)
        return result.model_copy(update={"branch": plan.name})

    def _review(self, work: _Work) -> JobResult:
        number = work.brief.pull_request
        subject = None if number is None else self.pull_requests.review_subject(number)
        if (rejection := _not_reviewable(number, subject)) is not None or subject is None:
            return JobResult(
                verdict=rejection or Verdict(outcome=Outcome.REJECTED), summary=work.brief.summary
            )
        with self.cloner.clone_review(subject) as checkout:
            result = _result(work, self._ask(work, checkout, subject), None)
        return result.model_copy(update={"subject": subject})

    def _phase(self, job: Job, phase: str) -> None:
        self.events.info("job.phase", **job.log_fields(), phase=phase)
        self.jobs.progress(job, phase)

    def _walls_tried(self, task: AgentTask, run: str, probes: tuple[Probe, ...]) -> None:
        """Every answer is kept and counted, so that a fleet that falls down a rung is seen."""
        job = task.job
        self.jobs.walls_tried(job, probes)
        if standing(probes) is not None:
            # A worker that dies tells nobody what its agent spent: until it ends, it counts with all it may.
            self.jobs.spent(job, run, task.action.budget_usd)
        for probe in probes:
            self.events.metric("SandboxProbes", 1, rung=probe.rung, answer=probe.answer)
            self.events.info("sandbox.probed", **job.log_fields(), **probe.model_dump(mode="json"))

    def _ask(self, work: _Work, checkout: Checkout, subject: ReviewSubject | None) -> AgentRun:
        values = prompt_values(work.job, work.brief, subject, secrets.token_hex(8))
        prompt = self.prompts.render(work.action.template, values)
        self._phase(work.job, "agent")
        return self._run(AgentTask(work.job, work.action, prompt, checkout.workspace))

    def _run(self, task: AgentTask) -> AgentRun:
        name = f"run_{secrets.token_hex(4)}"
        with tempfile.TemporaryDirectory(prefix="alm-transcript-") as folder:
            transcript = Path(folder) / "transcript.jsonl"
            try:
                run = self.agent.run(task, transcript, lambda probes: self._walls_tried(task, name, probes))
                if run.cost_usd is not None:
                    self.jobs.spent(task.job, name, run.cost_usd)
                return run
            finally:
                if transcript.exists():
                    self.artifacts.put_file(transcript_key(task.job), transcript)


def _ended(outcome: Outcome, reason: str) -> JobResult:
    return JobResult(verdict=Verdict(outcome=outcome, reason=reason))


def _not_reviewable(number: int | None, subject: ReviewSubject | None) -> Verdict | None:
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


def _changed(work: _Work, run: AgentRun, checkout: Checkout, protected: tuple[str, ...]) -> JobResult:
    """The result with the changes; when they cannot be read, what the run cost is still told."""
    try:
        return _result(work, run, reviewed(checkout.changeset(), protected))
    except JobFailed as error:
        failed = Verdict(outcome=Outcome.FAILED, reason=str(error))
        return _result(work, run, None).model_copy(update={"verdict": failed})


def _result(work: _Work, run: AgentRun, changeset: Changeset | None) -> JobResult:
    verdict = decide_outcome(work.action, run, changeset)
    # What the CLI puts into `result` of an error names addresses of ours; beside a report it is the report again.
    left_out = run.report is not None or bool((run.result or {}).get("is_error"))
    return JobResult(
        verdict=verdict,
        summary=work.brief.summary,
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
