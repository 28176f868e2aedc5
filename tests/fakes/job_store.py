"""The job table as a dictionary."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.faults import Faults

from orchestrator.domain.job import Job, JobRecord, JobState
from orchestrator.domain.outcome import Outcome
from orchestrator.ports import JobStore


@dataclass
class FakeJobStore:
    """Records by job id."""

    records: dict[str, JobRecord] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)

    def get(self, job_id: str) -> JobRecord | None:
        self.faults.strike("get")
        return self.records.get(job_id)

    def create(self, job: Job) -> bool:
        self.faults.strike("create")
        if job.job_id in self.records:
            return False
        self.records[job.job_id] = JobRecord(job_id=job.job_id, state=JobState.QUEUED)
        return True

    def start(self, job: Job, attempt: int) -> bool:
        self.faults.strike("start")
        record = self.records.get(job.job_id)
        if record is not None and record.state is JobState.ENDED:
            return False
        self.records[job.job_id] = JobRecord(job_id=job.job_id, state=JobState.RUNNING, attempt=attempt)
        return True

    def end(self, job: Job, outcome: Outcome, cost_usd: float | None) -> None:
        self.faults.strike("end")
        known = self.records.get(job.job_id) or JobRecord(job_id=job.job_id, state=JobState.QUEUED)
        ended = {"state": JobState.ENDED, "outcome": outcome.value, "cost_usd": cost_usd}
        self.records[job.job_id] = known.model_copy(update=ended)


if TYPE_CHECKING:
    _store: JobStore = FakeJobStore()
