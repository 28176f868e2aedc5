"""Where a deployment keeps its state: a stack in AWS by its outputs, or an `alm run` on this machine by its file."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from boto3.session import Session

from alm.account import aws_answers
from alm.aws import BUCKET, TABLE, LocalAws
from alm.environment import REGION
from orchestrator.domain.money import Limits
from orchestrator.errors import ConfigError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

# Those of template.yaml that every deployment has.
OUTPUTS = (
    *("JobsTableName", "ArtifactsBucketName", "JobQueueUrl"),
    *("JobDeadLettersUrl", "ResultQueueUrl", "ResultDeadLettersUrl"),
)
SECRETS_PREFIX = "alm"
RUNTIME_FILE = "alm-run.json"
# The file lies in a folder that others may write: it must not lead elsewhere.
LOOPBACK = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}")


@dataclass(frozen=True)
class Deployment:
    """One deployment's table, bucket and queues. `outputs` are those of the template, by name.

    `limits` are the budgets of tickets and days, None if it does not say.
    """

    session: "Session"
    outputs: Mapping[str, str]
    endpoint: str | None = None
    limits: Limits | None = None

    @property
    def bucket(self) -> str:
        """The artifact bucket's name."""
        return self.outputs["ArtifactsBucketName"]

    @property
    def secrets_prefix(self) -> str:
        """What the names of its secrets begin with."""
        return self.outputs.get("SecretsPrefix", SECRETS_PREFIX)

    @cached_property
    def table(self) -> "Table":
        """The job table."""
        return self.session.resource("dynamodb", endpoint_url=self.endpoint).Table(
            self.outputs["JobsTableName"]
        )

    @cached_property
    def s3(self) -> "S3Client":
        """For the artifact bucket."""
        return self.session.client("s3", endpoint_url=self.endpoint)

    @cached_property
    def sqs(self) -> "SQSClient":
        """For the four queues."""
        return self.session.client("sqs", endpoint_url=self.endpoint)


def deployed(session: "Session", stack: str, endpoint: str | None = None) -> Deployment:
    """The stack of that name; ConfigError if it is missing or is no stack of ours."""
    with aws_answers():
        client: Any = session.client("cloudformation", endpoint_url=endpoint)
        found = client.describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}
    told = {each["ParameterKey"]: each.get("ParameterValue") for each in found.get("Parameters", ())}
    limits = _limits(told.get("TicketBudgetUsd"), told.get("DailyBudgetUsd"))
    return Deployment(session, _whole(outputs, f"The stack {stack}"), endpoint, limits)


def local(logs_dir: Path) -> Deployment:
    """The `alm run` that writes its logs there; ConfigError if none does."""
    path = logs_dir / RUNTIME_FILE
    try:
        told = json.loads(path.read_text())
        endpoint, outputs = str(told["endpoint"]), dict(told["outputs"])
    except (OSError, ValueError, TypeError, KeyError):
        raise ConfigError(
            f"No `alm run` is at work with its logs in {logs_dir}. Start one, or name its --logs-dir."
        ) from None
    if LOOPBACK.fullmatch(endpoint) is None:
        raise ConfigError(f"{path} names an endpoint that is not on this machine.")
    session = boto3.session.Session("local", "local", region_name=REGION)
    limits = _limits(told.get("ticket_usd"), told.get("day_usd"))
    return Deployment(session, _whole(outputs, str(path)), endpoint, limits)


def _limits(ticket_usd: object, day_usd: object) -> Limits | None:
    try:
        return Limits(float(str(ticket_usd)), float(str(day_usd)))
    except ValueError:
        return None


@contextmanager
def announced(logs_dir: Path | None, aws: LocalAws, limits: Limits | None = None) -> Iterator[None]:
    """Say in the logs folder where this run's state is, as long as it runs."""
    if logs_dir is None:
        yield
        return
    path = logs_dir / RUNTIME_FILE
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        budgets = {} if limits is None else {"ticket_usd": limits.ticket_usd, "day_usd": limits.day_usd}
        json.dump({"endpoint": aws.endpoint, "outputs": _local_outputs(aws), **budgets}, file)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _local_outputs(aws: LocalAws) -> dict[str, str]:
    return {
        "JobsTableName": TABLE,
        "ArtifactsBucketName": BUCKET,
        "JobQueueUrl": aws.job_queue,
        "JobDeadLettersUrl": aws.job_dead_letters,
        "ResultQueueUrl": aws.result_queue,
        "ResultDeadLettersUrl": aws.result_dead_letters,
    }


def _whole(outputs: Mapping[str, Any], what: str) -> Mapping[str, str]:
    if missing := [name for name in OUTPUTS if not isinstance(outputs.get(name), str)]:
        raise ConfigError(f"{what} lacks these outputs of ours: {', '.join(missing)}.")
    return {name: str(value) for name, value in outputs.items()}
