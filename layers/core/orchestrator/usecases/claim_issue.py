"""Take one issue that asks for something: claim it, or bring its claimed job back; then put the job on its way."""

from dataclasses import dataclass, replace

from orchestrator.domain import status
from orchestrator.domain.action import Action, Catalogue
from orchestrator.domain.issue import Claim, Issue, Leave, OwnComment, Resume, claimed_job, decide
from orchestrator.domain.job import Brief, Job, JobRecord, JobState, brief_key
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.ports import ArtifactStore, Clock, Commenter, Events, IssueReader, JobSender, JobStore
from orchestrator.usecases.brief_job import BriefJob
from orchestrator.usecases.cancel_job import LABEL_TAKEN_OFF, CancelJob
from orchestrator.usecases.sign_jobs import SignJobs
from orchestrator.usecases.stored_results import store_result

# Long enough for two polls that start together, short enough for the next one to go on where this one died.
HELD_S = 45
SET_ASIDE = Verdict(
    outcome=Outcome.FAILED,
    reason=(
        "The orchestrator tried twice to read this ticket, and each time the attempt took too long or ended its "
        "process. So that other tickets do not wait for this one, it was set aside and nothing was run. Shorten or "
        "simplify the description and the comments; long runs of the same character are a likely cause."
    ),
)


@dataclass(frozen=True)
class ClaimIssue:
    """What a poll does with one issue."""

    issues: IssueReader
    comments: Commenter
    jobs: JobStore
    queue: JobSender
    results: JobSender
    artifacts: ArtifactStore
    brief: BriefJob
    cancel: CancelJob
    catalogue: Catalogue
    signer: SignJobs
    clock: Clock
    events: Events

    def asked(self, seen: Issue) -> Claim | Resume | Leave:
        """What the issue asks for, as far as the index shows it."""
        return decide(seen, self.catalogue, self.clock.time())

    def __call__(self, key: str) -> Claim | Resume | Leave:
        """What was done about it. The index lags behind: only the issue itself says what is asked for now."""
        return self._taken(key, self.issues.read(key))

    def set_aside(self, key: str) -> Claim | Resume | Leave:
        """Claim the issue only to report that it cannot be read, without reading its text."""
        return self._taken(key, self.issues.look(key), SET_ASIDE)

    def _taken(self, key: str, issue: Issue | None, verdict: Verdict | None = None) -> Claim | Resume | Leave:
        decision = Leave("it is gone") if issue is None else self.asked(issue)
        if isinstance(decision, Claim | Resume) and verdict is not None:
            decision = replace(decision, verdict=decision.verdict or verdict)
        if issue is None or isinstance(decision, Leave):
            return self._left(key, decision)
        if isinstance(decision, Resume) and (record := self.jobs.get(decision.job.job_id)) is not None:
            return self._known(decision, record)
        if not self.jobs.hold(decision.job, HELD_S):
            return self._left(key, Leave("another poll is at it"))
        if isinstance(decision, Claim):
            decision = replace(decision, job=self.signer.sign(decision.job))
            self._end_earlier(issue)
            self.issues.claim(decision.job, decision.takes_off)
        self._enqueue(issue, decision)
        resumed = isinstance(decision, Resume)
        self.events.info("job.queued", **decision.job.log_fields(), resumed=resumed)
        return decision

    def _end_earlier(self, issue: Issue) -> None:
        """A person took the label off and asked anew before any look saw that: the old claim is overwritten now."""
        earlier = claimed_job(issue)
        record = None if earlier is None else self.jobs.get(earlier.job_id)
        if record is not None:
            self.cancel(record, LABEL_TAKEN_OFF)

    def _known(self, decision: Resume, record: JobRecord) -> Resume | Leave:
        """A job that has ended and is claimed still: the publisher, who may release it, looks at it again."""
        if record.state is not JobState.ENDED:
            return self._left(decision.job.issue_key, Leave("its job is known"))
        self.results.send(decision.job)
        self.events.warning("claim.outlived", **decision.job.log_fields())
        return decision

    def _left(self, key: str, decision: Claim | Resume | Leave) -> Leave:
        leave = decision if isinstance(decision, Leave) else Leave("it needs nothing")
        self.events.info("issue.left", issue_key=key, reason=leave.reason)
        return leave

    def _enqueue(self, issue: Issue, decision: Claim | Resume) -> None:
        """The job record comes last: a job that is known is a job that was sent."""
        job, is_new = decision.job, isinstance(decision, Claim)
        action = self.catalogue.named(job.action)
        told = decision.verdict
        brief, rejection = self.brief(issue, action) if told is None else (self.brief.bare(issue), told)
        if rejection is not None:
            self._reject(job, brief, rejection, is_new=is_new)
            return
        comment = self._status_comment(job, action, is_new=is_new)
        self._store(job, brief.model_copy(update={"status_comment": comment}))
        self.queue.send(job)
        self.jobs.create(job, comment, resumed=not is_new)

    def _store(self, job: Job, brief: Brief) -> None:
        self.artifacts.put(brief_key(job), brief.model_dump_json().encode())

    def _reject(self, job: Job, brief: Brief, rejection: Verdict, *, is_new: bool) -> None:
        """Straight to the publisher; it ends in seconds, so no status comment is written for it."""
        # An earlier poll may have written one before it ended, which has to show the end too.
        comment = None if is_new else self._known_status_comment(job)
        self._store(job, brief.model_copy(update={"status_comment": comment}))
        rejected = JobResult(verdict=rejection, summary=brief.summary)
        # Of a job brought back there may be a result already: it was told, or will be.
        store_result(self.artifacts, job.job_id, rejected)
        self.results.send(job)
        self.jobs.create(job, comment, resumed=not is_new)

    def _status_comment(self, job: Job, action: Action | None, *, is_new: bool) -> str:
        known = None if is_new else self._known_status_comment(job)
        mark = OwnComment(job_id=job.job_id, action=job.action, part=status.STATUS_PART, outcome="")
        return known or self.comments.comment(job.issue_key, status.queued(action, job), mark)

    def _known_status_comment(self, job: Job) -> str | None:
        """The comment an earlier poll made before it died."""
        own = self.comments.own_comments(job.issue_key)
        ours = (one for one in own if one.job_id == job.job_id and one.part == status.STATUS_PART)
        return next((one.id for one in ours), None)
