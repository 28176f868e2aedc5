"""Sign what the poll decides, and accept nothing that it did not decide."""

from dataclasses import dataclass, replace

from orchestrator.domain.issue import Issue, Left, claimed_job
from orchestrator.domain.job import Job, Unfinished
from orchestrator.domain.signature import (
    VALID_S,
    Purpose,
    is_signed,
    job_facts,
    latest_facts,
    project_of,
    signature,
    unfinished_facts,
)
from orchestrator.ports import Clock, SigningKeys


@dataclass(frozen=True)
class SignJobs:
    """Signs and verifies jobs of one Jira project, and what their tickets keep of them."""

    project_key: str
    keys: SigningKeys
    clock: Clock

    def sign(self, job: Job) -> Job:
        """The job with its signature."""
        return job.model_copy(update={"signature": self._signature(Purpose.JOB, job_facts(job))})

    def is_genuine(self, job: Job) -> bool:
        """Whether the poll made this job, for this project, and not so long ago that its record is gone."""
        return (
            project_of(job.issue_key) == self.project_key
            and self.clock.time() - job.claimed_at < VALID_S
            and self._is_signed(job.signature, Purpose.JOB, job_facts(job))
        )

    def signed(self, job: Job, left: Left) -> Left:
        """What the job's ticket keeps, each part with its signature."""
        latest = {
            action: past.model_copy(update={"signature": self._signature(Purpose.LATEST, facts)})
            for action, past in left.latest.items()
            for facts in [latest_facts(job.issue_id, self.project_key, action, past)]
        }
        unfinished = left.unfinished
        if unfinished is not None:
            facts = unfinished_facts(job.issue_id, self.project_key, unfinished)
            signed = self._signature(Purpose.UNFINISHED, facts)
            unfinished = unfinished.model_copy(update={"signature": signed})
        return Left(latest, unfinished)

    def vouch(self, issue: Issue) -> Issue | None:
        """The issue without properties that the service did not sign for it; None if it is in another project."""
        if project_of(issue.key) != self.project_key:
            return None
        return replace(
            issue,
            claim=self._claim(issue),
            latest={
                action: past
                for action, past in issue.latest.items()
                if self._is_signed(
                    past.signature, Purpose.LATEST, latest_facts(issue.id, self.project_key, action, past)
                )
            },
            unfinished=self._unfinished(issue),
        )

    def _claim(self, issue: Issue) -> dict[str, object] | None:
        """The claim as it was read. One that names a job must name a genuine one of this very issue."""
        job = claimed_job(issue)
        is_foreign = job is not None and not self.is_genuine(job)
        return None if is_foreign else issue.claim

    def _unfinished(self, issue: Issue) -> Unfinished | None:
        found = issue.unfinished
        if found is None:
            return None
        facts = unfinished_facts(issue.id, self.project_key, found)
        return found if self._is_signed(found.signature, Purpose.UNFINISHED, facts) else None

    def _signature(self, purpose: Purpose, facts: tuple[object, ...]) -> str:
        return signature(self.keys.known()[0], purpose, facts)

    def _is_signed(self, signed: str, purpose: Purpose, facts: tuple[object, ...]) -> bool:
        """By a key known here, or by one that was made since: a rotation must not cost jobs under way."""
        if not signed:
            return False
        return is_signed(self.keys.known(), signed, purpose, facts) or is_signed(
            self.keys.fetched(), signed, purpose, facts
        )
