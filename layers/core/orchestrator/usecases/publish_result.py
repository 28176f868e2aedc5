"""Tell the ticket how its job ended: pull request first, then the comment, then the labels."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from orchestrator.domain import comment, status
from orchestrator.domain.action import Action, Catalogue, Produces
from orchestrator.domain.comment_text import split_markdown
from orchestrator.domain.issue import (
    RESERVED_ACTIONS,
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
    PastResult,
    Unfinished,
    brief_key,
)
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.domain.redaction import without_secrets
from orchestrator.domain.review import compose, findings_of
from orchestrator.domain.sensitive import draft_note, opening
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
from orchestrator.usecases.sign_jobs import SignJobs
from orchestrator.usecases.stored_results import read_result, read_whole_result

# Jira takes 32,767 characters; what a Markdown character becomes in its own count is not documented.
COMMENT_LIMIT = 24_000


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
        again = _was_begun(record, attempt)
        # From here on a poll leaves the status comment alone: its edit could come after our last one.
        self.jobs.progress(job, status.PUBLISHING)
        own = self._own(job) if again else {}
        action = self.catalogue.named(job.action)
        result, link, judgement = self._proposed(action, job, attempt, _told(own))
        notes = _notes(judgement, link)
        told = self._tell(job, comment.result_comment(action, job, result, link, notes), result, own)
        brief = Brief.read(self.artifacts.get(brief_key(job)))
        if brief is not None and brief.status_comment is not None:
            is_draft = bool(link and judgement.sensitive)
            end = status.ended(action, job, result, link, is_draft=is_draft)
            self._show_end(job, brief.status_comment, end, attempt)
        if not (again and self._is_released(job)):
            left = self.signer.signed(job, _left(brief, job, result, told))
            self.issues.release(job, result.verdict.outcome, left)
        return self._close(job, result)

    def _ended_already(self, job: Job, record: JobRecord) -> None:
        """Nothing is told twice; but a poll that stood still may have written the claim anew: that is taken off."""
        self.events.info("job.ended_already", **job.log_fields())
        issue = self.issues.read(job.issue_key)
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
        issue = self.issues.read(job.issue_key)
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
                return _as_told(result, told), "", judgement
            return result, self._published(action, job, result, judgement), judgement
        except Exception as error:
            if isinstance(error, NewerFormat) or (not is_final(error) and attempt < MAX_ATTEMPTS):
                raise
            if not isinstance(error, OrchestratorError):
                self.events.warning("job.crashed", **job.log_fields(), error=type(error).__name__)
            if told is not None:
                return _as_told(result, told), "", judgement
            return _unpublished(result, words_for_the_ticket(error, attempt)), "", judgement

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
        try:
            for part, text in enumerate(split_markdown(markdown, COMMENT_LIMIT)):
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


def _was_begun(record: JobRecord | None, attempt: int) -> bool:
    """Whether something may have been told, or the claim be another job's by now: then it is looked at first.

    Dead letters brought back are counted from 1 again; a job claimed before may have a past that no record tells.
    """
    if attempt > 1 or record is None:
        return True
    return record.phase == status.PUBLISHING or record.resumed or record.cancel_asked or record.sends > 0


def _notes(judgement: Judgement, link: str) -> str:
    """What the ticket is told of the judgement, beside a reason not to publish, which says it itself."""
    if judgement.reason:
        return ""
    return "\n\n".join(filter(None, (draft_note(judgement.sensitive) if link else "", *judgement.notes)))


def _left(brief: Brief | None, job: Job, result: JobResult, told: str) -> Left:
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


def _told(own: Mapping[int, OwnComment]) -> Outcome | None:
    """The end that the ticket was told of; None if nothing that can be understood stands there."""
    return next((one for one in Outcome if 0 in own and own[0].outcome == one), None)


def _as_told(result: JobResult, told: Outcome | None) -> JobResult:
    """The same run with the end that was told: the comment stands, and all else has to fit to it."""
    if told is None or result.verdict.outcome is told:
        return result
    return result.model_copy(update={"verdict": Verdict(outcome=told)})


def _unpublished(result: JobResult, reason: str) -> JobResult:
    """The same run, but what it made could not be published."""
    return result.model_copy(update={"verdict": Verdict(outcome=Outcome.FAILED, reason=reason)})
