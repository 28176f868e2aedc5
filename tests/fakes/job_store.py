"""The job table as a dictionary."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.faults import Faults

from orchestrator.domain.job import Job, JobRecord, JobState
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.wall import Probe
from orchestrator.ports import JobStore


@dataclass
class FakeJobStore:
    """Records by job id."""

    records: dict[str, JobRecord] = field(default_factory=dict)
    now: float = 1_000.0
    held: dict[str, float] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)

    def get(self, job_id: str) -> JobRecord | None:
        self.faults.strike("get")
        return self.records.get(job_id)

    def hold(self, job: Job, seconds: int) -> bool:
        self.faults.strike("hold")
        if job.job_id in self.records or self.held.get(job.job_id, self.now) > self.now:
            return False
        self.held[job.job_id] = self.now + seconds
        return True

    def create(self, job: Job, status_comment: str | None) -> bool:
        self.faults.strike("create")
        known = self.records.get(job.job_id)
        if known is not None and "status_comment" in known.model_fields_set:
            return False
        record = known or JobRecord(job_id=job.job_id, state=JobState.QUEUED)
        self._change(record, status_comment=status_comment, queued_at=self.now)
        return True

    def start(self, job: Job, attempt: int) -> bool:
        self.faults.strike("start")
        record = self.records.get(job.job_id)
        if record is not None and record.state is JobState.ENDED:
            return False
        record = record or JobRecord(job_id=job.job_id, state=JobState.RUNNING)
        self._change(record, state=JobState.RUNNING, attempt=attempt, started_at=self.now)
        return True

    def progress(self, job: Job, phase: str) -> None:
        self.faults.strike("progress")
        self._change_known(job, phase=phase)

    def walls_tried(self, job: Job, probes: tuple[Probe, ...]) -> None:
        self.faults.strike("walls_tried")
        self._change_known(job, probes=probes)

    def spent(self, job: Job, run: str, cost_usd: float) -> None:
        self.faults.strike("spent")
        if job.job_id in self.records:
            known = self.records[job.job_id]
            self._change(known, costs={**known.costs, run: cost_usd})

    def status_shown(self, job: Job) -> None:
        self.faults.strike("status_shown")
        self._change_known(job, status_at=self.now)

    def end(self, job: Job, outcome: Outcome, cost_usd: float | None) -> None:
        self.faults.strike("end")
        self._change(self._known(job), state=JobState.ENDED, outcome=outcome.value, cost_usd=cost_usd)

    def _known(self, job: Job) -> JobRecord:
        return self.records.get(job.job_id) or JobRecord(job_id=job.job_id, state=JobState.QUEUED)

    def _change_known(self, job: Job, **changes: object) -> None:
        if job.job_id in self.records:
            self._change(self.records[job.job_id], **changes)

    def _change(self, record: JobRecord, **changes: object) -> None:
        self.records[record.job_id] = record.model_copy(update=changes)


if TYPE_CHECKING:
    _store: JobStore = FakeJobStore()
