"""End a job a person does not want any more: at once if no worker is at it, else its worker stops the agent."""

from dataclasses import dataclass

from orchestrator.domain.job import JobRecord
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.ports import ArtifactStore, Clock, Events, JobSender, JobStore
from orchestrator.usecases.stored_results import store_result

LABEL_TAKEN_OFF = "Somebody took `ai-processing` off the ticket."
BY_COMMAND = "Somebody cancelled it."


@dataclass(frozen=True)
class CancelJob:
    """What poll and `alm cancel` do. Done twice, it does no more than done once."""

    jobs: JobStore
    artifacts: ArtifactStore
    results: JobSender
    clock: Clock
    events: Events

    def __call__(self, record: JobRecord, why: str) -> bool:
        """Whether there was anything left to end.

        The wish is recorded first: a worker that takes the job from now on, or is at it, ends it by itself.
        """
        job = record.job
        if not self.jobs.ask_to_cancel(job):
            return False
        if not record.is_attended(self.clock.time()):
            store_result(self.artifacts, job.job_id, cancelled(why))
            self.results.send(job)
        if not record.cancel_asked:
            self.events.info("job.cancelled", **job.log_fields(), state=record.state, why=why)
        return True


def cancelled(why: str) -> JobResult:
    """The end of a job that no agent was at work for."""
    return JobResult(verdict=Verdict(outcome=Outcome.CANCELLED, reason=f"{why} Nothing more was run."))
