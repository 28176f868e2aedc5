"""What a worker asks track_job for, and what it is answered. The worker itself writes nothing but its own artifacts.

Every request carries its signed job and concerns that job alone.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from orchestrator.domain.job import Job, Start
from orchestrator.domain.money import Account, Shortage
from orchestrator.domain.wall import Probe

_STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
RunName = Annotated[str, Field(pattern=r"^run_[0-9]{8}_[0-9a-f]{8}$")]


class StartJob(BaseModel):
    """A worker takes the job; `attempt` is the delivery's number."""

    model_config = _STRICT
    do: Literal["start"] = "start"
    attempt: Annotated[int, Field(ge=1, le=1000)]


class KeepAlive(BaseModel):
    """A worker is still at it, and asks whether it should stop."""

    model_config = _STRICT
    do: Literal["keep_alive"] = "keep_alive"


class ReportPhase(BaseModel):
    """What the worker does now."""

    model_config = _STRICT
    do: Literal["report_phase"] = "report_phase"
    phase: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,31}$")]


class ReportProbes(BaseModel):
    """Which sandbox levels the worker tried, and what each answered."""

    model_config = _STRICT
    do: Literal["report_probes"] = "report_probes"
    probes: Annotated[tuple[Probe, ...], Field(max_length=8)]


class ParkJob(BaseModel):
    """The job waits for an account's budget, until that many seconds since the epoch."""

    model_config = _STRICT
    do: Literal["park"] = "park"
    account: Account
    until: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ReserveMoney(BaseModel):
    """Set the action's budget aside for a run of the agent. The name of the run carries its UTC day."""

    model_config = _STRICT
    do: Literal["reserve"] = "reserve"
    run: RunName


class SettleMoney(BaseModel):
    """Put the cost of the run in the place of what was set aside for it."""

    model_config = _STRICT
    do: Literal["settle"] = "settle"
    run: RunName
    cost_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class SendResult(BaseModel):
    """The job's result is stored: have it published."""

    model_config = _STRICT
    do: Literal["send_result"] = "send_result"


class OpenArtifacts(BaseModel):
    """Credentials for the job's own objects in the artifact bucket."""

    model_config = _STRICT
    do: Literal["open_artifacts"] = "open_artifacts"


Request = Annotated[
    StartJob
    | KeepAlive
    | ReportPhase
    | ReportProbes
    | ParkJob
    | ReserveMoney
    | SettleMoney
    | SendResult
    | OpenArtifacts,
    Field(discriminator="do"),
]


class TrackCall(BaseModel):
    """One request about one job."""

    model_config = _STRICT
    job: Job
    request: Request


class Access(BaseModel):
    """Temporary AWS credentials that reach one job's objects."""

    model_config = _STRICT
    access_key_id: Annotated[str, Field(repr=False)]
    secret_access_key: Annotated[str, Field(repr=False)]
    session_token: Annotated[str, Field(repr=False)]
    expires_at: AwareDatetime


class TrackAnswer(BaseModel):
    """The answer; only the fields that the request asks for are set.

    `is_forged`: the poll did not make the job. `refused` and `later` are sentences: why never, or why not now.
    """

    model_config = _STRICT
    is_forged: bool = False
    refused: str = ""
    later: str = ""
    start: Start | None = None
    stop: bool = False
    shortage: Shortage | None = None
    waits: bool = False
    access: Access | None = None
