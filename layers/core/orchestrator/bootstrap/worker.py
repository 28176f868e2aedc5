"""run_job: a read token and the model's key. Never a write to GitHub or Jira."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from orchestrator.bootstrap import parts
from orchestrator.config import ModelSettings, Provider, WorkerSettings
from orchestrator.domain.fleet import UNUSABLE
from orchestrator.domain.tracking import Access
from orchestrator.domain.wall import Rung
from orchestrator.errors import ConfigError
from orchestrator.ports import Events, JobReceiver
from orchestrator.secret_values import GitHubSecret, parsed_secret
from orchestrator.usecases.ask_agent import AskAgent
from orchestrator.usecases.clean_transcript import CleanTranscript
from orchestrator.usecases.run_job import RunJob
from orchestrator.usecases.unusable import told_if_unusable
from orchestrator.usecases.work import Work

if TYPE_CHECKING:
    from orchestrator.adapters.agent.claude_code import ClaudeCode
    from orchestrator.adapters.gateway.provider import ModelProvider
    from orchestrator.adapters.github_api import GitHubReader
    from orchestrator.adapters.track_client import GrantedArtifacts, TrackClient
    from orchestrator.adapters.wall.ladder import Ladder


def work() -> Work:
    """run_job."""
    with told_if_unusable(parts.events("run_job")):
        return _work()


def task() -> Work:
    """run_job as a process of its own: one that cannot work ends before it has taken a message from others."""
    try:
        return work()
    except ConfigError:
        raise SystemExit(UNUSABLE) from None


def worked(records: Iterable[Mapping[str, Any]]) -> None:
    """run_job's one verb as a Lambda function; raising leaves a message to the queue."""
    from orchestrator.adapters.sqs import delivery

    run = work()
    for record in records:
        run.on_record(record, delivery)


@cache
def _work() -> Work:
    """A read token, the model's key, the job queue; before it holds any, its memory is closed to others."""
    from orchestrator.adapters.jinja_prompts import JinjaPrompts
    from orchestrator.adapters.wall.limits import keep_own_memory
    from orchestrator.adapters.without_secrets import EventsWithoutSecrets

    keep_own_memory()
    settings = WorkerSettings.read()
    scanner = parts.secret_scanner(early=True)
    queue = parts.queue(settings.job_queue_url)
    log = EventsWithoutSecrets(parts.events("run_job", **_accepted(settings.sandbox_floor)), scanner)
    tracker = _tracker(settings)
    artifacts = _artifacts(settings, tracker)
    run = RunJob(
        project_key=settings.jira_project_key,
        jobs=tracker,
        artifacts=artifacts,
        results=tracker,
        catalogue=parts.catalogue(settings.prompts_dir),
        prompts=JinjaPrompts(),
        ask=AskAgent(
            jobs=tracker,
            budget=tracker,
            artifacts=artifacts,
            agent=_agent(settings),
            clock=parts.clock(),
            events=log,
            clean=CleanTranscript(scanner, parts.clock()),
        ),
        events=log,
        protected=settings.protected_paths,
        **_code_host(settings, log),
    )
    return Work(queue, run, partial(_beside, queue, log), log, parts.clock())


@contextmanager
def _beside(queue: JobReceiver, log: Events, receipt: str, look: Callable[[], None]) -> Iterator[None]:
    """What goes on while a job is worked on: its message stays hidden, and its record says that somebody is at it."""
    from orchestrator.adapters.heartbeat import ALIVE_EVERY_S, HIDDEN_S, HIDE_EVERY_S, Heartbeat

    hide = partial(queue.hide, receipt, HIDDEN_S)
    with (
        Heartbeat(hide, HIDE_EVERY_S, "visibility.not_extended", log),
        Heartbeat(look, ALIVE_EVERY_S, "job.not_looked_at", log),
    ):
        yield


def _tracker(settings: WorkerSettings) -> "TrackClient":
    import boto3

    from orchestrator.adapters.track_client import LambdaInvoke, TrackClient

    return TrackClient(LambdaInvoke(boto3.client("lambda"), settings.track_function))


def _artifacts(settings: WorkerSettings, tracker: "TrackClient") -> "GrantedArtifacts":
    """The bucket, for one job at a time, with credentials that track_job hands out for it."""
    import boto3

    from orchestrator.adapters.s3 import S3Artifacts
    from orchestrator.adapters.track_client import GrantedArtifacts

    def store(access: Access) -> S3Artifacts:
        client = boto3.client(
            "s3",
            aws_access_key_id=access.access_key_id,
            aws_secret_access_key=access.secret_access_key,
            aws_session_token=access.session_token,
        )
        return S3Artifacts(client, settings.artifacts_bucket)

    return GrantedArtifacts(tracker.access, store)


def _agent(settings: WorkerSettings) -> "ClaudeCode":
    from orchestrator.adapters.agent.claude_code import ClaudeCode

    return ClaudeCode(
        ladder=_ladder(settings.sandbox_floor),
        cli=settings.claude_cli,
        provider=_provider(settings),
        rules=settings.rules,
        model=settings.claude_model,
        timeout_s=settings.claude_timeout_seconds,
        max_retries=settings.claude_max_retries,
    )


def _accepted(floor: Rung) -> dict[str, str]:
    """A deployment that may run agents without a wall says so in every line of its worker's log."""
    return {"sandbox_floor": floor} if floor is Rung.VM_BOUNDARY else {}


def _provider(settings: ModelSettings) -> "ModelProvider":
    match settings.model_provider:
        case Provider.ANTHROPIC:
            from orchestrator.adapters.gateway.anthropic import connect
        case Provider.BEDROCK:
            from orchestrator.adapters.gateway.bedrock import connect
        case Provider.VERTEX:
            from orchestrator.adapters.gateway.vertex import connect
    return connect(settings, parts.secret)


def _ladder(floor: Rung) -> "Ladder":
    from orchestrator.adapters.wall.bubblewrap import Bubblewrap
    from orchestrator.adapters.wall.ladder import Ladder
    from orchestrator.adapters.wall.no_wall import NoWall
    from orchestrator.adapters.wall.without_namespaces import Landlock, Seccomp

    return Ladder((Bubblewrap(), Landlock(), Seccomp(), NoWall()), floor)


def _code_host(settings: WorkerSettings, log: Events) -> dict[str, Any]:
    from orchestrator.adapters.git_cli import GitCloner
    from orchestrator.adapters.lazy_reader import LazyReader

    token = parsed_secret(GitHubSecret, settings.github_secret, parts.secret(settings.github_secret)).token

    def reader() -> "GitHubReader":
        from orchestrator.adapters.github_api import GitHubReader, connect
        from orchestrator.adapters.github_traffic import count_github

        count_github(log)
        return GitHubReader(connect(settings, token))

    cloner = GitCloner(settings.github_server_url, settings.github_repo, token, settings.repository_limits)
    return {"cloner": cloner, "pull_requests": LazyReader(reader)}
