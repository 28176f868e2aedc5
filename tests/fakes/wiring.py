"""How the use cases are put together in tests: once, whatever plays their ports."""

from typing import Any, Protocol

from tests.builders import SIGNER
from tests.fakes.queue import FakeDeadLetters
from tests.fakes.secrets import FakeFiles, FakeScanner
from tests.fakes.tracking import client, track_job

from orchestrator.adapters.without_secrets import CommentsWithoutSecrets, PullRequestsWithoutSecrets
from orchestrator.domain.action import Catalogue
from orchestrator.domain.money import Limits
from orchestrator.domain.publishable import PROTECTED
from orchestrator.ports import (
    Accounts,
    Agent,
    ArtifactStore,
    Attempts,
    Clock,
    Cloner,
    Events,
    JobStore,
    PromptRenderer,
    PullRequestReader,
    PullRequestWriter,
    RepositoryFiles,
    TimeLimit,
)
from orchestrator.usecases.ask_agent import AskAgent
from orchestrator.usecases.attempt_work import AttemptWork
from orchestrator.usecases.brief_job import BriefJob
from orchestrator.usecases.cancel_job import CancelJob
from orchestrator.usecases.claim_issue import ClaimIssue
from orchestrator.usecases.clean_transcript import CleanTranscript
from orchestrator.usecases.find_issues import FindIssues
from orchestrator.usecases.judge_change import JudgeChange
from orchestrator.usecases.poll import Poll
from orchestrator.usecases.publish_in_time import PublishInTime
from orchestrator.usecases.publish_result import PublishResult
from orchestrator.usecases.run_job import RunJob
from orchestrator.usecases.take_issue import TakeIssue
from orchestrator.usecases.watch_jobs import WatchJobs


class Table(JobStore, Accounts, Protocol):
    """The job table, whole."""


class Ports(Protocol):
    """Who plays each port, under the name that every world of a test gives it; trackers and queues play several."""

    tracker: Any
    queue: Any
    results: Any

    @property
    def jobs(self) -> Table: ...

    @property
    def artifacts(self) -> ArtifactStore: ...

    @property
    def catalogue(self) -> Catalogue: ...

    @property
    def attempts(self) -> Attempts: ...

    @property
    def time_limit(self) -> TimeLimit: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def events(self) -> Events: ...


def poller(world: Ports, server_url: str, repo: str, project_key: str = "DEMO", **more: Any) -> Poll:
    """What polls."""
    brief = BriefJob(world.tracker, world.tracker, world.artifacts, world.catalogue, server_url, repo)
    cancel = CancelJob(world.jobs, world.artifacts, world.results, world.clock, world.events)
    both: dict[str, Any] = {
        "issues": world.tracker,
        "comments": world.tracker,
        "jobs": world.jobs,
        "queue": world.queue,
        "results": world.results,
        "cancel": cancel,
        "catalogue": world.catalogue,
        "signer": SIGNER,
        "clock": world.clock,
        "events": world.events,
    }
    dead = {"jobs": FakeDeadLetters(world.queue), "results": FakeDeadLetters(world.results)}
    return Poll(
        jobs=world.jobs,
        find=FindIssues(world.tracker, world.catalogue, project_key, turn=lambda _: 1),
        take=TakeIssue(
            claim=ClaimIssue(artifacts=world.artifacts, brief=brief, **both),
            attempts=world.attempts,
            attempt=AttemptWork(world.attempts, world.time_limit),
            clock=world.clock,
            events=world.events,
        ),
        watch=WatchJobs(
            queued=world.queue, published=world.results, dead=dead, limit=world.time_limit, **both
        ),
        clock=world.clock,
        events=world.events,
        **more,
    )


def runner(
    world: Ports,
    agent: Agent,
    prompts: PromptRenderer,
    code_host: tuple[Cloner, PullRequestReader],
    limits: Limits | None = None,
) -> RunJob:
    """What runs a job."""
    tracker = client(track_job(world, limits))
    ask = AskAgent(
        jobs=tracker,
        budget=tracker,
        artifacts=lambda _: world.artifacts,
        agent=agent,
        clock=world.clock,
        events=world.events,
        clean=CleanTranscript(FakeScanner(), world.clock),
    )
    cloner, pull_requests = code_host
    return RunJob(
        project_key=SIGNER.project_key,
        jobs=tracker,
        artifacts=lambda _: world.artifacts,
        results=tracker,
        cloner=cloner,
        pull_requests=pull_requests,
        prompts=prompts,
        ask=ask,
        catalogue=world.catalogue,
        events=world.events,
    )


def publisher(
    world: Ports,
    pull_requests: PullRequestWriter,
    files: RepositoryFiles | None = None,
    protected: tuple[str, ...] = PROTECTED,
    **more: Any,
) -> PublishInTime:
    """What publishes."""
    scanner = FakeScanner()
    publish = PublishResult(
        issues=world.tracker,
        comments=CommentsWithoutSecrets(world.tracker, scanner),
        pull_requests=PullRequestsWithoutSecrets(pull_requests, scanner),
        jobs=world.jobs,
        artifacts=world.artifacts,
        catalogue=world.catalogue,
        signer=SIGNER,
        events=world.events,
        judge=JudgeChange(scanner, files or FakeFiles(), world.clock, protected),
        **more,
    )
    return PublishInTime(
        publish=publish,
        attempts=world.attempts,
        attempt=AttemptWork(world.attempts, world.time_limit),
        events=world.events,
    )
