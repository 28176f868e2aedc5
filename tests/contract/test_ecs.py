"""Worker tasks against moto's ECS over HTTP, and the fake by the same tests where moto can play them.

moto has no times and no exit codes, lists all at once, refuses nothing, and takes over no tags: what ECS says of
those is given to the adapter as ECS writes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from tests.fakes.fleet import FakeFleet

from alm.aws import LocalAws
from alm.environment import REGION
from orchestrator.adapters.ecs import EcsFleet, run_task_request, worker_task
from orchestrator.domain.fleet import Launched, Placement, WorkerTask
from orchestrator.errors import TransientError
from orchestrator.ports import WorkerFleet

SESSION = boto3.session.Session("local", "local", region_name=REGION)
ARN = "arn:aws:ecs:us-east-1:123456789012:task-definition/alm-worker:7"
PLACEMENT = Placement(
    ecs_cluster="c",
    ecs_task_definition=ARN,
    ecs_subnets=("subnet-1", "subnet-2"),
    ecs_security_groups=("sg-1",),
    ecs_capacity_provider="FARGATE_SPOT",
    ecs_assign_public_ip="ENABLED",
)


@pytest.fixture
def moto_fleet(aws: LocalAws) -> EcsFleet:
    """A cluster of the test's own, with a worker that has two revisions."""
    client, ec2 = (SESSION.client(name, endpoint_url=aws.endpoint) for name in ("ecs", "ec2"))
    cluster = client.create_cluster(clusterName=uuid4().hex)["cluster"]["clusterArn"]
    family = f"worker-{uuid4().hex}"
    for _ in range(2):
        made = client.register_task_definition(
            family=family,
            networkMode="awsvpc",
            containerDefinitions=[{"name": "worker", "image": "x", "memory": 128}],
        )
    placement = PLACEMENT.model_copy(
        update={
            "ecs_cluster": cluster,
            "ecs_task_definition": made["taskDefinition"]["taskDefinitionArn"],
            "ecs_subnets": (ec2.describe_subnets()["Subnets"][0]["SubnetId"],),
            "ecs_security_groups": (ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"],),
        }
    )
    return EcsFleet(client, placement)


@pytest.fixture(params=["moto", "fake"])
def fleet(request: pytest.FixtureRequest) -> WorkerFleet:
    if request.param == "fake":
        return FakeFleet()
    made: EcsFleet = request.getfixturevalue("moto_fleet")
    return made


def test_a_new_fleet_is_empty(fleet: WorkerFleet) -> None:
    assert fleet.tasks() == ()


def test_what_was_started_runs(fleet: WorkerFleet) -> None:
    assert fleet.start(2) == Launched(2)
    assert fleet.start(1) == Launched(1)
    assert [task.is_running for task in fleet.tasks()] == [True] * 3


@pytest.mark.parametrize("count", [10, 11, 64])
def test_more_than_one_call_can_start_are_started(fleet: WorkerFleet, count: int) -> None:
    assert fleet.start(count) == Launched(count)
    assert len(fleet.tasks()) == count


def test_tasks_are_started_with_the_placement_and_our_name(moto_fleet: EcsFleet, aws: LocalAws) -> None:
    moto_fleet.start(1)
    client = SESSION.client("ecs", endpoint_url=aws.endpoint)
    placement = moto_fleet.placement
    arns = client.list_tasks(cluster=placement.ecs_cluster)["taskArns"]
    (task,) = client.describe_tasks(cluster=placement.ecs_cluster, tasks=arns)["tasks"]
    assert (task["startedBy"], task["capacityProviderName"]) == ("poll_jira", "FARGATE_SPOT")
    assert task["taskDefinitionArn"] == placement.ecs_task_definition
    details = {detail["name"]: detail["value"] for detail in task["attachments"][0]["details"]}
    assert details["subnetId"] == placement.ecs_subnets[0]


def test_a_task_that_has_stopped_is_told_too_and_does_not_run(moto_fleet: EcsFleet, aws: LocalAws) -> None:
    moto_fleet.start(2)
    client = SESSION.client("ecs", endpoint_url=aws.endpoint)
    arns = client.list_tasks(cluster=moto_fleet.placement.ecs_cluster)["taskArns"]
    client.stop_task(cluster=moto_fleet.placement.ecs_cluster, task=arns[0])
    assert sorted(task.is_running for task in moto_fleet.tasks()) == [False, True]


def test_tasks_of_other_families_and_clusters_do_not_count(moto_fleet: EcsFleet, aws: LocalAws) -> None:
    client = SESSION.client("ecs", endpoint_url=aws.endpoint)
    client.register_task_definition(
        family="other", containerDefinitions=[{"name": "other", "image": "x", "memory": 128}]
    )
    client.run_task(cluster=moto_fleet.placement.ecs_cluster, taskDefinition="other", launchType="FARGATE")
    assert moto_fleet.tasks() == ()


def test_a_cluster_that_is_gone_is_a_refused_launch_and_a_transient_error(moto_fleet: EcsFleet) -> None:
    placement = moto_fleet.placement.model_copy(update={"ecs_cluster": "gone"})
    gone = EcsFleet(moto_fleet.client, placement)
    assert gone.start(2) == Launched(0, ("ClusterNotFoundException",) * 2)
    with pytest.raises(
        TransientError, match=r"ECS did not tell which tasks run \(ClusterNotFoundException\)"
    ):
        gone.tasks()


def test_the_request_is_one_that_ecs_takes() -> None:
    model = ServiceModel(Loader().load_service_model("ecs", "service-2"), "ecs")
    shape = model.operation_model("RunTask").input_shape
    assert shape is not None
    request = run_task_request(PLACEMENT, 10)
    assert ParamValidator().validate(request, shape).generate_report() == ""
    assert request["propagateTags"] == "TASK_DEFINITION"
    assert request["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": ["subnet-1", "subnet-2"],
        "securityGroups": ["sg-1"],
        "assignPublicIp": "ENABLED",
    }


@dataclass
class Ecs:
    """ECS as the adapter calls it: pages of two, and answers to RunTask one by one."""

    listed: dict[str, list[str]] = field(default_factory=dict)
    answers: list[Any] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    described: list[int] = field(default_factory=list)

    def run_task(self, **request: Any) -> dict[str, Any]:
        self.counts.append(request["count"])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    def describe_tasks(self, **request: Any) -> dict[str, Any]:
        self.described.append(len(request["tasks"]))
        return {"tasks": [{"lastStatus": "RUNNING"} for _ in request["tasks"]]}

    def get_paginator(self, name: str) -> "Ecs":
        assert name == "list_tasks"
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        arns = self.listed.get(request["desiredStatus"], [])
        return [{"taskArns": arns[at : at + 2]} for at in range(0, len(arns), 2)]


def started(count: int, *reasons: str) -> Mapping[str, Any]:
    """What RunTask answers."""
    return {"tasks": [{}] * count, "failures": [{"arn": "a", "reason": reason} for reason in reasons]}


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "arn:aws:iam::123456789012:role/x"}}, "RunTask")


