"""The tasks that run jobs, and how many more to start: enough for the queue, few while none of them can work."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

# Of BSD's sysexits.h, "configuration error": the worker's own word for "nothing here will work until it is mended".
UNUSABLE = 78
KILLED = 128
NEVER_STARTED = "TaskFailedToStart"
# A task whose configuration is unusable ends within seconds; one that is still there is at work.
PROVEN_AFTER_S = 60.0
REST_S = 60.0
LONGEST_REST_S = 900.0

_Identities = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(
        lambda text: [part.strip() for part in text.split(",")] if isinstance(text, str) else text
    ),
]


class Placement(BaseModel):
    """Where tasks are started, and how many may run at once. Without a cluster none are: something else does it."""

    ecs_cluster: str | None = None
    ecs_task_definition: str = ""
    ecs_subnets: _Identities = ()
    ecs_security_groups: _Identities = ()
    ecs_capacity_provider: str = "FARGATE"
    ecs_assign_public_ip: Literal["ENABLED", "DISABLED"] = "DISABLED"
    max_concurrency: Annotated[int, Field(ge=1, le=64)] = 4

    @model_validator(mode="after")
    def _has_all_of_it(self) -> Self:
        needed = (self.ecs_task_definition, self.ecs_subnets, self.ecs_security_groups)
        if self.ecs_cluster and not all(needed):
            raise ValueError("ECS_CLUSTER needs ECS_TASK_DEFINITION, ECS_SUBNETS and ECS_SECURITY_GROUPS")
        return self

    @property
    def family(self) -> str:
        """The task definition's name, without what is before it in an ARN and without its revision."""
        return self.ecs_task_definition.rpartition("/")[2].partition(":")[0]


@dataclass(frozen=True)
class WorkerTask:
    """One task. Times are seconds since the epoch; `ready_at` is when its container ran, None while it does not.

    `is_current` is false for a task of an earlier deployment.
    """

    created_at: float
    ready_at: float | None = None
    stopped_at: float | None = None
    exit_code: int | None = None
    stop_code: str = ""
    is_current: bool = True

    @property
    def is_running(self) -> bool:
        """Whether it takes a place: one that is still starting does."""
        return self.stopped_at is None

    @property
    def is_starting(self) -> bool:
        """Whether it will ask the queue for a message, but has not yet."""
        return self.is_running and self.ready_at is None

    @property
    def was_fit(self) -> bool:
        """Whether it could work. One that was killed was: that says something about its job or its machine."""
        return self.stop_code != NEVER_STARTED and not 0 < (self.exit_code or 0) < KILLED


@dataclass(frozen=True)
class LaunchPlan:
    """How many tasks to start now. `failed` of the last ones in a row could not work."""

    start: int
    running: int
    failed: int = 0


@dataclass(frozen=True)
class Launched:
    """What became of a wish for tasks: how many start, and why each of the others does not."""

    started: int
    failures: tuple[str, ...] = ()


def plan_launch(waiting: int, tasks: Iterable[WorkerTask], limit: int, now: float) -> LaunchPlan:
    """A task for each message that no task is on its way to, within the limit.

    While the last tasks could not work, one is tried at a time, and after each failure a minute longer is waited.
    """
    tasks = tuple(tasks)
    running = [task for task in tasks if task.is_running]
    on_their_way = sum(task.is_starting for task in running)
    wanted = max(0, min(waiting - on_their_way, limit - len(running)))
    failures = _last_failures(tasks, now)
    if not failures:
        return LaunchPlan(wanted, len(running))
    rested = now - failures[0] >= min(REST_S * len(failures), LONGEST_REST_S)
    is_tried = any(task.created_at > failures[0] for task in running)
    return LaunchPlan(min(wanted, int(rested and not is_tried)), len(running), len(failures))


def _last_failures(tasks: Iterable[WorkerTask], now: float) -> list[float]:
    """When each of the failures ended that no working task came after, the latest first."""
    proofs = sorted(
        (proof for task in tasks if task.is_current and (proof := _proof(task, now)) is not None),
        reverse=True,
    )
    return [moment for moment, fit in takewhile(lambda proof: not proof[1], proofs)]


def _proof(task: WorkerTask, now: float) -> tuple[float, bool] | None:
    """When it was seen whether the task can work, and whether; None while that is open."""
    if task.stopped_at is not None:
        return task.stopped_at, task.was_fit
    if task.ready_at is not None and now - task.ready_at >= PROVEN_AFTER_S:
        return task.ready_at + PROVEN_AFTER_S, True
    return None
