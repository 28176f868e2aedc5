"""Another process at work in the middle of one, at each of its calls: two polls at once, a worker taken for dead."""

from collections.abc import Callable

import pytest
from tests.chaos.points import Points
from tests.chaos.promises import broken
from tests.chaos.scenarios import SCENARIOS, Scenario
from tests.chaos.world import MINUTE_S, World

# A worker that stands still for this long has lost its message to another.
STALL_S = 130
LONG_AGO = 5
QUICK = tuple(one for one in SCENARIOS if one.name != "a slow chain")
every_scenario = pytest.mark.parametrize("scenario", QUICK, ids=lambda one: one.name)


def intruded(scenario: Scenario, at: int, intrude: Callable[[World], None]) -> World:
    """The scenario until all is quiet, with all of the other process done just before that call."""
    points = Points()
    world, due = scenario.world(points), [at]

    def between(_: str) -> None:
        if due == [len(points.seen)]:
            due.clear()
            intrude(world)

    points.between = between
    world.go_on()
    return world


def _found(scenario: Scenario, function: str, intrude: Callable[[World], None]) -> dict[str, list[str]]:
    scenario.world(clean := Points()).go_on()
    return {
        f"{number} {name}": promises
        for number, name in enumerate(clean.seen)
        if name.startswith(function)
        and (promises := list(map(str, broken(intruded(scenario, number, intrude), scenario))))
    }


def _another_worker(world: World) -> None:
    world.clock.now += STALL_S
    world.take_jobs()


def _another_worker_and_the_publisher(world: World) -> None:
    _another_worker(world)
    world.deliver()


def _minutes(world: World) -> None:
    for _ in range(LONG_AGO):
        world.poll()
        world.take_jobs()
        world.deliver()
        world.clock.now += MINUTE_S


@pytest.mark.parametrize("intrude", [_another_worker, _another_worker_and_the_publisher])
@every_scenario
def test_a_worker_that_stood_still_doubles_nothing(
    scenario: Scenario, intrude: Callable[[World], None]
) -> None:
    assert _found(scenario, "work", intrude) == {}


@every_scenario
def test_two_polls_at_once_claim_once(scenario: Scenario) -> None:
    assert _found(scenario, "poll", World.poll) == {}


def _is_about_more_than_its_status(promise: str) -> bool:
    return "status comment" not in promise


@every_scenario
def test_a_poll_that_stood_still_for_minutes_leaves_no_ticket_behind(scenario: Scenario) -> None:
    found = _found(scenario, "poll", _minutes)
    # Jira knows no condition: a comment or an edit of the status that is on its way cannot be taken back.
    assert {
        name: told
        for name, promises in found.items()
        if (told := [*filter(_is_about_more_than_its_status, promises)])
    } == {}
