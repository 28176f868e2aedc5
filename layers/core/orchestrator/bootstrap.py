"""Puts the parts together: the only place that names adapters. Importing it has no effects.

Each function's parts are made once a process and hold only what that function's room may hold.
"""

from collections.abc import Mapping
from functools import cache, cached_property
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
    WorkerSettings,
    parsed_secret,
)
from orchestrator.domain.action import Catalogue
from orchestrator.domain.wall import Rung
from orchestrator.ports import Clock, Delivery, Events, JobReceiver
from orchestrator.usecases.brief_job import BriefJob
from orchestrator.usecases.poll import Poll
from orchestrator.usecases.publish_result import PublishResult
from orchestrator.usecases.run_job import RunJob
from orchestrator.usecases.work import Work

if TYPE_CHECKING:
    from orchestrator.adapters.agent.claude_code import ClaudeCode
    from orchestrator.adapters.dynamodb import DynamoJobStore
    from orchestrator.adapters.gateway.provider import ModelProvider
    from orchestrator.adapters.jira_cloud import JiraCloud
    from orchestrator.adapters.s3 import S3Artifacts
    from orchestrator.adapters.sqs import SqsQueue
    from orchestrator.adapters.wall.ladder import Ladder


@cache
def poll() -> Poll:
    """poll_jira: Jira credentials and both queues."""
    settings = PollSettings.read()
    secret = parsed_secret(JiraSecret, settings.jira_secret, _secret(settings.jira_secret))
    tracker, artifacts, actions = (
        jira(settings, secret),
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
        events=events("poll_jira"),
    )


@cache
def work() -> Work:
    """run_job: a read token, the model's key, the job queue; before it holds any, its memory is closed to others."""
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
        prompts=_prompts(),
        agent=agent,
        events=log,
        protected=settings.protected_paths,
        **_code_host(settings),
    )
    return Work(queue=queue, run=run, hidden=_heartbeat(queue, log), agent=agent, events=log)


@cache
def publish_result() -> PublishResult:
    """publish_result: the write credentials of Jira and GitHub."""
    from orchestrator.adapters.github_api import GitHubWriter, connect

    settings = PublishSettings.read()
    jira_secret = parsed_secret(JiraSecret, settings.jira_secret, _secret(settings.jira_secret))
    github_secret = parsed_secret(GitHubSecret, settings.github_secret, _secret(settings.github_secret))
    tracker = jira(settings, jira_secret)
    return PublishResult(
        issues=tracker,
        comments=tracker,
        pull_requests=GitHubWriter(connect(settings, github_secret.token)),
        jobs=_jobs(settings),
        artifacts=_artifacts(settings),
        catalogue=catalogue(settings.prompts_dir),
        events=events("publish_result"),
        may_request_changes=settings.review_event == "REQUEST_CHANGES",
        protected=settings.protected_paths,
    )


def delivery(record: Mapping[str, Any]) -> Delivery:
    """A record of a Lambda SQS event as a delivery."""
    from orchestrator.adapters.sqs import delivery as parsed

    return parsed(record["body"], record["attributes"]["ApproximateReceiveCount"], record["receiptHandle"])


def catalogue(folder: Path) -> Catalogue:
    """The actions in the folder."""
    from orchestrator.adapters.action_files import load_catalogue

    return load_catalogue(folder)


def jira(settings: JiraSettings, secret: JiraSecret) -> "JiraCloud":
    """Jira as the service account."""
    import requests

    from orchestrator.adapters.atlassian_auth import AtlassianAuth
    from orchestrator.adapters.jira_cloud import JiraCloud

    session = requests.Session()
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


def _prompts() -> Any:
    from orchestrator.adapters.jinja_prompts import JinjaPrompts

    return JinjaPrompts()


def _heartbeat(queue: JobReceiver, log: Events) -> Any:
    from orchestrator.adapters.visibility import Heartbeat

    return lambda receipt: Heartbeat(queue, receipt, log)


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


def _code_host(settings: WorkerSettings) -> dict[str, Any]:
    from orchestrator.adapters.git_cli import GitCloner

    token = parsed_secret(GitHubSecret, settings.github_secret, _secret(settings.github_secret)).token
    return {
        "cloner": GitCloner(settings.github_server_url, settings.github_repo, token),
        "pull_requests": _LazyReader(settings, token),
    }


class _LazyReader:
    """The reader of pull requests, loaded only by jobs that make one: PyGithub takes a while to import."""

    def __init__(self, settings: WorkerSettings, token: str) -> None:
        self._settings = settings
        self._token = token

    def plan_branch(self, name: str) -> Any:
        """See `PullRequestReader`."""
        return self._reader.plan_branch(name)

    def review_subject(self, number: int) -> Any:
        """See `PullRequestReader`."""
        return self._reader.review_subject(number)

    @cached_property
    def _reader(self) -> Any:
        from orchestrator.adapters.github_api import GitHubReader, connect

        return GitHubReader(connect(self._settings, self._token))
