"""Tell the ticket how its job ended: pull request first, then the comment, then the labels."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from orchestrator.domain import comment, status
from orchestrator.domain.action import Action, Catalogue, Produces
from orchestrator.domain.comment_text import split_markdown
from orchestrator.domain.issue import (
    Issue,
    Left,
    OwnComment,
    claimed_job,
    is_claimed_for,
    is_released,
)
from orchestrator.domain.job import (
    MAX_ATTEMPTS,
    Brief,
    Job,
    JobRecord,
    JobState,
    brief_key,
)
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.domain.redaction import without_secrets
from orchestrator.domain.review import compose, findings_of
from orchestrator.domain.sensitive import opening
from orchestrator.domain.text_limits import LONGEST_RESULT, cut
from orchestrator.errors import (
    ForgedJob,
    JobFailed,
    NewerFormat,
    NotFoundError,
    OrchestratorError,
    is_final,
    words_for_the_ticket,
)
from orchestrator.ports import (
    ArtifactStore,
    Commenter,
    Events,
    IssueWriter,
    JobStore,
    Proposal,
    PullRequestWriter,
    ReviewPost,
)
from orchestrator.usecases.judge_change import JudgeChange, Judgement
from orchestrator.usecases.publication_end import (
    as_reported,
    judgement_notes,
    kept_by_ticket,
    not_published,
    reported_outcome,
    result_set_aside,
    was_begun,
)
from orchestrator.usecases.sign_jobs import SignJobs
from orchestrator.usecases.stored_results import read_result, read_whole_result

# Jira takes 32,767 characters; what a Markdown character becomes in its own count is not documented.
COMMENT_LIMIT = 24_000
# What makes the result that is told, and the address of what GitHub holds of it.
type _Proposed = Callable[[Action | None, Job, int, Outcome | None], tuple[JobResult, str, Judgement]]


@dataclass(frozen=True)
class PublishResult:
    """The publisher's one verb."""

    issues: IssueWriter
    comments: Commenter
    pull_requests: PullRequestWriter
    jobs: JobStore
    artifacts: ArtifactStore
    catalogue: Catalogue
    signer: SignJobs
    events: Events
    judge: JudgeChange
    may_request_changes: bool = False

    def __call__(self, job: Job, attempt: int) -> None:
        """Publish once: a second delivery finds what the first has left and does the rest.

        ForgedJob if the poll did not make the job.
        """
        self._publish(job, attempt, self._proposed)

    def set_aside(self, job: Job, attempt: int) -> None:
        """Report a result that cannot be published, without reading it, and release the labels."""
        self._publish(job, attempt, result_set_aside)

    def _publish(self, job: Job, attempt: int, proposed: _Proposed) -> None:
        if not self.signer.is_genuine(job):
            raise ForgedJob
        record = self.jobs.get(job.job_id)
        if record is not None and record.state is JobState.ENDED:
            return self._ended_already(job, record)
        issue = self.issues.look(job.issue_key)
        if issue is None:
            return self._close(job, self._without_ticket(job))
        if record is None and not job.is_same(claimed_job(issue)):
            return self._refuse(job, issue)
        again = was_begun(record, attempt)
        # From here on a poll leaves the status comment alone: its edit could come after our last one.
        self.jobs.progress(job, status.PUBLISHING)
        own = self._own(job) if again else {}
        action = self.catalogue.named(job.action)
        result, link, judgement = proposed(action, job, attempt, reported_outcome(own))
        notes = judgement_notes(judgement, link)
        told = self._tell(job, comment.result_comment(action, job, result, link, notes), result, own)
        brief = Brief.read(self.artifacts.get(brief_key(job)))
        if brief is not None and brief.status_comment is not None:
            is_draft = bool(link and judgement.sensitive)
            end = status.ended(action, job, result, link, is_draft=is_draft)
            self._show_end(job, brief.status_comment, end, attempt)
        if not (again and self._is_released(job)):
            left = self.signer.signed(job, kept_by_ticket(brief, job, result, told))
            self.issues.release(job, result.verdict.outcome, left)
        return self._close(job, result)

    def _ended_already(self, job: Job, record: JobRecord) -> None:
        """Nothing is told twice; but a poll that stood still may have written the claim anew: that is taken off."""
        self.events.info("job.ended_already", **job.log_fields())
        issue = self.issues.look(job.issue_key)
        if issue is not None and is_claimed_for(issue, job):
            left = self.signer.signed(job, Left(issue.latest, issue.unfinished))
            self.issues.release(job, Outcome(record.outcome or Outcome.FAILED), left)

    def _refuse(self, job: Job, issue: Issue) -> None:
        """Neither ticket nor job table knows the job any more: it has ended, or ForgedJob is raised."""
        claim = issue.claim or {}
        if claim.get("job_id") != job.job_id or "outcome" not in claim:
            raise ForgedJob
        self.events.info("job.ended_already", **job.log_fields())

    def _without_ticket(self, job: Job) -> JobResult:
        """What the job came to. It is published nowhere: the ticket is gone, hidden, or in another project.

        A moved issue answers to its old key, and nobody there asked for the job.
        """
        self.events.warning("issue.gone", **job.log_fields())
        stored = read_result(self.artifacts, job.job_id)
        return stored or JobResult(verdict=Verdict(outcome=Outcome.FAILED))

    def _is_released(self, job: Job) -> bool:
        """Whether an earlier delivery got that far: since then the issue may have been claimed for another job."""
        issue = self.issues.look(job.issue_key)
        return issue is not None and is_released(issue, job)

    def _show_end(self, job: Job, comment_id: str, text: str, attempt: int) -> None:
        """Edit the status comment; whatever refuses that for good must not keep the labels from being released."""
        try:
            self.comments.edit_comment(job.issue_key, comment_id, text)
        except OrchestratorError as error:
            if not is_final(error) and attempt <= MAX_ATTEMPTS:
                raise
            self.events.warning("status.not_shown", **job.log_fields(), error=str(error))

    def _proposed(
        self, action: Action | None, job: Job, attempt: int, told: Outcome | None
    ) -> tuple[JobResult, str, Judgement]:
        """The result after the pull request was tried, its URL, and how the change was judged.

        An end that the ticket was told of already is kept.
        """
        result, judgement = JobResult(verdict=Verdict(outcome=Outcome.FAILED)), Judgement()
        try:
            result = without_secrets(self._stored(job), self.judge.scanner.redact)
            result, judgement = self._judged(action, result)
            if told not in {None, Outcome.SUCCEEDED}:
                return as_reported(result, told), "", judgement
            return result, self._published(action, job, result, judgement), judgement
        except Exception as error:
            if isinstance(error, NewerFormat) or (not is_final(error) and attempt < MAX_ATTEMPTS):
                raise
            if not isinstance(error, OrchestratorError):
                self.events.warning("job.crashed", **job.log_fields(), error=type(error).__name__)
            if told is not None:
                return as_reported(result, told), "", judgement
            return not_published(result, words_for_the_ticket(error, attempt)), "", judgement

    def _judged(self, action: Action | None, result: JobResult) -> tuple[JobResult, Judgement]:
        """The result, blocked where its change is: the worker decided so too, but here its word does not count."""
        outcome = result.verdict.outcome
        makes_change = action is not None and action.produces is Produces.PULL_REQUEST
        if not makes_change or not result.changeset or outcome not in {Outcome.SUCCEEDED, Outcome.BLOCKED}:
            return result, Judgement()
        judgement = self.judge(result.changeset)
        if not judgement.reason or (outcome is Outcome.BLOCKED and not judgement.holds_secret):
            return result, Judgement() if outcome is Outcome.BLOCKED else judgement
        verdict = Verdict(outcome=Outcome.BLOCKED, reason=judgement.reason)
        # Where the change is kept is not said of one that holds a secret: nobody is to publish it by hand.
        kept = None if judgement.holds_secret else result.changeset
        return result.model_copy(update={"changeset": kept, "verdict": verdict}), judgement

    def _stored(self, job: Job) -> JobResult:
        stored = read_whole_result(self.artifacts, job.job_id)
        if stored is None:
            raise JobFailed(
                "What the agent did is no longer stored, or cannot be read. It is missing, damaged or too large."
            )
        return stored

    def _published(self, action: Action | None, job: Job, result: JobResult, judgement: Judgement) -> str:
        """The address of what GitHub holds of the result; empty where nothing belongs there."""
        if action is None or result.verdict.outcome is not Outcome.SUCCEEDED:
            return ""
        match action.produces:
            case Produces.PULL_REQUEST:
                return self.pull_requests.propose(self._proposal(action, job, result, judgement))
            case Produces.REVIEW:
                return self.pull_requests.post_review(self._review(action, job, result))
            case Produces.COMMENT:
                return ""

    def _review(self, action: Action, job: Job, result: JobResult) -> ReviewPost:
        if result.subject is None:
            raise JobFailed("The stored result does not say which pull request it reviews.")
        ground = self.pull_requests.review_ground(result.subject.number)
        url = self.issues.issue_url(job.issue_key)
        found = findings_of(result.report)
        said = comment.review_introduction(action, job, result, url)
        return ReviewPost(
            job=job,
            number=result.subject.number,
            head_sha=result.subject.head_sha,
            review=compose(said, found, ground.lines, ground.standing, self.judge.protected),
            request_changes=self.may_request_changes
            and (result.report or {}).get("verdict") == "request_changes",
        )

    def _proposal(self, action: Action, job: Job, result: JobResult, judgement: Judgement) -> Proposal:
        if result.branch is None or result.changeset is None:
            raise JobFailed("The stored result holds no change to publish.")
        if not action.owns_branch(result.branch, job.issue_key):
            raise JobFailed("The stored result names a branch that is none of this ticket's.")
        said = comment.pull_request_body(action, job, result, self.issues.issue_url(job.issue_key))
        parts = (opening(judgement.sensitive), judgement.everyday, *said)
        return Proposal(
            job=job,
            branch=result.branch,
            changeset=result.changeset,
            title=comment.pull_request_title(action, job, result),
            body=tuple(filter(None, parts)),
            draft=bool(judgement.sensitive),
        )

    def _tell(self, job: Job, markdown: str, result: JobResult, own: Mapping[int, OwnComment]) -> str:
        """Post the parts that are not there yet; the id of the first."""
        mark = OwnComment(job.job_id, job.action, 0, result.verdict.outcome)
        ids = {part: one.id for part, one in own.items()}
        whole = cut(markdown, LONGEST_RESULT, "the artifact store")
        try:
            for part, text in enumerate(split_markdown(whole, COMMENT_LIMIT)):
                if part not in ids:
                    ids[part] = self.comments.comment(job.issue_key, text, replace(mark, part=part))
        except NotFoundError:
            self.events.warning("issue.gone", **job.log_fields())
        return ids.get(0, "")

    def _own(self, job: Job) -> dict[int, OwnComment]:
        """The comments that earlier deliveries have left; none where the issue is gone."""
        with suppress(NotFoundError):
            own = self.comments.own_comments(job.issue_key)
            return {one.part: one for one in own if one.job_id == job.job_id}
        return {}

    def _close(self, job: Job, result: JobResult) -> None:
        outcome = result.verdict.outcome
        self.jobs.end(job, outcome, result.cost_usd)
        self.events.info(
            "job.ended",
            **job.log_fields(),
            outcome=outcome,
            sandbox=result.sandbox,
            duration_ms=result.duration_ms,
            cost_usd=result.cost_usd,
        )
