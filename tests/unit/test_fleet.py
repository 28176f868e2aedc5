"""How many worker tasks a poll starts."""

import pytest

from orchestrator.config import PollSettings
from orchestrator.domain.fleet import UNUSABLE, LaunchPlan, WorkerTask, plan_launch
from orchestrator.errors import ConfigError

NOW = 1_800_000_000.0
ENVIRONMENT = {
    "JOBS_TABLE": "t",
    "ARTIFACTS_BUCKET": "b",
    "JOB_QUEUE_URL": "q",
    "RESULT_QUEUE_URL": "r",
    "JIRA_URL": "https://example.atlassian.net",
    "JIRA_PROJECT_KEY": "DEMO",
    "GITHUB_REPO": "o/r",
}
FLEET = {
    "ECS_CLUSTER": "c",
    "ECS_TASK_DEFINITION": "arn:aws:ecs:us-east-1:123456789012:task-definition/alm-worker:7",
    "ECS_SUBNETS": "subnet-1, subnet-2",
    "ECS_SECURITY_GROUPS": "sg-1",
}


def running(since_s: float = 600) -> WorkerTask:
    """A task that has been there that long, and at work for as long."""
    return WorkerTask(created_at=NOW - since_s, ready_at=NOW - since_s)


def starting(since_s: float = 10) -> WorkerTask:
    """A task without a container yet."""
    return WorkerTask(created_at=NOW - since_s)


def stopped(ago_s: float, exit_code: int | None = 0, **changes: object) -> WorkerTask:
    """A task that has ended."""
    at = NOW - ago_s
    facts = {"ready_at": at - 5, "stopped_at": at, "exit_code": exit_code, **changes}
    return WorkerTask(created_at=at - 30, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("waiting", "at_work", "limit", "start"),
    [(0, 0, 4, 0), (1, 0, 4, 1), (3, 1, 4, 3), (9, 1, 4, 3), (2, 4, 4, 0), (2, 6, 4, 0), (99, 0, 64, 64)],
)
def test_a_task_is_started_for_each_waiting_message_within_the_limit(
    waiting: int, at_work: int, limit: int, start: int
) -> None:
    tasks = (running(),) * at_work
    assert plan_launch(waiting, tasks, limit, NOW) == LaunchPlan(start, at_work)


@pytest.mark.parametrize(("waiting", "start"), [(1, 0), (2, 0), (3, 1), (9, 2)])
def test_a_message_that_a_task_is_on_its_way_to_gets_no_second_one(waiting: int, start: int) -> None:
    assert plan_launch(waiting, (starting(), starting()), 4, NOW).start == start


def test_stopped_tasks_take_no_place() -> None:
    assert plan_launch(4, (stopped(60), stopped(90)), 4, NOW) == LaunchPlan(4, 0)


@pytest.mark.parametrize(
    ("failed", "ago_s", "start"),
    [(1, 59, 0), (1, 60, 1), (4, 239, 0), (4, 240, 1), (60, 899, 0), (60, 900, 1)],
)
def test_after_failures_one_task_is_tried_and_each_time_a_minute_later_up_to_fifteen(
    failed: int, ago_s: float, start: int
) -> None:
    tasks = [stopped(ago_s + 30 * number, UNUSABLE) for number in range(failed)]
    assert plan_launch(4, tasks, 4, NOW) == LaunchPlan(start, 0, failed)


def test_while_one_is_tried_no_other_is_started() -> None:
    assert plan_launch(4, (stopped(300, UNUSABLE), starting()), 4, NOW).start == 0
    assert plan_launch(4, (stopped(300, UNUSABLE), running(30)), 4, NOW).start == 0


@pytest.mark.parametrize("proof", [stopped(100, 0), running(61)], ids=["it ended well", "it is at work"])
def test_one_task_that_worked_since_ends_the_rest(proof: WorkerTask) -> None:
    failed = stopped(200, UNUSABLE)
    plan = plan_launch(9, (failed, proof), 4, NOW)
    assert (plan.failed, plan.start) == (0, 4 - proof.is_running)


def test_a_task_that_was_at_work_before_the_failures_proves_nothing() -> None:
    assert plan_launch(4, (running(3600), stopped(30, UNUSABLE)), 4, NOW) == LaunchPlan(0, 1, 1)


@pytest.mark.parametrize(
    ("exit_code", "stop_code", "failed"),
    [
        (0, "EssentialContainerExited", 0),
        (UNUSABLE, "EssentialContainerExited", 1),
        (1, "EssentialContainerExited", 1),
        (137, "EssentialContainerExited", 0),
        (143, "SpotInterruption", 0),
        (None, "SpotInterruption", 0),
        (None, "TaskFailedToStart", 1),
    ],
    ids=str,
)
def test_what_counts_as_a_failure_is_not_to_have_been_able_to_work(
    exit_code: int | None, stop_code: str, failed: int
) -> None:
    assert plan_launch(1, [stopped(10, exit_code, stop_code=stop_code)], 4, NOW).failed == failed


def test_failures_of_an_earlier_deployment_count_for_nothing() -> None:
    assert plan_launch(2, [stopped(10, UNUSABLE, is_current=False)], 4, NOW) == LaunchPlan(2, 0)


def test_without_a_cluster_nothing_is_to_be_launched() -> None:
    assert PollSettings.read({**ENVIRONMENT, **dict.fromkeys(FLEET, "")}).ecs_cluster is None


def test_lists_are_read_between_commas_and_the_family_from_the_arn() -> None:
    settings = PollSettings.read({**ENVIRONMENT, **FLEET})
    assert (settings.ecs_subnets, settings.ecs_security_groups) == (("subnet-1", "subnet-2"), ("sg-1",))
    assert (settings.family, settings.ecs_capacity_provider, settings.max_concurrency) == (
        "alm-worker",
        "FARGATE",
        4,
    )


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ECS_SUBNETS": ""}, "ECS_CLUSTER needs ECS_TASK_DEFINITION, ECS_SUBNETS and ECS_SECURITY_GROUPS"),
        ({"ECS_TASK_DEFINITION": ""}, "ECS_CLUSTER needs"),
        ({"ECS_SUBNETS": "subnet-1,,"}, "ECS_SUBNETS"),
        ({"MAX_CONCURRENCY": "0"}, "MAX_CONCURRENCY"),
        ({"MAX_CONCURRENCY": "65"}, "MAX_CONCURRENCY"),
        ({"MAX_CONCURRENCY": "four"}, "MAX_CONCURRENCY"),
        ({"ECS_ASSIGN_PUBLIC_IP": "yes"}, "ECS_ASSIGN_PUBLIC_IP"),
    ],
)
def test_half_a_placement_is_refused_at_the_start(changes: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        PollSettings.read({**ENVIRONMENT, **FLEET, **changes})
