"""The parts that more than one function is made of."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.config import AwsSettings, JiraSettings, SigningSettings
from orchestrator.domain.action import Catalogue
from orchestrator.domain.issue import Issue
from orchestrator.ports import Clock, Events, SecretScanner, TimeLimit
from orchestrator.secret_values import JiraSecret, SigningSecret, parsed_secret
from orchestrator.usecases.sign_jobs import SignJobs

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from orchestrator.adapters.dynamodb import DynamoJobStore
    from orchestrator.adapters.dynamodb_accounts import DynamoAccounts
    from orchestrator.adapters.dynamodb_attempts import DynamoAttempts
    from orchestrator.adapters.jira_cloud import JiraCloud
    from orchestrator.adapters.s3 import S3Artifacts
    from orchestrator.adapters.sqs import SqsQueue


def catalogue(folder: Path) -> Catalogue:
    """The actions in the folder."""
    from orchestrator.adapters.action_files import load_catalogue

    return load_catalogue(folder)


def jira(
    settings: JiraSettings,
    secret: JiraSecret,
    log: Events | None = None,
    vouch: Callable[[Issue], Issue | None] = lambda issue: issue,
) -> "JiraCloud":
    """Jira as the service account; with a log, its answers are counted. `vouch` checks what issues say of jobs."""
    import requests

    from orchestrator.adapters.atlassian_auth import AtlassianAuth
    from orchestrator.adapters.bounded_answers import bounding
    from orchestrator.adapters.jira_cloud import JiraCloud
    from orchestrator.adapters.traffic import counting

    session = requests.Session()
    session.hooks["response"].append(bounding("Jira"))
    if log is not None:
        session.hooks["response"].append(counting("Jira", log, within="/rest/api/"))
    # Without one of its own, requests takes a .netrc's credentials instead of ours.
    session.auth = lambda request: request
    return JiraCloud(AtlassianAuth(settings, secret, session, clock()), session, clock(), vouch)


def signer(settings: SigningSettings, project_key: str) -> SignJobs:
    """Signs and verifies jobs with the keys of the deployment."""
    from orchestrator.adapters.signing_keys import StoredSigningKeys

    def read() -> SigningSecret:
        return parsed_secret(SigningSecret, settings.signing_secret, secret(settings.signing_secret))

    return SignJobs(project_key, StoredSigningKeys(read, clock()), clock())


def clock() -> Clock:
    """The machine's clock."""
    from orchestrator.adapters.clock import SystemClock

    return SystemClock()


def time_limit() -> TimeLimit:
    """What ends work that takes too long."""
    from orchestrator.adapters.time_limit import SignalTimeLimit

    return SignalTimeLimit()


def events(service: str, **always: str) -> Events:
    """The structured log of one function; `always` stands in every line."""
    from orchestrator.adapters.powertools_log import PowertoolsEvents

    return PowertoolsEvents(service, **always)


def secret_scanner(*, early: bool = False) -> SecretScanner:
    """The secret scanner; its rules are loaded in the background from now on if `early`, else at the first use."""
    from orchestrator.adapters.kingfisher import KingfisherScanner

    scanner = KingfisherScanner()
    if early:
        scanner.load_early()
    return scanner


def secret(name: str) -> str:
    """The secret of that name, as it is stored."""
    import boto3

    from orchestrator.adapters.secrets_manager import SecretsManager

    return SecretsManager(boto3.client("secretsmanager")).value(name)


def queue(url: str) -> "SqsQueue":
    """The queue at that address."""
    import boto3

    from orchestrator.adapters.sqs import SqsQueue

    return SqsQueue(boto3.client("sqs"), url)


def jobs(settings: AwsSettings) -> "DynamoJobStore":
    """The job table."""
    from orchestrator.adapters.dynamodb import DynamoJobStore

    return DynamoJobStore(_table(settings))


def attempts(settings: AwsSettings) -> "DynamoAttempts":
    """What was begun and has not ended, in the same table."""
    from orchestrator.adapters.dynamodb_attempts import DynamoAttempts

    return DynamoAttempts(_table(settings))


def accounts(settings: AwsSettings) -> "DynamoAccounts":
    """What tickets and days have cost, in the same table."""
    from orchestrator.adapters.dynamodb_accounts import DynamoAccounts

    return DynamoAccounts(_table(settings))


def _table(settings: AwsSettings) -> "Table":
    import boto3

    return boto3.resource("dynamodb").Table(settings.jobs_table)


def artifacts(settings: AwsSettings) -> "S3Artifacts":
    """The artifact bucket."""
    import boto3

    from orchestrator.adapters.s3 import S3Artifacts

    return S3Artifacts(boto3.client("s3"), settings.artifacts_bucket)
