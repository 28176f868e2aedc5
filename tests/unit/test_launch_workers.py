"""A poll starts workers; whatever goes wrong with that is told and counted."""

from dataclasses import dataclass, field

import pytest
from tests.builders import job
from tests.fakes.clock import FakeClock
from tests.fakes.events import FakeEvents
from tests.fakes.fleet import FakeFleet
from tests.fakes.queue import FakeQueue

from orchestrator.domain.fleet import UNUSABLE
from orchestrator.errors import TransientError
from orchestrator.usecases.launch_workers import LaunchWorkers

Metric = tuple[str, float, dict[str, str]]


@dataclass
class World:
    """A queue, a fleet, and a clock that both go by."""

    clock: FakeClock = field(default_factory=FakeClock)
    events: FakeEvents = field(default_factory=FakeEvents)

    def __post_init__(self) -> None:
        self.queue = FakeQueue(self.clock)
        self.fleet = FakeFleet(self.clock)
        self.launch = LaunchWorkers(self.queue, self.fleet, 4, self.clock, self.events)

    def send(self, count: int) -> None:
        """That many jobs, each on an issue of its own."""
        for number in range(len(self.queue.messages), len(self.queue.messages) + count):
            self.queue.send(job(job_id=f"DEMO-{number}-fix-1", issue_key=f"DEMO-{number}"))


@pytest.fixture
def world() -> World:
    return World()


def test_an_idle_deployment_asks_ecs_nothing(world: World) -> None:
    world.fleet.faults.plan("tasks", TransientError("not to be asked"))
    world.launch()
    assert (world.fleet.asked, world.events.recorded, world.events.measured) == ([], [], [])


def test_what_was_started_is_told_and_counted(world: World) -> None:
    world.send(3)
    world.launch()
    assert world.events.named("workers.launched") == [{"waiting": 3, "running": 0, "started": 3}]
    assert world.events.measured == [("TasksLaunched", 3, {})]


def test_never_more_run_than_the_limit(world: World) -> None:
    world.send(9)
    for _ in range(3):
        world.launch()
    assert world.fleet.asked == [4]


def test_a_refused_launch_is_counted_and_made_good_by_the_next_poll(world: World) -> None:
    world.send(2)
    world.fleet.room = 0
    world.launch()
    assert world.events.named("workers.refused") == [{"count": 2, "reasons": [world.fleet.refusal]}]
    assert world.events.measured == [("TasksLaunched", 0, {}), ("TaskStartFailures", 2, {})]
    world.fleet.room = 9
    world.launch()
    assert sum(task.is_running for task in world.fleet.all) == 2


def test_a_dead_task_is_made_good_once_its_message_shows_up_again(world: World) -> None:
    world.send(1)
    world.launch()
    world.queue.receive(0)
    world.fleet.stop_one(137)
    world.launch()
    assert world.fleet.asked == [1]
    world.clock.sleep(world.queue.hidden_s)
    world.launch()
    assert world.fleet.asked == [1, 1]


@pytest.mark.parametrize(("at", "call"), [("queue", "waiting"), ("fleet", "tasks"), ("fleet", "start")])
@pytest.mark.parametrize("error", [TransientError("ECS is away."), KeyError("secret of a stranger")])
def test_whatever_fails_is_told_and_counted_and_not_raised(
    world: World, at: str, call: str, error: Exception
) -> None:
    world.send(1)
    getattr(world, at).faults.plan(call, error)
    world.launch()
    (told,) = world.events.named("workers.not_launched")
    assert told == {"error": "ECS is away." if isinstance(error, TransientError) else "KeyError"}
    assert world.events.measured == [("PollErrors", 1, {})]


def test_an_hour_of_unusable_configuration_costs_few_tasks_and_keeps_the_alarm(world: World) -> None:
    world.send(9)
    for _ in range(60):
        world.launch()
        while any(task.is_running for task in world.fleet.all):
            world.fleet.stop_one(UNUSABLE)
        world.clock.sleep(60)
    assert len(world.fleet.all) <= 12
    alarmed = [name for name, value, _ in world.events.measured if name == "TaskStartFailures" and value]
    assert len(alarmed) == 59
    world.launch()
    world.clock.sleep(900)
    world.launch()
    world.clock.sleep(61)
    world.launch()
    assert sum(task.is_running for task in world.fleet.all) == 4
