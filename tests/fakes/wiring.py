"""How the use cases are put together in tests: once, whatever plays their ports."""

from typing import Any, Protocol

from orchestrator.domain.action import Catalogue
from orchestrator.ports import (
    Agent,
    ArtifactStore,
    Clock,
    Cloner,
    Events,
    JobStore,
    PromptRenderer,
    PullRequestReader,
    PullRequestWriter,
)
from orchestrator.usecases.brief_job import BriefJob
from orchestrator.usecases.poll import Poll
from orchestrator.usecases.publish_result import PublishResult
from orchestrator.usecases.run_job import RunJob


class Ports(Protocol):
    """Who plays each port, under the name that every world of a test gives it; trackers and queues play several."""

    tracker: Any
    queue: Any
    results: Any

    @property
    def jobs(self) -> JobStore: ...

    @property
    def artifacts(self) -> ArtifactStore: ...

    @property
    def catalogue(self) -> Catalogue: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def events(self) -> Events: ...


def poller(world: Ports, server_url: str, repo: str, project_key: str = "DEMO", **more: Any) -> Poll:
    """What polls."""
    brief = BriefJob(world.tracker, world.tracker, world.artifacts, world.catalogue, server_url, repo)
    return Poll(
        issues=world.tracker,
        comments=world.tracker,
        jobs=world.jobs,
        queue=world.queue,
        results=world.results,
        artifacts=world.artifacts,
        brief=brief,
        catalogue=world.catalogue,
        project_key=project_key,
        clock=world.clock,
        events=world.events,
        **more,
    )


def runner(
    world: Ports, agent: Agent, prompts: PromptRenderer, cloner: Cloner, pull_requests: PullRequestReader
) -> RunJob:
    """What runs a job."""
    return RunJob(
        jobs=world.jobs,
        artifacts=world.artifacts,
        results=world.results,
        cloner=cloner,
        pull_requests=pull_requests,
        prompts=prompts,
        agent=agent,
        catalogue=world.catalogue,
        events=world.events,
    )


def publisher(world: Ports, pull_requests: PullRequestWriter, **more: Any) -> PublishResult:
    """What publishes."""
    return PublishResult(
        issues=world.tracker,
        comments=world.tracker,
        pull_requests=pull_requests,
        jobs=world.jobs,
        artifacts=world.artifacts,
        catalogue=world.catalogue,
        events=world.events,
        **more,
    )