@pytest.mark.parametrize(
    ("answers", "launched", "counts"),
    [
        ([started(7, *["RESOURCE:ENI"] * 3)], Launched(7, ("RESOURCE:ENI",) * 3), [10]),
        ([started(10), started(0, "Capacity")], Launched(10, ("Capacity",)), [10, 2]),
        ([started(10), refused("ThrottlingException")], Launched(10, ("ThrottlingException",) * 2), [10, 2]),
        ([refused("AccessDeniedException")], Launched(0, ("AccessDeniedException",) * 10), [10]),
        (
            [EndpointConnectionError(endpoint_url="https://ecs.example")],
            Launched(0, ("EndpointConnectionError",) * 10),
            [10],
        ),
    ],
    ids=["some", "later", "throttled", "denied", "unreachable"],
)
def test_what_is_refused_is_told_by_its_name_and_not_asked_again(
    answers: list[Any], launched: Launched, counts: list[int]
) -> None:
    ecs = Ecs(answers=answers)
    assert EcsFleet(ecs, PLACEMENT).start(12) == launched
    assert ecs.counts == counts


def test_every_page_is_read_and_stopped_tasks_only_up_to_a_bound() -> None:
    ecs = Ecs(
        {"RUNNING": [f"r{number}" for number in range(5)], "STOPPED": [f"s{number}" for number in range(400)]}
    )
    assert len(EcsFleet(ecs, PLACEMENT).tasks()) == 305
    assert ecs.described == [100, 100, 100, 5]


def moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


@pytest.mark.parametrize(
    ("task", "value"),
    [
        (
            {
                "lastStatus": "PENDING",
                "createdAt": moment(10),
                "taskDefinitionArn": ARN,
                "containers": [{"name": "w"}],
            },
            WorkerTask(created_at=10),
        ),
        (
            {
                "lastStatus": "RUNNING",
                "createdAt": moment(10),
                "startedAt": moment(50),
                "taskDefinitionArn": ARN,
            },
            WorkerTask(created_at=10, ready_at=50),
        ),
        (
            {
                "lastStatus": "STOPPED",
                "createdAt": moment(10),
                "startedAt": moment(50),
                "stoppedAt": moment(60),
                "stopCode": "EssentialContainerExited",
                "containers": [{"name": "w", "exitCode": 78}],
                "taskDefinitionArn": ARN.replace(":7", ":6"),
            },
            WorkerTask(10, 50, 60, 78, "EssentialContainerExited", is_current=False),
        ),
        (
            {
                "lastStatus": "STOPPED",
                "createdAt": moment(10),
                "stoppedAt": moment(40),
                "stopCode": "TaskFailedToStart",
                "containers": [{"name": "w", "reason": "CannotPullContainerError"}],
                "taskDefinitionArn": ARN,
            },
            WorkerTask(10, None, 40, None, "TaskFailedToStart"),
        ),
        (
            {
                "lastStatus": "DEPROVISIONING",
                "createdAt": moment(10),
                "startedAt": moment(50),
                "taskDefinitionArn": ARN,
            },
            WorkerTask(10, 50),
        ),
    ],
    ids=["starting", "running", "ended", "never started", "ending"],
)
def test_a_task_is_read_as_ecs_writes_it(task: dict[str, Any], value: WorkerTask) -> None:
    assert worker_task(task, PLACEMENT) == value
