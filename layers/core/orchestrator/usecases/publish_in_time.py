"""One result, limited in time. A result that stopped the publisher twice is reported by a fixed text."""

from dataclasses import dataclass

from orchestrator.domain.attempt import MOST_ATTEMPTS
from orchestrator.domain.job import MAX_ATTEMPTS, Job
from orchestrator.ports import Attempts, Events
from orchestrator.usecases.attempt_work import Allowance, AttemptWork
from orchestrator.usecases.publish_result import PublishResult

# Within the 120 s of the function. A large pull request takes half a minute; the search for secrets may take 45 s.
FOR_A_RESULT = Allowance(wall_s=90.0, cpu_s=60.0)


@dataclass(frozen=True)
class PublishInTime:
    """Publishes a result, or sets it aside: its ticket is told and its labels released without reading it."""

    publish: PublishResult
    attempts: Attempts
    attempt: AttemptWork
    events: Events

    def __call__(self, job: Job, attempt: int) -> None:
        """One delivery of the job's result; `attempt` counts from 1."""
        before = self._before(job) if attempt > 1 else 0
        # The last delivery is left to tell the ticket, so it takes no chances.
        if before >= MOST_ATTEMPTS or (before and attempt > MAX_ATTEMPTS):
            self._set_aside(job, attempt, before)
        else:
            self.attempt(job.job_id, before, FOR_A_RESULT, lambda: self.publish(job, attempt))

    def _before(self, job: Job) -> int:
        past = self.attempts.unfinished().get(job.job_id)
        return 0 if past is None else past.count

    def _set_aside(self, job: Job, attempt: int, before: int) -> None:
        self.events.warning("result.set_aside", **job.log_fields(), attempts=before)
        self.events.metric("PublishErrors", 1)
        self.attempt(job.job_id, before, FOR_A_RESULT, lambda: self.publish.set_aside(job, attempt))
