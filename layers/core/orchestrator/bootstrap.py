"""Puts the parts together: the only place that names adapters. Importing it has no effects.

Each function's parts are made once a process and hold only what that function's room may hold.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.config import (
    AwsSettings,
    GitHubSecret,
    JiraSecret,
    JiraSettings,
    ModelSettings,
    PollSettings,
    Provider,
    PublishSettings,
    ResultQueueSettings,
    WorkerSettings,
    parsed_secret,
)
from orchestrator.domain.action import Catalogue
from orchestrator.domain.fleet import UNUSABLE
from orchestrator.domain.wall import Rung
from orchestrator.errors import ConfigError
from orchestrator.ports import Clock, Events
from orchestrator.usecases.brief_job import BriefJob
from orchestrator.usecases.deliver_results import DeliverResults
from orchestrator.usecases.launch_workers import LaunchWorkers
from orchestrator.usecases.poll import Poll, PollReport, poll_once
from orchestrator.usecases.publish_result import PublishResult
from orchestrator.usecases.run_job import RunJob
from orchestrator.usecases.unusable import told_if_unusable
from orchestrator.usecases.work import Work

if TYPE_CHECKING:
    from orchestrator.adapters.agent.claude_code import ClaudeCode
    from orchestrator.adapters.dynamodb import DynamoJobStore
    from orchestrator.adapters.gateway.provider import ModelProvider
    from orchestrator.adapters.github_api import GitHubReader
    from orchestrator.adapters.jira_cloud import JiraCloud
    from orchestrator.adapters.s3 import S3Artifacts
    from orchestrator.adapters.sqs import SqsQueue
    from orchestrator.adapters.wall.ladder import Ladder


def polled() -> PollReport:
    """poll_jira's one verb."""
    return poll_once(poll, events("poll_jira"))


@cache
def poll() -> Poll:
    """poll_jira: Jira credentials and both queues."""
    settings, log = PollSettings.read(), events("poll_jira")
    secret = parsed_secret(JiraSecret, settings.jira_secret, _secret(settings.jira_secret))
    tracker, artifacts, actions = (
        jira(settings, secret, log),
        _artifacts(settings),
        catalogue(settings.prompts_dir),
    )
    brief = BriefJob(tracker, tracker, artifacts, actions, settings.github_server_url, settings.github_repo)
    return Poll(
        issues=tracker,
        comments=tracker,
        jobs=_jobs(settings),
        queue=_queue(settings.job_queue_url),
        results=_queue(settings.result_queue_url),
        artifacts=artifacts,
        brief=brief,
        catalogue=actions,
        project_key=settings.jira_project_key,
        clock=clock(),
        events=log,
        launch=_launch(settings, log),
    )


def work() -> Work:
    """run_job."""
    with told_if_unusable(events("run_job")):
        return _work()


def task() -> Work:
    """run_job as a process of its own: one that cannot work ends before it has taken a message from others."""
    try:
        return work()
    except ConfigError:
        raise SystemExit(UNUSABLE) from None


@cache
def _work() -> Work:
    """A read token, the model's key, the job queue; before it holds any, its memory is closed to others."""
    from orchestrator.adapters.jinja_prompts import JinjaPrompts
    from orchestrator.adapters.visibility import Heartbeat
    from orchestrator.adapters.wall.limits import keep_own_memory

    keep_own_memory()
    settings = WorkerSettings.read()
    queue, log = _queue(settings.job_queue_url), events("run_job", **_accepted(settings.sandbox_floor))
    agent = _agent(settings)
    run = RunJob(
        jobs=_jobs(settings),
        artifacts=_artifacts(settings),
        results=_queue(settings.result_queue_url),
        catalogue=catalogue(settings.prompts_dir),
        prompts=JinjaPrompts(),
        agent=agent,
        events=log,
        protected=settings.protected_paths,
        **_code_host(settings, log),
    )
    return Work(queue, run, lambda receipt: Heartbeat(queue, receipt, log), agent, log, clock())


