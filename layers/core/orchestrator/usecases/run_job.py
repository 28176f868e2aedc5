"""Run one job: clone, ask the agent, collect what it did, hand the result on. Every end is a result."""

import secrets
from dataclasses import dataclass, replace

from orchestrator.domain.action import Catalogue, Produces
from orchestrator.domain.agent import AgentRun, Stop
from orchestrator.domain.changeset import Changeset
from orchestrator.domain.halt import Halt
from orchestrator.domain.job import MAX_ATTEMPTS, Brief, Job, Start, Wait, brief_key, result_key
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.domain.prompt import prompt_values
from orchestrator.domain.publishable import PROTECTED
from orchestrator.domain.pull_request import ReviewSubject
from orchestrator.domain.signature import project_of
from orchestrator.errors import (
    ForgedJob,
    GivenUp,
    JobFailed,
    NewerFormat,
    OrchestratorError,
    RepositoryTooLarge,
    SandboxRefused,
    TransientError,
    is_final,
    words_for_the_ticket,
)
from orchestrator.ports import (
    AgentTask,
    Checkout,
    Cloner,
    Delivery,
    Events,
    JobArtifacts,
    JobSender,
    JobTracker,
    PromptRenderer,
    PullRequestReader,
)
from orchestrator.usecases.ask_agent import AskAgent, RunUnpaid
from orchestrator.usecases.cancel_job import LABEL_TAKEN_OFF, cancelled
from orchestrator.usecases.run_result import Asked, changed, ended, is_draft, not_reviewable, result_of
from orchestrator.usecases.stored_results import read_result, read_whole_result, store_result


@dataclass(frozen=True)
class _Work(Asked):
    """The same as one delivery has it. `continued`: an earlier run's unfinished work is in the workspace."""

    attempt: int
    halt: Halt
    continued: bool = False


