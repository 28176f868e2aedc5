"""Tell the ticket how its job ended: pull request first, then the comment, then the labels."""

from dataclasses import dataclass, replace

from orchestrator.domain import comment
from orchestrator.domain.action import Action, Catalogue, Produces
from orchestrator.domain.comment_text import split_markdown
from orchestrator.domain.issue import OwnComment
from orchestrator.domain.job import Job, JobState, result_key
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.errors import JobFailed, NotFoundError, OrchestratorError, TransientError
from orchestrator.ports import ArtifactStore, Events, IssueWriter, JobStore, Proposal, PullRequestWriter

# Jira takes 32,767 characters; what a Markdown character becomes in its own count is not documented.
COMMENT_LIMIT = 24_000
MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class PublishResult:
    """The publisher's one verb."""

    issues: IssueWriter
    pull_requests: PullRequestWriter
    jobs: JobStore
    artifacts: ArtifactStore
    catalogue: Catalogue
    events: Events

    def __call__(self, job: Job, attempt: int) -> None:
        """Publish once: a second delivery finds what the first has left and does the rest."""
        record = self.jobs.get(job.job_id)
        if record is not None and record.state is JobState.ENDED:
            return self.events.info("job.ended_already", **job.log_fields())
        action = self.catalogue.named(job.action)
        result, link = self._proposed(action, job, attempt)
        self._tell(job, comment.result_comment(action, job, result, link), result, attempt)
        return self._close(job, result)

    def _proposed(self, action: Action | None, job: Job, attempt: int) -> tuple[JobResult, str]:
        """The result as it stands after the pull request was tried, and the pull request's URL."""
        result = JobResult(verdict=Verdict(outcome=Outcome.FAILED))
        try:
            result = self._stored(job)
            return result, self._propose(action, job, result)
        except Exception as error:
            is_final = isinstance(error, OrchestratorError) and not isinstance(error, TransientError)
            if not is_final and attempt < MAX_ATTEMPTS:
                raise
            return _unpublished(result, self._reason(job, error, attempt)), ""

    def _reason(self, job: Job, error: Exception, attempt: int) -> str:
        if isinstance(error, TransientError):
            return f"{error} It was tried {attempt} times."
        if isinstance(error, OrchestratorError):
            return str(error)
        self.events.warning("job.crashed", **job.log_fields(), error=type(error).__name__)
        return "The orchestrator met an error of its own; the job's log tells more."

    def _stored(self, job: Job) -> JobResult:
        stored = self.artifacts.get(result_key(job.job_id))
        if stored is None:
            raise JobFailed("What the agent did is no longer stored.")
        return JobResult.model_validate_json(stored)

    def _propose(self, action: Action | None, job: Job, result: JobResult) -> str:
        if action is None or action.produces is not Produces.PULL_REQUEST:
            return ""
        if result.verdict.outcome is not Outcome.SUCCEEDED:
            return ""
        return self.pull_requests.propose(self._proposal(action, job, result))

    def _proposal(self, action: Action, job: Job, result: JobResult) -> Proposal:
        if result.branch is None or result.base_branch is None or result.changeset is None:
            raise JobFailed("The stored result holds no change to publish.")
        return Proposal(
            job=job,
            branch=result.branch,
            base_branch=result.base_branch,
            changeset=result.changeset,
            title=comment.pull_request_title(action, job, result),
            body=comment.pull_request_body(action, job, result, self.issues.issue_url(job.issue_key)),
        )

    def _tell(self, job: Job, markdown: str, result: JobResult, attempt: int) -> None:
        mark = OwnComment(job.job_id, job.action, 0, result.verdict.outcome)
        try:
            told = self._told(job) if attempt > 1 else frozenset()
            for part, text in enumerate(split_markdown(markdown, COMMENT_LIMIT)):
                if part not in told:
                    self.issues.comment(job.issue_key, text, replace(mark, part=part))
        except NotFoundError:
            self.events.warning("issue.gone", **job.log_fields())

    def _told(self, job: Job) -> frozenset[int]:
        own = self.issues.own_comments(job.issue_key)
        return frozenset(comment.part for comment in own if comment.job_id == job.job_id)

    def _close(self, job: Job, result: JobResult) -> None:
        outcome = result.verdict.outcome
        self.issues.release(job, outcome)
        self.jobs.end(job, outcome, result.cost_usd)
        self.events.info(
            "job.ended",
            **job.log_fields(),
            outcome=outcome,
            duration_ms=result.duration_ms,
            cost_usd=result.cost_usd,
        )


def _unpublished(result: JobResult, reason: str) -> JobResult:
    """The same run, but what it made could not be published."""
    return result.model_copy(update={"verdict": Verdict(outcome=Outcome.FAILED, reason=reason)})