def published(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """publish_result's one verb: the ids of the messages that must come again."""
    from orchestrator.adapters.sqs import delivery

    def hide(receipt: str, seconds: int) -> None:
        if url := ResultQueueSettings.read().result_queue_url:
            _queue(url).hide(receipt, seconds)

    return DeliverResults(publish_result, delivery, hide, events("publish_result"))(records)


@cache
def publish_result() -> PublishResult:
    """publish_result: the write credentials of Jira and GitHub."""
    from orchestrator.adapters.github_api import GitHubWriter, connect
    from orchestrator.adapters.github_traffic import count_github

    settings, log = PublishSettings.read(), events("publish_result")
    jira_secret = parsed_secret(JiraSecret, settings.jira_secret, _secret(settings.jira_secret))
    github_secret = parsed_secret(GitHubSecret, settings.github_secret, _secret(settings.github_secret))
    tracker = jira(settings, jira_secret, log)
    count_github(log)
    return PublishResult(
        issues=tracker,
        comments=tracker,
        pull_requests=GitHubWriter(connect(settings, github_secret.token)),
        jobs=_jobs(settings),
        artifacts=_artifacts(settings),
        catalogue=catalogue(settings.prompts_dir),
        events=log,
        may_request_changes=settings.review_event == "REQUEST_CHANGES",
        protected=settings.protected_paths,
    )


def worked(records: Iterable[Mapping[str, Any]]) -> None:
    """run_job's one verb as a Lambda function; raising leaves a message to the queue."""
    from orchestrator.adapters.sqs import delivery

    run = work()
    for record in records:
        run.on_record(record, delivery)


def catalogue(folder: Path) -> Catalogue:
    """The actions in the folder."""
    from orchestrator.adapters.action_files import load_catalogue

    return load_catalogue(folder)


def jira(settings: JiraSettings, secret: JiraSecret, log: Events | None = None) -> "JiraCloud":
    """Jira as the service account; with a log, its answers are counted."""
    import requests

    from orchestrator.adapters.atlassian_auth import AtlassianAuth
    from orchestrator.adapters.jira_cloud import JiraCloud
    from orchestrator.adapters.traffic import counting

    session = requests.Session()
    if log is not None:
        session.hooks["response"].append(counting("Jira", log, within="/rest/api/"))
    # Without one of its own, requests takes a .netrc's credentials instead of ours.
    session.auth = lambda request: request
    return JiraCloud(AtlassianAuth(settings, secret, session, clock()), session, clock())


def clock() -> Clock:
    """The machine's clock."""
    from orchestrator.adapters.clock import SystemClock

    return SystemClock()


def events(service: str, **always: str) -> Events:
    """The structured log of one function; `always` stands in every line."""
    from orchestrator.adapters.powertools_log import PowertoolsEvents

    return PowertoolsEvents(service, **always)


def _secret(name: str) -> str:
    import boto3

    from orchestrator.adapters.secrets_manager import SecretsManager

    return SecretsManager(boto3.client("secretsmanager")).value(name)


def _launch(settings: PollSettings, log: Events) -> Callable[[], None]:
    """What starts workers, nothing where the deployment does that by itself."""
    if not settings.ecs_cluster:
        return lambda: None
    import boto3

    from orchestrator.adapters.ecs import EcsFleet

    fleet, queue = EcsFleet(boto3.client("ecs"), settings), _queue(settings.job_queue_url)
    return LaunchWorkers(queue, fleet, settings.max_concurrency, clock(), log)


def _queue(url: str) -> "SqsQueue":
    import boto3

    from orchestrator.adapters.sqs import SqsQueue

    return SqsQueue(boto3.client("sqs"), url)


def _jobs(settings: AwsSettings) -> "DynamoJobStore":
    import boto3

    from orchestrator.adapters.dynamodb import DynamoJobStore

    return DynamoJobStore(boto3.resource("dynamodb").Table(settings.jobs_table))


def _artifacts(settings: AwsSettings) -> "S3Artifacts":
    import boto3

    from orchestrator.adapters.s3 import S3Artifacts

    return S3Artifacts(boto3.client("s3"), settings.artifacts_bucket)


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
    return connect(settings, _secret)


def _ladder(floor: Rung) -> "Ladder":
    from orchestrator.adapters.wall.bubblewrap import Bubblewrap
    from orchestrator.adapters.wall.ladder import Ladder
    from orchestrator.adapters.wall.no_wall import NoWall
    from orchestrator.adapters.wall.without_namespaces import Landlock, Seccomp

    return Ladder((Bubblewrap(), Landlock(), Seccomp(), NoWall()), floor)


def _code_host(settings: WorkerSettings, log: Events) -> dict[str, Any]:
    from orchestrator.adapters.git_cli import GitCloner
    from orchestrator.adapters.lazy_reader import LazyReader

    token = parsed_secret(GitHubSecret, settings.github_secret, _secret(settings.github_secret)).token

    def reader() -> "GitHubReader":
        from orchestrator.adapters.github_api import GitHubReader, connect
        from orchestrator.adapters.github_traffic import count_github

        count_github(log)
        return GitHubReader(connect(settings, token))

    cloner = GitCloner(settings.github_server_url, settings.github_repo, token)
    return {"cloner": cloner, "pull_requests": LazyReader(reader)}
