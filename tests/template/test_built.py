"""`sam build`, then the handlers run from what it built and nothing else, in the stack that moto made."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.builders import job_result
from tests.template.created import Created, created
from tests.template.templates import ROOT, Deployment, granted

from alm.environment import aws_environment, machine_environment
from alm.standins.jira import Issue, JiraStandIn
from orchestrator.domain.job import Job, result_key

FUNCTIONS = {"PollFunctionName": "PollJira", "PublishFunctionName": "PublishResult"}
MOST_UNPACKED = (
    262_144_000  # bytes of a function and its layers: https://docs.aws.amazon.com/lambda/latest/dg/limits
)
RUNNER = Path(__file__).with_name("from_artifact.py")

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 13), reason="skipped because the artifacts are for Python 3.13"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `sam build` makes of the zip functions and the layer."""
    folder = tmp_path_factory.mktemp("sam")
    environment = machine_environment() | {
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
        "HOME": str(folder),
    }
    sam = Path(sys.executable).with_name("sam")
    argv = [str(sam), "build", "--build-dir", str(folder / "build"), "--cache-dir", str(folder / "cache")]
    done = subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "build"


@dataclass(frozen=True)
class Running:
    """The stack, its Jira, and the built functions."""

    stack: Created
    jira: JiraStandIn
    built: Path

    def invoke(self, output: str, event: dict[str, Any]) -> Any:
        """What the handler answers, in a process that holds the artifact and what the function is told."""
        environment = {
            **self.stack.environment(output),
            **aws_environment(self.stack.endpoint),
            # It would look again every ten seconds, at the same things.
            "WATCH_SECONDS": "0",
            # On Lambda the layer lies in /opt.
            "PROMPTS_DIR": str(self.built / "CoreLayer" / "prompts"),
        }
        folders = (RUNNER, self.built / FUNCTIONS[output], self.built / "CoreLayer")
        argv = [sys.executable, "-I", "-S", *map(str, folders)]
        done = subprocess.run(
            argv,
            input=json.dumps(event),
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout.splitlines()[-1])
        assert told["strangers"] == []
        # moto lets everybody do everything: what the role allows is held here, for every call that is made.
        allowed = granted(Deployment.of(), f"{FUNCTIONS[output]}Role").values()
        assert told["calls"]
        assert set(told["calls"]) - {action for actions in allowed for action in actions} == set()
        return told["answer"]

    def polled(self) -> tuple[Issue, Job]:
        """An issue that asks for an investigation, and the job that a poll makes of it."""
        issue = self.jira.create_issue("Bug", "It breaks", description="At once.", labels=["ai-investigate"])
        answer = self.invoke("PollFunctionName", {})
        assert answer["claimed"] == [issue.key]
        received = self.stack.client("sqs").receive_message(
            QueueUrl=self.stack.outputs["JobQueueUrl"], VisibilityTimeout=600
        )
        return issue, Job.model_validate_json(received["Messages"][0]["Body"])


@contextmanager
def running(built: Path) -> Iterator[Running]:
    """A stack of its own, told of a Jira on this machine."""
    with JiraStandIn() as jira:
        told = jira.environment()
        secrets = {
            "alm/jira": {"client_id": told["JIRA_CLIENT_ID"], "client_secret": told["JIRA_CLIENT_SECRET"]},
            "alm/github/write": {"token": "never-used-here"},
            "alm/signing": {"current": "k" * 64},
        }
        chosen = {
            "JiraUrl": told["JIRA_URL"],
            "JiraProjectKey": told["JIRA_PROJECT_KEY"],
            "AtlassianTokenUrl": told["ATLASSIAN_TOKEN_URL"],
            "AtlassianResourcesUrl": told["ATLASSIAN_RESOURCES_URL"],
            "AtlassianApiUrlPattern": told["ATLASSIAN_API_URL_PATTERN"],
        }
        values = {name: json.dumps(value) for name, value in secrets.items()}
        with created(values, **chosen) as stack:
            yield Running(stack, jira, built)


