"""Before each call of every port something is taken away, or a person changes their mind: the ticket has its end."""

from collections.abc import Callable

import pytest
from tests.chaos.points import Points
from tests.chaos.promises import Broken, Kind, broken
from tests.chaos.scenarios import SCENARIOS, Scenario
from tests.chaos.test_intruders import intruded
from tests.chaos.world import World

from orchestrator.domain.job import PROCESSING_LABEL, JobState
from orchestrator.domain.money import Account, Limits
from orchestrator.domain.outcome import Outcome

KEY = "DEMO-1"
QUICK = tuple(one for one in SCENARIOS if one.name in {"comment", "pull request", "wrong type", "a chain"})
every_scenario = pytest.mark.parametrize("scenario", QUICK, ids=lambda one: one.name)


def _purge_jobs(world: World) -> None:
    world.queue.purge()


def _purge_results(world: World) -> None:
    world.results.purge()


def _lose_all(world: World) -> None:
    for strike in (_purge_jobs, _purge_results, World.empty_table):
        strike(world)


def _found(
    scenario: Scenario, strike: Callable[[World], None], counts: Callable[[Broken], bool] = lambda _: True
) -> dict[str, list[str]]:
    """By call, the promises that did not hold after the stroke just before it."""
    scenario.world(clean := Points()).go_on()
    return {
        f"{number} {name}": told
        for number, name in enumerate(clean.seen)
        if (told := [str(one) for one in _promises(scenario, number, strike) if counts(one)])
    }


def _promises(scenario: Scenario, number: int, strike: Callable[[World], None]) -> list[Broken]:
    world = intruded(scenario, number, strike)
    world.redrive()
    world.go_on()
    return [one for one in broken(world, scenario) if one.kind is not Kind.WRONG]


@pytest.mark.parametrize("purge", [_purge_jobs, _purge_results])
@every_scenario
def test_a_queue_that_was_emptied_loses_no_ticket(scenario: Scenario, purge: Callable[[World], None]) -> None:
    assert _found(scenario, purge) == {}


@pytest.mark.parametrize("strike", [World.empty_table, _lose_all])
@every_scenario
def test_a_job_table_that_was_emptied_loses_no_ticket_and_doubles_nothing(
    scenario: Scenario, strike: Callable[[World], None]
) -> None:
    # What a job cost stood in the table alone; the ticket has to come to its end without.
    assert _found(scenario, strike, lambda one: not one.is_of_the_record) == {}


@every_scenario
def test_a_label_taken_off_at_whichever_call_ends_the_job_once(scenario: Scenario) -> None:
    assert _found(scenario, lambda world: world.cancel(KEY), _is_no_consequence_of_cancelling) == {}


def _is_no_consequence_of_cancelling(one: Broken) -> bool:
    """The next label's job is told nothing of one that was cancelled."""
    return "was not told the result of" not in one.words


def _cancel_and_ask_anew(world: World) -> None:
    world.cancel(KEY)
    if world.cancelled:
        world.tracker.relabel(KEY, on="ai-investigate")


def test_a_label_put_on_again_runs_anew_and_takes_nothing_from_the_job_before() -> None:
    scenario = SCENARIOS[0]
    scenario.world(clean := Points()).go_on()
    ends: dict[str, list[str | None]] = {}
    for number, name in enumerate(clean.seen):
        world = intruded(scenario, number, _cancel_and_ask_anew)
        outcomes = sorted(str(one.outcome) for one in world.jobs.records.values())
        texts = [one for one in world.tracker.own[KEY] if one.part == 0]
        assert len({one.job_id for one in texts}) == len(texts) == len(world.jobs.records), name
        assert not world.tracker.issues[KEY].labels & {PROCESSING_LABEL, "ai-investigate"}, name
        ends[f"{number} {name}"] = [*outcomes]
    assert {tuple(one) for one in ends.values()} == {
        ("succeeded",),
        ("cancelled", "succeeded"),
        ("succeeded", "succeeded"),
    }


def test_ai_processing_that_nobody_answers_for_is_told_and_taken_off_once() -> None:
    world = SCENARIOS[0].world()
    world.tracker.relabel(KEY, on=PROCESSING_LABEL, off="ai-investigate")
    world.go_on()
    (told,) = world.tracker.texts(KEY)
    assert "NOTHING UNDER WAY" in told
    assert PROCESSING_LABEL not in world.tracker.issues[KEY].labels
    assert world.spent == {}


def test_a_job_the_day_has_no_money_for_waits_for_the_next_and_then_runs() -> None:
    scenario = SCENARIOS[0]
    world = scenario.world()
    world.limits = Limits(ticket_usd=100, day_usd=3)
    scenario.put_into(world, "10002", "DEMO-2")
    world.go_on()
    waiting = next(one for one in world.jobs.records.values() if one.state is JobState.WAITING)
    assert "It waits for the day's budget" in world.tracker.status(waiting.issue_key)[0]
    world.clock.now = waiting.wait_until
    world.go_on()
    assert [one.outcome for one in world.jobs.records.values()] == [Outcome.SUCCEEDED, Outcome.SUCCEEDED]
    assert len({of for kind, of in world.jobs.accounts if kind is Account.DAY}) == 2
    assert [one for key in (KEY, "DEMO-2") for one in broken(world, scenario, key)] == []
