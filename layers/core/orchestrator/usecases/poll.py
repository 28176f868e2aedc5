"""Find labelled issues, claim them, put their jobs on the queue, and see that workers start.

One search and one look at the queue where there is nothing to do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orchestrator.domain import status
from orchestrator.domain.action import Action, Catalogue
from orchestrator.domain.issue import Claim, Issue, Leave, OwnComment, Resume, decide
from orchestrator.domain.job import (
    PROCESSING_LABEL,
    Brief,
    Job,
    JobRecord,
    JobState,
    brief_key,
    result_key,
)
from orchestrator.domain.jql import labelled_issues
from orchestrator.domain.outcome import JobResult, Verdict
from orchestrator.errors import ConfigError, OrchestratorError, words_for_the_log
from orchestrator.ports import ArtifactStore, Clock, Commenter, Events, IssueReader, JobSender, JobStore
from orchestrator.usecases.brief_job import BriefJob
from orchestrator.usecases.unusable import tell_unusable

# Long enough for two polls that start together, short enough for the next one to go on where this one died.
HELD_S = 45


@dataclass(frozen=True)
class PollReport:
    """What one poll did."""

    claimed: tuple[Job, ...] = ()
    resumed: tuple[Job, ...] = ()
    failed: tuple[str, ...] = ()
    unusable: str = ""


@dataclass(frozen=True)
class Poll:
    """One look at the tracker. `launch` starts workers where the deployment leaves that to the poll."""

    issues: IssueReader
    comments: Commenter
    jobs: JobStore
    queue: JobSender
    results: JobSender
    artifacts: ArtifactStore
    brief: BriefJob
    catalogue: Catalogue
    project_key: str
    clock: Clock
    events: Events
    launch: Callable[[], None] = lambda: None

    def __call__(self) -> PollReport:
        """Claim or bring back every issue that asks for it; one that fails does not stop the others."""
        try:
            return self._claims()
        finally:
            # Whatever became of the tracker: jobs of earlier polls may wait for a worker that never came.
            self.launch()

    def _claims(self) -> PollReport:
        claimed, resumed, failed = [], [], []
        ages = [0.0]
        for seen in self.candidates(ages):
            try:
                done = self._take(seen.key)
            except ConfigError:
                raise  # every issue would meet it
            except Exception as error:  # noqa: BLE001  # one odd issue would starve all younger ones for good
                failed.append(seen.key)
                self.events.warning("claim.failed", issue_key=seen.key, error=words_for_the_log(error))
                self.events.metric("PollErrors", 1)
                continue
            if isinstance(done, Claim):
                claimed.append(done.job)
            elif isinstance(done, Resume):
                resumed.append(done.job)
        self.events.metric("OldestJobSeconds", max(ages))
        return PollReport(tuple(claimed), tuple(resumed), tuple(failed))

    def candidates(self, ages: list[float]) -> Iterator[Issue]:
        """The issues the index shows with something to do for us.

        Those under way get their status shown, and their age in seconds goes into `ages`.
        """
        jql = labelled_issues(self.project_key, (*self.catalogue.labels, PROCESSING_LABEL))
        for seen in self.issues.search(jql):
            decision = decide(seen, self.catalogue)
            record = self.jobs.get(decision.job.job_id) if isinstance(decision, Resume) else None
            if isinstance(decision, Resume) and record is not None and record.state is not JobState.ENDED:
                ages.append(record.age_s(self.clock.time()))
                self._show(decision.job, record)
            elif not isinstance(decision, Leave):
                yield seen

    def _show(self, job: Job, record: JobRecord) -> None:
        """Tell the status comment how far the job is; one that fails is made good by the next poll."""
        now = self.clock.time()
        if record.status_comment is None or not status.is_due(record, now):
            return
        text = status.running(self.catalogue.named(job.action), job, record, now)
        try:
            self.comments.edit_comment(job.issue_key, record.status_comment, text)
            self.jobs.status_shown(job)
        except OrchestratorError as error:
            self.events.warning("status.not_shown", **job.log_fields(), error=str(error))

    def _take(self, key: str) -> Claim | Resume | Leave:
        # The index lags behind: only the issue itself says what is asked for now.
        issue = self.issues.read(key)
        decision = Leave("it is gone") if issue is None else decide(issue, self.catalogue)
        if issue is None or isinstance(decision, Leave):
            return self._left(key, decision)
        if isinstance(decision, Resume) and (record := self.jobs.get(decision.job.job_id)) is not None:
            return self._known(decision, record)
        if not self.jobs.hold(decision.job, HELD_S):
            return self._left(key, Leave("another poll is at it"))
        if isinstance(decision, Claim):
            self.issues.claim(decision.job)
        self._enqueue(issue, decision)
        resumed = isinstance(decision, Resume)
        self.events.info("job.queued", **decision.job.log_fields(), resumed=resumed)
        return decision

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
        job = decision.job
        action = self.catalogue.named(job.action)
        brief, rejection = self.brief(issue, action)
        if rejection is not None:
            self._reject(job, brief, rejection)
            return
        comment = self._status_comment(job, action, is_new=isinstance(decision, Claim))
        self._store(job, brief.model_copy(update={"status_comment": comment}))
        self.queue.send(job)
        self.jobs.create(job, comment)

    def _store(self, job: Job, brief: Brief) -> None:
        self.artifacts.put(brief_key(job), brief.model_dump_json().encode())

    def _reject(self, job: Job, brief: Brief, rejection: Verdict) -> None:
        """Straight to the publisher; it ends in seconds, so there is no status to show."""
        self._store(job, brief)
        rejected = JobResult(verdict=rejection, summary=brief.summary)
        self.artifacts.put(result_key(job.job_id), rejected.model_dump_json().encode())
        self.results.send(job)
        self.jobs.create(job, None)

    def _status_comment(self, job: Job, action: Action | None, *, is_new: bool) -> str:
        known = None if is_new else self._known_status_comment(job)
        mark = OwnComment(job_id=job.job_id, action=job.action, part=status.STATUS_PART, outcome="")
        return known or self.comments.comment(job.issue_key, status.queued(action, job), mark)

    def _known_status_comment(self, job: Job) -> str | None:
        """The comment an earlier poll made before it died."""
        own = self.comments.own_comments(job.issue_key)
        ours = (one for one in own if one.job_id == job.job_id and one.part == status.STATUS_PART)
        return next((one.id for one in ours), None)


def poll_once(make: Callable[[], Poll], events: Events) -> PollReport:
    """One poll, told and counted if it fails. What only a person can mend is answered, not raised."""
    try:
        return make()()
    except ConfigError as error:
        tell_unusable(error, events)
        events.metric("PollErrors", 1)
        return PollReport(unusable=str(error))
    except Exception as error:
        events.warning("poll.failed", error=words_for_the_log(error))
        events.metric("PollErrors", 1)
        raise