@pytest.fixture(scope="module")
def world(built: Path) -> Iterator[Running]:
    with running(built) as made:
        yield made


def test_the_artifacts_fit_into_lambda_and_hold_the_actions(built: Path) -> None:
    layer = built / "CoreLayer"
    size = sum(file.stat().st_size for file in layer.rglob("*") if file.is_file())
    assert size < MOST_UNPACKED
    ours = {path.name for path in (ROOT / "prompts").iterdir()}
    assert {path.name for path in (layer / "prompts").iterdir()} == ours
    assert not list((layer / "python" / "orchestrator").rglob("__pycache__"))


def test_a_build_takes_the_nested_templates_along(built: Path) -> None:
    assert {folder.name for folder in built.iterdir() if (folder / "template.yaml").is_file()} == {
        "Alarms",
        "Dashboard",
        "Network",
    }


def test_the_built_poll_claims_queues_and_starts_a_worker(world: Running) -> None:
    _, job = world.polled()
    assert job.action == "investigate"
    record = world.stack.session.resource("dynamodb", endpoint_url=world.stack.endpoint).Table(
        world.stack.outputs["JobsTableName"]
    )
    assert record.get_item(Key={"job_id": job.job_id})["Item"]["state"] == "queued"
    cluster = world.stack.outputs["ClusterName"]
    assert len(world.stack.client("ecs").list_tasks(cluster=cluster)["taskArns"]) == 1


def test_the_built_poll_shows_how_far_a_job_is(world: Running) -> None:
    issue, job = world.polled()
    before = len(world.jira.issue(issue.key).comments)
    table = world.stack.session.resource("dynamodb", endpoint_url=world.stack.endpoint).Table(
        world.stack.outputs["JobsTableName"]
    )
    table.update_item(
        Key={"job_id": job.job_id},
        UpdateExpression="SET #state = :running, started_at = :long_ago, status_at = :never",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":running": "running", ":long_ago": 1, ":never": 0},
    )
    assert issue.key not in world.invoke("PollFunctionName", {})["failed"]
    shown = table.get_item(Key={"job_id": job.job_id})["Item"]["status_at"]
    assert isinstance(shown, Decimal)
    assert shown > 0
    assert len(world.jira.issue(issue.key).comments) == before


def test_the_built_publisher_tells_the_ticket_and_lets_it_go(world: Running) -> None:
    issue, job = world.polled()
    world.stack.client("s3").put_object(
        Bucket=world.stack.outputs["ArtifactsBucketName"],
        Key=result_key(job.job_id),
        Body=job_result().model_dump_json().encode(),
    )
    attributes = {"ApproximateReceiveCount": "1"}
    record = {"messageId": "1", "receiptHandle": "r", "attributes": attributes, "body": job.model_dump_json()}
    assert world.invoke("PublishFunctionName", {"Records": [record]}) == {"batchItemFailures": []}
    told = world.jira.issue(issue.key)
    assert told.labels == ()
    assert any("INVESTIGATION RESULTS" in comment.text for comment in told.comments)


def test_a_result_that_cannot_be_published_is_named_and_comes_again(world: Running) -> None:
    record = {
        "messageId": "foreign",
        "receiptHandle": "r",
        "attributes": {"ApproximateReceiveCount": "1"},
        "body": "{}",
    }
    answer = world.invoke("PublishFunctionName", {"Records": [record]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "foreign"}]}


def test_a_layer_that_lacks_a_package_is_noticed(world: Running, tmp_path: Path) -> None:
    shutil.copytree(world.built / "CoreLayer", tmp_path / "CoreLayer", symlinks=True)
    shutil.copytree(world.built / "PollJira", tmp_path / "PollJira")
    shutil.rmtree(tmp_path / "CoreLayer" / "python" / "pydantic")
    with pytest.raises(AssertionError, match="No module named 'pydantic'"):
        Running(world.stack, world.jira, tmp_path).invoke("PollFunctionName", {})