@dataclass(frozen=True)
class RunJob:
    """The worker's one verb, for the issues of one Jira project."""

    project_key: str
    jobs: JobTracker
    artifacts: JobArtifacts
    results: JobSender
    cloner: Cloner
    pull_requests: PullRequestReader
    prompts: PromptRenderer
    ask: AskAgent
    catalogue: Catalogue
    events: Events
    protected: tuple[str, ...] = PROTECTED

    def __call__(self, delivery: Delivery, halt: Halt) -> None:
        """Run the job unless an earlier delivery has; raises TransientError when the queue should try again.

        GivenUp when that was in vain: the ticket is told then, and the message kept for a person. ForgedJob if the
        poll did not make the job.
        """
        job = delivery.job
        if project_of(job.issue_key) != self.project_key:
            raise ForgedJob
        start = self.jobs.start(job, delivery.attempt)
        if start is Start.ENDED:
            self.events.info("job.ended_already", **job.log_fields())
        elif self._has_result(delivery, start, halt):
            self.results.send(job)
        if delivery.attempt >= MAX_ATTEMPTS and self._is_given_up(job):
            raise GivenUp

    def _has_result(self, delivery: Delivery, start: Start, halt: Halt) -> bool:
        """Whether there is one now, an earlier delivery's or ours; a job that waits has none."""
        job = delivery.job
        if self.artifacts(job).get(result_key(job.job_id)) is not None:
            return True
        result = cancelled(LABEL_TAKEN_OFF) if start is Start.CANCELLED else self._outcome(delivery, halt)
        if result is not None:
            self._finish(job, result)
        return result is not None

    def _is_given_up(self, job: Job) -> bool:
        result = read_result(self.artifacts(job), job.job_id)
        return result is not None and result.given_up

    def look(self, job: Job, halt: Halt) -> None:
        """Say that a worker is at the job, and end its agent if a person has cancelled it."""
        if self.jobs.alive(job):
            halt.ask(Stop.CANCELLED)

    def _finish(self, job: Job, result: JobResult) -> None:
        if not store_result(self.artifacts(job), job.job_id, result):
            # Another worker, which took this one for dead, was first: its result is being told.
            self.events.warning("result.stands", **job.log_fields())
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

    def _outcome(self, delivery: Delivery, halt: Halt) -> JobResult | None:
        """The result of the job, whatever happens, None if it waits; only a fault worth another delivery gets out."""
        try:
            return self._attempt(delivery, halt)
        except RunUnpaid as error:
            return self._unpaid(delivery.job, error)
        except SandboxRefused as error:
            self.events.metric("SandboxRefused", 1, action=delivery.job.action)
            return ended(Outcome.REFUSED, str(error))
        except RepositoryTooLarge as error:
            self.events.warning("repository.refused", **delivery.job.log_fields(), error=str(error))
            return ended(Outcome.REFUSED, str(error))
        except Exception as error:
            if isinstance(error, NewerFormat) or (not is_final(error) and delivery.attempt < MAX_ATTEMPTS):
                raise
            if not isinstance(error, OrchestratorError):
                self.events.warning("job.crashed", **delivery.job.log_fields(), error=type(error).__name__)
            failed = ended(Outcome.FAILED, words_for_the_ticket(error, delivery.attempt))
            was_tried = not is_final(error) or delivery.attempt > MAX_ATTEMPTS
            return failed.model_copy(update={"given_up": was_tried})

    def _unpaid(self, job: Job, error: RunUnpaid) -> JobResult | None:
        """Refused, or None: then it waits, and a poll brings it back."""
        shortage, waits = error.unpaid.shortage, error.unpaid.waits
        self.events.metric("BudgetReached", 1, account=shortage.account)
        self.events.warning("budget.reached", **job.log_fields(), account=shortage.account, waits=waits)
        if not waits:
            return ended(Outcome.REFUSED, str(error))
        self.jobs.park(job, Wait(shortage.account, shortage.resets_at))
        return None

    def _attempt(self, delivery: Delivery, halt: Halt) -> JobResult:
        job, action = delivery.job, self.catalogue.named(delivery.job.action)
        if action is None:
            raise JobFailed(f"This deployment has no action `{job.action}`.")
        if delivery.attempt > MAX_ATTEMPTS:
            raise JobFailed(f"The worker stopped {MAX_ATTEMPTS} times without finishing this job.")
        brief = Brief.read(self.artifacts(job).get(brief_key(job)))
        if brief is None:
            raise JobFailed("What the worker was to know of the ticket is no longer stored.")
        work = _Work(job, action, brief, delivery.attempt, halt)
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
            return result_of(work, self._ask(work, checkout, None), None)

    def _draft(self, job: Job, brief: Brief) -> Changeset | None:
        """What an earlier run of this action left unfinished on this ticket."""
        past = brief.unfinished
        if past is None or not past.draft or past.action != job.action or not past.belongs_to(job.issue_key):
            return None
        stored = read_whole_result(self.artifacts(job), past.job_id)
        return stored.changeset if stored is not None and stored.draft else None

    def _change(self, work: _Work) -> JobResult:
        plan = self.pull_requests.plan_branch(f"{work.action.branch_prefix}{work.job.issue_key}")
        with self.cloner.clone(plan.start_from) as checkout:
            draft = self._draft(work.job, work.brief)
            work = replace(work, continued=draft is not None and checkout.carry_over(draft))
            run = self._ask(work, checkout, None)
            self._phase(work.job, "collect")
            result = changed(work, run, checkout, self.protected)
        kept = {"branch": plan.name, "continued": work.continued, "draft": is_draft(run, result)}
        return result.model_copy(update=kept)

    def _review(self, work: _Work) -> JobResult:
        number = work.brief.pull_request
        subject = None if number is None else self.pull_requests.review_subject(number)
        if (rejection := not_reviewable(number, subject)) is not None or subject is None:
            return JobResult(
                verdict=rejection or Verdict(outcome=Outcome.REJECTED), summary=work.brief.summary
            )
        with self.cloner.clone_review(subject) as checkout:
            result = result_of(work, self._ask(work, checkout, subject), None)
        return result.model_copy(update={"subject": subject})

    def _phase(self, job: Job, phase: str) -> None:
        self.events.info("job.phase", **job.log_fields(), phase=phase)
        self.jobs.progress(job, phase)

    def _ask(self, work: _Work, checkout: Checkout, subject: ReviewSubject | None) -> AgentRun:
        nonce = secrets.token_hex(8)
        values = prompt_values(work.job, work.brief, subject, nonce, continued=work.continued)
        prompt = self.prompts.render(work.action.template, values)
        self._phase(work.job, "agent")
        run = self.ask(AgentTask(work.job, work.action, prompt, checkout.workspace, work.halt))
        if run.stop is Stop.INTERRUPTED and work.attempt < MAX_ATTEMPTS:
            raise TransientError("The worker was stopped while the agent was at work.")
        return run
