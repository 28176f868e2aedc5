"""Keep a job's record and money on behalf of its worker, which may write neither: each request is checked first."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

from orchestrator.domain.action import Catalogue
from orchestrator.domain.job import Brief, Job, Wait, brief_key
from orchestrator.domain.money import Limits, Reservation, day_of, day_of_run
from orchestrator.domain.tracking import (
    Access,
    KeepAlive,
    OpenArtifacts,
    ParkJob,
    ReportPhase,
    ReportProbes,
    ReserveMoney,
    SendResult,
    SettleMoney,
    StartJob,
    TrackAnswer,
    TrackCall,
)
from orchestrator.errors import JobFailed, TransientError
from orchestrator.ports import Accounts, ArtifactStore, Clock, Events, JobSender, JobStore
from orchestrator.usecases.sign_jobs import SignJobs

# A day's budget resets at midnight UTC, so no job waits longer than a day for it.
LONGEST_WAIT_S = 2 * 24 * 3600
# Worker and function have clocks of their own, and a run may start at midnight.
CLOCK_SKEW_S = 600
# A run may exceed its budget by one model call. No call of a model on sale costs more than this.
MOST_OVERSHOOT_USD = 25.0

# Credentials for the objects of a job; the second id is the job whose unfinished changes it continues, or empty.
type GrantAccess = Callable[[str, str], Access]


@dataclass(frozen=True)
class TrackJob:
    """What track_job does with one request of a worker."""

    signer: SignJobs
    jobs: JobStore
    accounts: Accounts
    results: JobSender
    artifacts: ArtifactStore
    grant: GrantAccess
    catalogue: Catalogue
    clock: Clock
    events: Events
    limits: Limits = field(default_factory=Limits)

    def __call__(self, call: TrackCall) -> TrackAnswer:
        """The answer. A job that the poll did not sign changes nothing."""
        if not self.signer.is_genuine(call.job):
            self.events.warning("job.forged", **call.job.log_fields(), request=call.request.do)
            self.events.metric("ForgedJobs", 1)
            return TrackAnswer(is_forged=True)
        try:
            return self._answer(call)
        except JobFailed as error:
            self.events.warning("request.refused", **call.job.log_fields(), request=call.request.do)
            return TrackAnswer(refused=str(error))
        except TransientError as error:
            return TrackAnswer(later=str(error))

    def _answer(self, call: TrackCall) -> TrackAnswer:
        job, request = call.job, call.request
        match request:
            case StartJob():
                return TrackAnswer(start=self.jobs.start(job, request.attempt))
            case KeepAlive():
                return TrackAnswer(stop=self.jobs.alive(job))
            case ReserveMoney():
                return self._reserve(job, request.run)
            case OpenArtifacts():
                return TrackAnswer(access=self.grant(job.job_id, self._continued(job)))
            case ReportPhase() | ReportProbes() | ParkJob() | SettleMoney() | SendResult():
                self._record(job, request)
                return TrackAnswer()
            case _:
                assert_never(request)

    def _record(
        self, job: Job, request: ReportPhase | ReportProbes | ParkJob | SettleMoney | SendResult
    ) -> None:
        match request:
            case ReportPhase():
                self.jobs.progress(job, request.phase)
            case ReportProbes():
                self.jobs.walls_tried(job, request.probes)
            case ParkJob():
                until = min(request.until, self.clock.time() + LONGEST_WAIT_S)
                self.jobs.park(job, Wait(request.account, until))
            case SettleMoney():
                self._settle(job, request)
            case SendResult():
                self.results.send(job)
            case _:
                assert_never(request)

    def _reserve(self, job: Job, run: str) -> TrackAnswer:
        """The amount and the limits are this function's own: a worker cannot choose them."""
        now = self.clock.time()
        if day_of_run(run) not in {day_of(now - CLOCK_SKEW_S), day_of(now + CLOCK_SKEW_S)}:
            raise JobFailed("Money can be set aside only for the present UTC day.")
        shortage = self.accounts.reserve(job, self._reservation(job, run), self.limits)
        waits = shortage is not None and shortage.waits(self.limits)
        return TrackAnswer(shortage=shortage, waits=waits)

    def _settle(self, job: Job, request: SettleMoney) -> None:
        """A false cost can change this job's accounts only, and by no more than a real run could."""
        reservation = self._reservation(job, request.run)
        cost_usd = min(request.cost_usd, reservation.amount_usd + MOST_OVERSHOOT_USD)
        self.accounts.settle(job, reservation, cost_usd)

    def _reservation(self, job: Job, run: str) -> Reservation:
        action = self.catalogue.named(job.action)
        if action is None:
            raise JobFailed(f"This deployment has no action `{job.action}`.")
        return Reservation(run, action.budget_usd, day_of_run(run))

    def _continued(self, job: Job) -> str:
        """The job whose unfinished changes this one may continue, by the brief that the poll wrote; else empty."""
        brief = Brief.read(self.artifacts.get(brief_key(job)))
        past = None if brief is None else brief.unfinished
        is_own = past is not None and past.draft and past.belongs_to(job.issue_key)
        return past.job_id if past is not None and is_own else ""
