"""track_job: the job table, the signing keys, the role that opens artifacts. No credential of another service."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from orchestrator.bootstrap import parts
from orchestrator.config import TrackSettings
from orchestrator.domain.tracking import TrackCall
from orchestrator.usecases.track_job import TrackJob


def tracked(event: Mapping[str, Any]) -> dict[str, Any]:
    """track_job's one verb: the answer to one request of a worker."""
    return track_job()(TrackCall.model_validate(event)).model_dump(mode="json")


@cache
def track_job() -> TrackJob:
    """What answers workers."""
    import boto3

    from orchestrator.adapters.artifact_access import StsArtifactAccess

    settings, log = TrackSettings.read(), parts.events("track_job")
    return TrackJob(
        signer=parts.signer(settings, settings.jira_project_key),
        jobs=parts.jobs(settings),
        accounts=parts.accounts(settings),
        results=parts.queue(settings.result_queue_url),
        artifacts=parts.artifacts(settings),
        grant=StsArtifactAccess(boto3.client("sts"), settings.artifacts_role, settings.artifacts_bucket),
        catalogue=parts.catalogue(settings.prompts_dir),
        clock=parts.clock(),
        events=log,
        limits=settings.limits,
    )
