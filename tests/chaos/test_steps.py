"""Every call of every port, found by a clean run, is struck before and after: the ticket comes to its one end."""

import ast
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from tests.chaos.points import Fault, Points, are_ports, is_port, is_use_case
from tests.chaos.promises import broken
from tests.chaos.scenarios import SCENARIOS, Scenario
from tests.chaos.world import World

from orchestrator.usecases.poll import Poll
from orchestrator.usecases.publish_in_time import PublishInTime
from orchestrator.usecases.work import Work

ROOT = Path(__file__).parents[2]
CODE = [*ROOT.glob("layers/core/orchestrator/**/*.py"), *ROOT.glob("functions/**/*.py")]
every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)


def played(scenario: Scenario, points: Points) -> World:
    """The scenario until all is quiet."""
    world = scenario.world(points)
    world.go_on()
    return world


def struck(scenario: Scenario, at: int, fault: Fault) -> World:
    """The same, with that fault at that call."""
    return played(scenario, Points(lambda number, _: fault if number == at else None))


@every_scenario
def test_a_ticket_comes_to_its_end_where_nothing_strikes(scenario: Scenario) -> None:
    assert broken(played(scenario, Points()), scenario) == []


@pytest.mark.parametrize("fault", Fault)
@every_scenario
def test_it_comes_to_the_same_end_whatever_strikes_at_whichever_call(
    scenario: Scenario, fault: Fault
) -> None:
    played(scenario, clean := Points())
    found = {
        f"{number} {name}": promises
        for number, name in enumerate(clean.seen)
        if (promises := list(map(str, broken(struck(scenario, number, fault), scenario))))
    }
    assert found == {}


def _ports(kind: Any) -> set[str]:
    """The port fields of a use case, and of those it is made of."""
    known = fields(kind)
    inner = (_ports(field.type) for field in known if is_use_case(field.type))
    return {field.name for field in known if is_port(field.type) or are_ports(field.type)}.union(*inner)


@pytest.mark.parametrize(("function", "kind"), [("poll", Poll), ("work", Work), ("publish", PublishInTime)])
def test_no_port_of_a_function_is_left_out(function: str, kind: type) -> None:
    points = [Points() for _ in SCENARIOS]
    for scenario, own in zip(SCENARIOS, points, strict=True):
        played(scenario, own)
    purged = SCENARIOS[0].world(own := Points())
    purged.poll()
    purged.queue.purge()  # else no message is ever missed
    purged.go_on()
    seen = {name for own in (*points, own) for name in own.seen}
    assert len(_ports(kind)) >= 3
    assert _ports(kind) == {
        port for port in _ports(kind) if any(name.startswith(f"{function}: {port}.") for name in seen)
    }


def test_a_strike_ends_its_process_and_no_other() -> None:
    world = struck(SCENARIOS[0], 0, Fault.KILL_BEFORE)
    assert world.deaths == 1


def _catches(node: ast.AST) -> list[str]:
    """The names that an `except` or a `suppress` catches; a bare `except` catches all."""
    if isinstance(node, ast.ExceptHandler):
        return ["BaseException"] if node.type is None else ast.unparse(node.type).strip("()").split(", ")
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        return [ast.unparse(one) for one in node.args]
    return []


def test_nothing_in_the_code_catches_a_kill() -> None:
    caught = {
        name for path in CODE for node in ast.walk(ast.parse(path.read_text())) for name in _catches(node)
    }
    assert "Exception" in caught
    assert not caught & {"BaseException", "BaseExceptionGroup"}
