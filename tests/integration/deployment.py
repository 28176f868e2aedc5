"""The three functions as AWS runs them, each a process with its own environment, between moto and the stand-ins."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any, Self

import boto3
from tests.builders import SIGNING_KEY

from alm.aws import BUCKET, TABLE, LocalAws
from alm.demo import repository
from alm.environment import REGION, machine_environment
from alm.function import LocalFunction
from alm.invoked import track_job_for
from alm.settings import LocalSettings, checked
from alm.standins.github import GitHubStandIn
from alm.standins.jira import JiraStandIn
from alm.standins.model import Script, ScriptedModel
from orchestrator.adapters.sqs import SqsQueue
from orchestrator.domain.job import Brief, Job, brief_key

SESSION = boto3.session.Session("local", "local", region_name=REGION)
KEY = "sk-ant-integration-the-real-key"


@dataclass
class Deployment:
    """Everything outside the functions, and everything that they printed."""

    jira: JiraStandIn
    github: GitHubStandIn
    model: ScriptedModel
    aws: LocalAws
    settings: LocalSettings
    worker_environment: Mapping[str, str]
    printed: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    @contextmanager
    def around(cls, script: Script, **more: str) -> Iterator[Self]:
        """Started stand-ins, a seeded repository, and AWS with the secrets in place."""
        with JiraStandIn() as jira, GitHubStandIn() as github, ScriptedModel(script) as model:
            github.seed(repository.FILES)
            told = {**jira.environment(), **github.environment()}
            model_told = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": model.url}
            settings = checked({**told, **model_told, "SIGNING_KEY": SIGNING_KEY, **more})
            with (
                LocalAws(settings.secrets()) as aws,
                track_job_for(settings, aws, lambda _: None) as worker_environment,
            ):
                yield cls(jira, github, model, aws, settings, worker_environment)

    @property
    def jobs(self) -> SqsQueue:
        """The job queue."""
        return SqsQueue(self.aws.sqs, self.aws.job_queue)

    def store_secret(self, name: str, value: str) -> None:
        """Put another value in a secret's place, or make one that nobody reads."""
        manager = self.client("secretsmanager")
        if name in self.settings.secrets():
            manager.put_secret_value(SecretId=name, SecretString=value)
        else:
            manager.create_secret(Name=name, SecretString=value)

    def queue(self, job: Job, brief: Brief) -> None:
        """A job as the poll leaves it for a worker."""
        content = brief.model_dump_json().encode()
        self.client("s3").put_object(Bucket=BUCKET, Key=brief_key(job), Body=content)
        self.jobs.send(job)

    def send_foreign(self, queue_url: str, body: str) -> None:
        """A message that is none of ours."""
        self.aws.sqs.send_message(
            QueueUrl=queue_url, MessageBody=body, MessageGroupId="DEMO-1", MessageDeduplicationId="foreign"
        )

    def client(self, name: str) -> Any:
        """A client of moto's."""
        return SESSION.client(name, endpoint_url=self.aws.endpoint)  # type: ignore[call-overload]

    def table(self) -> Any:
        """The job table."""
        return SESSION.resource("dynamodb", endpoint_url=self.aws.endpoint).Table(TABLE)

    @contextmanager
    def function(self, name: str, told: Mapping[str, str]) -> Iterator[LocalFunction]:
        """A function as Lambda keeps it."""
        with LocalFunction(f"{name}.handler", self._environment(told), self.take) as running:
            yield running

    def worker(self, **changes: str) -> "subprocess.Popen[bytes]":
        """A task as Fargate starts it."""
        return subprocess.Popen(
            [sys.executable, "-m", "run_job"],
            env={**self.worker_environment, **changes},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def ended(self, process: "subprocess.Popen[bytes]") -> int:
        """The task's exit status, after what it printed was taken."""
        printed, _ = process.communicate(timeout=100)
        for line in printed.splitlines():
            self.take(line)
        return process.returncode

    def take(self, line: bytes) -> None:
        """Keep a line of the log; what is no JSON is kept as its text."""
        try:
            self.printed.append(json.loads(line))
        except ValueError:
            self.printed.append({"text": line.decode()})

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The lines of that event."""
        return [line for line in self.printed if line.get("message") == event]

    def measured(self) -> Counter[str]:
        """The sum of each metric."""
        sums: Counter[str] = Counter()
        for line in self.printed:
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
                for metric in directive["Metrics"]:
                    sums[metric["Name"]] += sum(line[metric["Name"]])
        return sums

    def _environment(self, told: Mapping[str, str]) -> dict[str, str]:
        return {**machine_environment(), **self.aws.environment, **told, "POWERTOOLS_LOG_LEVEL": "INFO"}


def until(condition: Callable[[], bool], limit_s: float = 60) -> None:
    """Wait for it; an AssertionError when it never comes."""
    deadline = monotonic() + limit_s
    while not condition():
        assert monotonic() < deadline, "it never came true"
        sleep(0.02)
