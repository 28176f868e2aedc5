"""track_job as the worker calls it: its record, its money, its result message and its artifacts go through it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.domain.job import Job, Start, Wait
from orchestrator.domain.money import Unpaid
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
from orchestrator.domain.wall import Probe
from orchestrator.errors import ForgedJob, JobFailed, TransientError
from orchestrator.ports import ArtifactStore

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Credentials that end sooner are asked for again, so that an upload is not cut off.
ACCESS_LEFT = timedelta(minutes=10)

# One request as JSON-like values, answered the same way; it raises TransientError if no answer came.
type Invoke = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True)
class LambdaInvoke:
    """Calls the function of that name or ARN and waits for its answer."""

    client: "LambdaClient"
    function: str

    def __call__(self, event: Mapping[str, Any]) -> Any:
        """What the function returned."""
        try:
            answer = self.client.invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
            returned = json.loads(answer["Payload"].read())
        except (ClientError, BotoCoreError, ValueError) as error:
            raise TransientError(f"track_job did not answer ({type(error).__name__}).") from error
        if answer.get("FunctionError"):
            # Its words may quote the request: the function's own log has them.
            raise TransientError("track_job failed.")
        return returned


@dataclass(frozen=True)
class TrackClient:
    """The worker's side. Each call may raise ForgedJob, JobFailed or TransientError."""

    invoke: Invoke

    def start(self, job: Job, attempt: int) -> Start:
        """Record that the job is running, and say whether it may."""
        start = self._ask(job, StartJob(attempt=attempt)).start
        if start is None:
            raise TransientError("track_job did not say whether the job may run.")
        return start

    def alive(self, job: Job) -> bool:
        """Record that a worker is at it; True if it should stop."""
        return self._ask(job, KeepAlive()).stop

    def progress(self, job: Job, phase: str) -> None:
        """Record what the job is doing now."""
        self._ask(job, ReportPhase(phase=phase))

    def walls_tried(self, job: Job, probes: tuple[Probe, ...]) -> None:
        """Record which sandbox levels the worker tried."""
        self._ask(job, ReportProbes(probes=probes))

    def park(self, job: Job, wait: Wait) -> None:
        """Record that the job waits, for what and until when."""
        self._ask(job, ParkJob(account=wait.account, until=wait.until))

    def reserve(self, job: Job, run: str) -> Unpaid | None:
        """Set the action's budget aside for the run of that name; why not where there is not enough."""
        answer = self._ask(job, ReserveMoney(run=run))
        return None if answer.shortage is None else Unpaid(answer.shortage, answer.waits)

    def settle(self, job: Job, run: str, cost_usd: float) -> None:
        """Put the cost in the reservation's place."""
        self._ask(job, SettleMoney(run=run, cost_usd=cost_usd))

    def send(self, job: Job, again: int = 0) -> None:
        """Have the job's result published. `again` is the poll's; a worker sends once."""
        del again
        self._ask(job, SendResult())

    def access(self, job: Job) -> Access:
        """Credentials for the job's own objects."""
        access = self._ask(job, OpenArtifacts()).access
        if access is None:
            raise TransientError("track_job returned no credentials for the job's artifacts.")
        return access

    def _ask(self, job: Job, request: Any) -> TrackAnswer:
        call = TrackCall(job=job, request=request)
        answer = TrackAnswer.model_validate(self.invoke(call.model_dump(mode="json")))
        if answer.is_forged:
            raise ForgedJob
        if answer.refused:
            raise JobFailed(answer.refused)
        if answer.later:
            raise TransientError(answer.later)
        return answer


@dataclass
class GrantedArtifacts:
    """The artifact store of one job at a time, opened with credentials for that job alone."""

    access: Callable[[Job], Access]
    store: Callable[[Access], ArtifactStore]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _opened: tuple[str, datetime, ArtifactStore] | None = field(default=None, repr=False)

    def __call__(self, job: Job) -> ArtifactStore:
        """The job's store; its credentials are renewed well before they end."""
        if self._opened is None or self._opened[0] != job.job_id or self._is_ending(self._opened[1]):
            access = self.access(job)
            self._opened = (job.job_id, access.expires_at, self.store(access))
        return self._opened[2]

    def _is_ending(self, expires_at: datetime) -> bool:
        return self.now() + ACCESS_LEFT >= expires_at
