"""The job table as a dictionary, with its accounts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.faults import Faults

from orchestrator.domain.job import Job, JobRecord, JobState, Start, Wait
from orchestrator.domain.money import TICKET_KEPT_S, Account, Limits, Reservation, Shortage, end_of
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.wall import Probe
from orchestrator.ports import Accounts, JobStore


@dataclass
class FakeJobStore:
    """Records by job id, accounts by kind and whose they are."""

    records: dict[str, JobRecord] = field(default_factory=dict)
    now: float = 1_000.0
    held: dict[str, float] = field(default_factory=dict)
    accounts: dict[tuple[Account, str], float] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)

    def get(self, job_id: str) -> JobRecord | None:
        self.faults.strike("get")
        return self.records.get(job_id)

    def active(self) -> Iterator[JobRecord]:
        self.faults.strike("active")
        yield from [one for one in self.records.values() if one.state is not JobState.ENDED]

    def hold(self, job: Job, seconds: int) -> bool:
        self.faults.strike("hold")
        if job.job_id in self.records or self.held.get(job.job_id, self.now) > self.now:
            return False
        self.held[job.job_id] = self.now + seconds
        return True

    def create(self, job: Job, status_comment: str | None, *, resumed: bool = False) -> bool:
        self.faults.strike("create")
        known = self.records.get(job.job_id)
        if known is not None and "status_comment" in known.model_fields_set:
            return False
        record = known or _new(job, JobState.QUEUED)
        self._change(
            record, status_comment=status_comment, queued_at=self.now, seen_at=self.now, resumed=resumed
        )
        return True

    def start(self, job: Job, attempt: int) -> Start:
        self.faults.strike("start")
        record = self.records.get(job.job_id) or _new(job, JobState.RUNNING, resumed=True)
        if record.state is JobState.ENDED:
            return Start.ENDED
        running = {"state": JobState.RUNNING, "attempt": attempt, "started_at": self.now}
        self._change(record, **running, seen_at=self.now, dead_letter="")
        return Start.CANCELLED if record.cancel_asked else Start.GO

    def alive(self, job: Job) -> bool:
        self.faults.strike("alive")
        self._change_active(job, seen_at=self.now)
        record = self.records.get(job.job_id)
        return record is not None and (record.cancel_asked or record.state is JobState.ENDED)

    def progress(self, job: Job, phase: str) -> None:
        self.faults.strike("progress")
        self._change_known(job, phase=phase, seen_at=self.now, dead_letter="")

    def walls_tried(self, job: Job, probes: tuple[Probe, ...]) -> None:
        self.faults.strike("walls_tried")
        self._change_known(job, probes=probes)

    def status_shown(self, job: Job) -> None:
        self.faults.strike("status_shown")
        self._change_known(job, status_at=self.now)

    def park(self, job: Job, wait: Wait) -> None:
        self.faults.strike("park")
        until = {"wait_for": wait.account, "wait_until": wait.until}
        self._change_active(job, state=JobState.WAITING, **until, seen_at=self.now)

    def requeue(self, record: JobRecord) -> int | None:
        self.faults.strike("requeue")
        known = self.records[record.job_id]
        if (known.state, known.seen_at) != (record.state, record.seen_at):
            return None
        self._change(known, state=JobState.QUEUED, sends=record.sends + 1, seen_at=self.now)
        return record.sends + 1

    def ask_to_cancel(self, job: Job) -> bool:
        self.faults.strike("ask_to_cancel")
        return self._change_active(job, cancel_asked=True)

    def give_up(self, job: Job, queue: str) -> None:
        self.faults.strike("give_up")
        self._change_active(job, dead_letter=queue, seen_at=self.now)

    def end(self, job: Job, outcome: Outcome, cost_usd: float | None) -> None:
        self.faults.strike("end")
        known = self.records.get(job.job_id) or _new(job, JobState.QUEUED)
        ended = {"state": JobState.ENDED, "outcome": outcome.value, "cost_usd": cost_usd}
        self._change(known, **ended, dead_letter="")

    def reserve(self, job: Job, reservation: Reservation, limits: Limits) -> Shortage | None:
        self.faults.strike("reserve")
        record = self.records.get(job.job_id)
        if record is None or reservation.run in record.costs:
            return None
        whose = {Account.TICKET: job.issue_id, Account.DAY: reservation.day}
        for account, of in whose.items():
            spent = self.accounts.get((account, of), 0.0)
            if round(spent + reservation.amount_usd, 6) > limits.of(account):
                resets = self.now + TICKET_KEPT_S if account is Account.TICKET else end_of(reservation.day)
                return Shortage(account, reservation.amount_usd, limits.of(account), spent, resets)
        self._charge(job, reservation, reservation.amount_usd, reservation.amount_usd)
        return None

    def settle(self, job: Job, reservation: Reservation, cost_usd: float) -> None:
        self.faults.strike("settle")
        record = self.records.get(job.job_id)
        if record is not None and record.costs.get(reservation.run) == reservation.amount_usd:
            self._charge(job, reservation, cost_usd, cost_usd - reservation.amount_usd)

    def _charge(self, job: Job, reservation: Reservation, cost_usd: float, more_usd: float) -> None:
        known = self.records[job.job_id]
        self._change(known, costs={**known.costs, reservation.run: cost_usd})
        for key in ((Account.TICKET, job.issue_id), (Account.DAY, reservation.day)):
            self.accounts[key] = round(self.accounts.get(key, 0.0) + more_usd, 6)

    def _change_active(self, job: Job, **changes: object) -> bool:
        known = self.records.get(job.job_id)
        if known is None or known.state is JobState.ENDED:
            return False
        self._change(known, **changes)
        return True

    def _change_known(self, job: Job, **changes: object) -> None:
        if job.job_id in self.records:
            self._change(self.records[job.job_id], **changes)

    def _change(self, record: JobRecord, **changes: object) -> None:
        self.records[record.job_id] = record.model_copy(update=changes)


def _new(job: Job, state: JobState, *, resumed: bool = False) -> JobRecord:
    return JobRecord(**job.model_dump(), state=state, resumed=resumed)


if TYPE_CHECKING:
    _store: JobStore = FakeJobStore()
    _accounts: Accounts = FakeJobStore()
