"""Worker tasks on ECS: which there are, and more of them.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import batched, islice
from typing import Any, Literal, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.domain.fleet import Launched, Placement, WorkerTask
from orchestrator.errors import TransientError

STARTED_BY = "poll_jira"
MOST_A_CALL = 10
# DescribeTasks takes no more at once.
DESCRIBED = 100
# ECS shows stopped tasks for about an hour: of a busy hour these tell enough.
MOST_STOPPED = 300


class EcsClient(Protocol):
    """What is used of boto3's client."""

    def run_task(self, **request: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html."""

    def describe_tasks(self, **request: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html."""

    def get_paginator(self, name: Literal["list_tasks"]) -> Any:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html."""


@dataclass(frozen=True)
class EcsFleet:
    """The tasks of one task definition's family in one cluster."""

    client: EcsClient
    placement: Placement

    def tasks(self) -> tuple[WorkerTask, ...]:
        """Every task that is starting or running, and those that stopped within about the last hour."""
        with _translated():
            # ECS never sets the desired status to PENDING: RUNNING covers those that are starting too.
            arns = (*self._listed("RUNNING"), *islice(self._listed("STOPPED"), MOST_STOPPED))
            return tuple(self._described(arns))

    def start(self, count: int) -> Launched:
        """Start that many; what ECS refuses is told, and the next poll tries again."""
        started = 0
        for batch in batched(range(count), MOST_A_CALL):
            some = self._started(len(batch))
            started += some.started
            if some.failures:
                return Launched(started, some.failures)
        return Launched(started)

    def _started(self, count: int) -> Launched:
        try:
            answer = self.client.run_task(**run_task_request(self.placement, count))
        except (ClientError, BotoCoreError) as error:
            return Launched(0, (_code(error),) * count)
        failures = tuple(str(failure.get("reason", "no reason given")) for failure in answer["failures"])
        return Launched(len(answer["tasks"]), failures)

    def _listed(self, status: str) -> Iterator[str]:
        pages = self.client.get_paginator("list_tasks").paginate(
            cluster=self.placement.ecs_cluster, family=self.placement.family, desiredStatus=status
        )
        for page in pages:
            yield from page["taskArns"]

    def _described(self, arns: tuple[str, ...]) -> Iterator[WorkerTask]:
        for batch in batched(arns, DESCRIBED):
            answer = self.client.describe_tasks(cluster=self.placement.ecs_cluster, tasks=list(batch))
            yield from (worker_task(task, self.placement) for task in answer["tasks"])


def run_task_request(placement: Placement, count: int) -> dict[str, Any]:
    """What RunTask is asked; boto3 adds the token by which a repeated request starts nothing twice."""
    return {
        "cluster": placement.ecs_cluster,
        "taskDefinition": placement.ecs_task_definition,
        "count": count,
        "capacityProviderStrategy": [{"capacityProvider": placement.ecs_capacity_provider, "weight": 1}],
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": list(placement.ecs_subnets),
                "securityGroups": list(placement.ecs_security_groups),
                "assignPublicIp": placement.ecs_assign_public_ip,
            }
        },
        "startedBy": STARTED_BY,
        # The stack's tags stand on its task definition.
        "propagateTags": "TASK_DEFINITION",
        "enableECSManagedTags": True,
    }


def worker_task(task: dict[str, Any], placement: Placement) -> WorkerTask:
    """DescribeTasks' JSON as a value; the worker is the task's one container."""
    exits = [container["exitCode"] for container in task.get("containers", ()) if "exitCode" in container]
    is_stopped = task.get("lastStatus") == "STOPPED"
    ended = _seconds(task, "stoppedAt", "stoppingAt", "createdAt")
    return WorkerTask(
        created_at=_seconds(task, "createdAt") or 0.0,
        ready_at=_ready(task),
        stopped_at=(ended or 0.0) if is_stopped else None,
        exit_code=exits[0] if exits else None,
        stop_code=task.get("stopCode", ""),
        is_current=placement.ecs_task_definition in {task.get("taskDefinitionArn"), placement.family},
    )


def _ready(task: dict[str, Any]) -> float | None:
    is_running = task.get("lastStatus") == "RUNNING"
    return _seconds(task, "startedAt", "createdAt") or 0.0 if is_running else _seconds(task, "startedAt")


def _seconds(task: dict[str, Any], *names: str) -> float | None:
    """The first of these moments that the task has come to."""
    moments: list[datetime] = [task[name] for name in names if task.get(name)]
    return moments[0].timestamp() if moments else None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise TransientError(f"ECS did not tell which tasks run ({_code(error)}).") from error


def _code(error: ClientError | BotoCoreError) -> str:
    """Its name and none of its words, which hold ARNs."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
