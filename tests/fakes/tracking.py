"""track_job without Lambda: the worker's client calls the real use case, through the JSON that would travel."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.builders import SIGNER

from orchestrator.adapters.track_client import TrackClient
from orchestrator.domain.money import Limits
from orchestrator.domain.tracking import Access, TrackCall
from orchestrator.usecases.track_job import TrackJob

ACCESS = Access(
    access_key_id="key",
    secret_access_key="secret",
    session_token="token",
    expires_at=datetime.max.replace(tzinfo=UTC),
)


@dataclass
class FakeAccess:
    """Grants access to anything and remembers to what."""

    granted: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, job_id: str, continued: str) -> Access:
        self.granted.append((job_id, continued))
        return ACCESS


def track_job(world: Any, limits: Limits | None = None, grant: FakeAccess | None = None) -> TrackJob:
    """The use case over the ports of a test's world."""
    return TrackJob(
        signer=SIGNER,
        jobs=world.jobs,
        accounts=world.jobs,
        results=world.results,
        artifacts=world.artifacts,
        grant=grant or FakeAccess(),
        catalogue=world.catalogue,
        clock=world.clock,
        events=world.events,
        limits=limits or Limits(1_000, 1_000),
    )


def client(track: TrackJob) -> TrackClient:
    """The worker's client of that track_job."""

    def invoke(event: Mapping[str, Any]) -> Any:
        call = TrackCall.model_validate(json.loads(json.dumps(event)))
        return json.loads(track(call).model_dump_json())

    return TrackClient(invoke)
