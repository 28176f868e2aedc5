"""Half-done changes: kept when a run was cut short, gone on with by the next run of that action on that ticket."""

from typing import Any

import pytest
from tests.builders import (
    agent_run,
    brief,
    changeset,
    cli_result,
    denial,
    fault,
    fix_job,
    fix_result,
    verdict,
)
from tests.fakes.code_host import FakeCheckout
from tests.unit.test_run_job import World

from orchestrator.domain.agent import OUT_OF_BUDGET, OUT_OF_TURNS, AgentRun, Source, Stop
from orchestrator.domain.changeset import FileChange, FileMode
from orchestrator.domain.halt import Halt
from orchestrator.domain.job import Unfinished, brief_key, result_key
from orchestrator.domain.outcome import JobResult, Outcome
from orchestrator.errors import NewerFormat
from orchestrator.ports import Delivery

EARLIER = "DEMO-1-fix-111111111111"
DRAFT = changeset(changes=(FileChange.written("half.py", FileMode.REGULAR, b"half\n"),))
OVERSPENT = denial(source=Source.BUDGET)


@pytest.fixture
def world() -> World:
    return World()


def cut(**changes: Any) -> AgentRun:
    return agent_run(result=cli_result(is_error=True, result=None, **changes), exit_status=1)


@pytest.mark.parametrize(
    ("run", "outcome"),
    [
        (agent_run(result=None, stop=Stop.DEADLINE), Outcome.TIMED_OUT),
        (cut(subtype=OUT_OF_TURNS), Outcome.FAILED),
        (cut(subtype=OUT_OF_BUDGET), Outcome.FAILED),
        (agent_run(result=None, denials=(OVERSPENT,)), Outcome.FAILED),
    ],
    ids=["deadline", "turns", "budget", "ledger"],
)
def test_what_a_run_that_was_cut_short_has_changed_is_kept(
    world: World, run: AgentRun, outcome: Outcome
) -> None:
    world.agent.answer = run
    result = world.run(fix_job())
    assert (result.verdict.outcome, result.draft, result.changeset) == (outcome, True, changeset())


@pytest.mark.parametrize(
    "run",
    [
        agent_run(),
        agent_run(result=None),
        agent_run(result=None, stop=Stop.EXCESS, excess="it used too much memory"),
        agent_run(result=None, stop=Stop.CANCELLED),
        agent_run(result=cli_result(subtype="error_during_execution", is_error=True), exit_status=1),
    ],
    ids=["done", "crashed", "excess", "cancelled", "error"],
)
def test_what_another_run_has_changed_is_no_draft(world: World, run: AgentRun) -> None:
    world.agent.answer = run
    assert not world.run(fix_job()).draft


@pytest.mark.parametrize(
    "found", [changeset(changes=()), changeset(blocked=(fault(),)), None], ids=["empty", "blocked", "unread"]
)
def test_what_cannot_be_gone_on_with_is_no_draft(world: World, found: Any) -> None:
    world.cloner.checkout = FakeCheckout(found)
    world.agent.answer = agent_run(result=None, stop=Stop.DEADLINE)
    assert not world.run(fix_job()).draft


def test_a_change_of_a_protected_path_is_no_draft(world: World) -> None:
    workflow = FileChange.written(".github/workflows/ci.yml", FileMode.REGULAR, b"on: push\n")
    world.cloner.checkout = FakeCheckout(changeset(changes=(workflow,)))
    world.agent.answer = agent_run(result=None, stop=Stop.DEADLINE)
    assert not world.run(fix_job()).draft


def test_an_analysis_has_no_draft(world: World) -> None:
    world.agent.answer = agent_run(result=None, stop=Stop.DEADLINE)
    assert not world.run().draft


def left(world: World, unfinished: Unfinished | None, result: JobResult | None = None) -> None:
    """An earlier run left that result, and the ticket says that of it."""
    world.artifacts.put(brief_key(fix_job()), brief(unfinished=unfinished).model_dump_json().encode())
    if result is not None:
        world.artifacts.put(result_key(EARLIER), result.model_dump_json().encode())


HALF = fix_result(changeset=DRAFT, draft=True, verdict=verdict(Outcome.TIMED_OUT, "Too long."))
LEFT = Unfinished(action="fix", job_id=EARLIER, draft=True)


def test_the_next_run_of_the_action_begins_with_it_and_is_told_so(world: World) -> None:
    left(world, LEFT, HALF)
    carried: list[Any] = []
    world.agent.meanwhile = lambda _: carried.extend(world.cloner.checkout.carried)
    result = world.run(fix_job())
    assert (carried, result.continued) == ([DRAFT], True)
    assert "'continued': True" in world.agent.tasks[0].prompt


def test_a_run_without_a_draft_is_told_nothing_of_one(world: World) -> None:
    result = world.run(fix_job())
    assert (world.cloner.checkout.carried, result.continued) == ([], False)
    assert "'continued': False" in world.agent.tasks[0].prompt


def test_a_draft_that_does_not_fit_any_more_is_not_gone_on_with(world: World) -> None:
    world.cloner.checkout = FakeCheckout(changeset(), fits=False)
    left(world, LEFT, HALF)
    assert not world.run(fix_job()).continued
    assert "'continued': False" in world.agent.tasks[0].prompt


@pytest.mark.parametrize(
    "forged",
    [
        LEFT.model_copy(update={"job_id": "OTHER-9-fix-111111111111"}),
        LEFT.model_copy(update={"job_id": "DEMO-1-investigate-1"}),
        LEFT.model_copy(update={"job_id": "DEMO-11-fix-1"}),
        LEFT.model_copy(update={"action": "implement", "job_id": "DEMO-1-implement-1"}),
        LEFT.model_copy(update={"draft": False}),
    ],
    ids=["issue", "of another action", "prefix", "action", "none"],
)
def test_only_a_draft_of_this_action_on_this_ticket_is_gone_on_with(world: World, forged: Unfinished) -> None:
    left(world, forged)
    world.artifacts.put(result_key(forged.job_id), HALF.model_dump_json().encode())
    assert not world.run(fix_job()).continued
    assert world.cloner.checkout.carried == []


@pytest.mark.parametrize(
    "stored", [None, HALF.model_copy(update={"draft": False}), HALF.model_copy(update={"changeset": None})]
)
def test_a_draft_that_is_gone_or_is_none_is_not_gone_on_with(world: World, stored: JobResult | None) -> None:
    left(world, LEFT, stored)
    result = world.run(fix_job())
    assert (result.continued, result.verdict.outcome) == (False, Outcome.SUCCEEDED)


def test_a_draft_that_cannot_be_read_is_not_gone_on_with(world: World) -> None:
    left(world, LEFT)
    world.artifacts.put(result_key(EARLIER), b'{"verdict"')
    assert not world.run(fix_job()).continued


def test_a_draft_of_a_newer_release_is_left_for_that_one(world: World) -> None:
    left(world, LEFT)
    world.artifacts.put(result_key(EARLIER), b'{"version": 3}')
    with pytest.raises(NewerFormat):
        world.use_case(Delivery(fix_job(), 1, "receipt"), Halt())
    assert world.agent.tasks == []


def test_a_run_that_went_on_and_was_cut_short_again_keeps_all_of_it(world: World) -> None:
    left(world, LEFT, HALF)
    world.agent.answer = agent_run(result=None, stop=Stop.DEADLINE)
    result = world.run(fix_job())
    assert (result.continued, result.draft, result.changeset) == (True, True, changeset())
