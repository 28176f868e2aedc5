"""Find labelled issues, claim them, and put their jobs on the queue. One search where there is nothing to do."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.domain import adf, comment
from orchestrator.domain.action import Action, Catalogue
from orchestrator.domain.issue import Claim, Issue, Leave, OwnComment, Resume, decide
from orchestrator.domain.job import PROCESSING_LABEL, Brief, ContextResult, Job, brief_key, result_key
from orchestrator.domain.jql import labelled_issues
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.errors import ConfigError, OrchestratorError
from orchestrator.ports import ArtifactStore, Events, IssueReader, JobSender, JobStore


@dataclass(frozen=True)
class PollReport:
    """What one poll did."""

    claimed: tuple[Job, ...] = ()
    resumed: tuple[Job, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Poll:
    """One look at the tracker."""

    issues: IssueReader
    jobs: JobStore
    queue: JobSender
    results: JobSender
    artifacts: ArtifactStore
    catalogue: Catalogue
    project_key: str
    events: Events

    def __call__(self) -> PollReport:
        """Claim or bring back every issue that asks for it; one that fails does not stop the others."""
        claimed, resumed, failed = [], [], []
        for seen in self.candidates():
            try:
                done = self._take(seen.key)
            except ConfigError:
                raise  # every issue would meet it
            except Exception as error:  # noqa: BLE001  # one odd issue would starve all younger ones for good
                failed.append(seen.key)
                self.events.warning("claim.failed", issue_key=seen.key, error=_told(error))
                continue
            if isinstance(done, Claim):
                claimed.append(done.job)
            elif isinstance(done, Resume):
                resumed.append(done.job)
        return PollReport(tuple(claimed), tuple(resumed), tuple(failed))

    def candidates(self) -> Iterator[Issue]:
        """The issues the index shows with something to do for us."""
        jql = labelled_issues(self.project_key, (*self.catalogue.labels, PROCESSING_LABEL))
        return (seen for seen in self.issues.search(jql) if self._needs_work(decide(seen, self.catalogue)))

    def _needs_work(self, decision: Claim | Resume | Leave) -> bool:
        if isinstance(decision, Resume):
            return self.jobs.get(decision.job.job_id) is None
        return isinstance(decision, Claim)

    def _take(self, key: str) -> Claim | Resume | Leave:
        # The index lags behind: only the issue itself says what is asked for now.
        issue = self.issues.read(key)
        decision = Leave("it is gone") if issue is None else decide(issue, self.catalogue)
        if issue is None or not self._needs_work(decision):
            return self._left(key, decision)
        job = decision.job  # type: ignore[union-attr]  # _needs_work lets no Leave through
        if isinstance(decision, Claim):
            self.issues.claim(job)
        self._enqueue(issue, job)
        self.events.info("job.queued", **job.log_fields(), resumed=isinstance(decision, Resume))
        return decision

    def _left(self, key: str, decision: Claim | Resume | Leave) -> Leave:
        reason = decision.reason if isinstance(decision, Leave) else "its job is known"
        self.events.info("issue.left", issue_key=key, reason=reason)
        return Leave(reason)

    def _enqueue(self, issue: Issue, job: Job) -> None:
        """The job record comes last: a job that is known is a job that was sent."""
        action = self.catalogue.named(job.action)
        if action is None or action.accepts(issue.issue_type):
            brief = self._brief(issue, action)
            self.artifacts.put(brief_key(job), brief.model_dump_json().encode())
            self.queue.send(job)
        else:
            self.artifacts.put(result_key(job.job_id), _rejected(issue, action).model_dump_json().encode())
            self.results.send(job)
        self.jobs.create(job)

    def _brief(self, issue: Issue, action: Action | None) -> Brief:
        return Brief(
            issue_type=issue.issue_type,
            summary=issue.summary,
            description=adf.to_markdown(issue.description),
            url=self.issues.issue_url(issue.key),
            context=self._context(issue, action) if action and action.context else (),
        )

    def _context(self, issue: Issue, action: Action) -> tuple[ContextResult, ...]:
        """The latest successful result of each action this one builds on, in the front matter's order."""
        latest: dict[str, list[OwnComment]] = {}
        for own in self.issues.own_comments(issue.key):
            parts = latest.setdefault(own.action, []) if own.outcome == Outcome.SUCCEEDED else None
            if parts is not None and (not parts or own.job_id == parts[0].job_id):
                parts.append(own)
        known = ((self.catalogue.named(name), latest.get(name)) for name in action.context)
        return tuple(self._context_result(source, parts) for source, parts in known if source and parts)

    def _context_result(self, source: Action, parts: list[OwnComment]) -> ContextResult:
        stored = JobResult.read(self.artifacts.get(result_key(parts[0].job_id)))
        if stored is not None:
            text = comment.body(source, stored)
        else:
            text = "\n\n".join(part.text for part in sorted(parts, key=lambda part: part.part))
        return ContextResult(action=source.name, title=source.title, text=text)


def _told(error: Exception) -> str:
    # Others' messages may quote what they choked on.
    return str(error) if isinstance(error, OrchestratorError) else type(error).__name__


def _rejected(issue: Issue, action: Action) -> JobResult:
    reason = (
        f"`{action.label}` is for issues of type {' or '.join(action.issue_types)}; "
        f"this one is of type {issue.issue_type}. Nothing was run."
    )
    return JobResult(verdict=Verdict(outcome=Outcome.REJECTED, reason=reason), summary=issue.summary)
