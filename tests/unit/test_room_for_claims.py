"""How many jobs a poll claims beside those that take no worker."""

from dataclasses import replace

import pytest
from tests.builders import issue, job
from tests.fakes.watched import Watched

from orchestrator.domain.issue import Left
from orchestrator.domain.job import PROCESSING_LABEL, Job, Wait
from orchestrator.domain.money import Account
from orchestrator.domain.outcome import Outcome
from orchestrator.usecases.poll import MOST_RESTING

LIMIT = 2
WAIT = Wait(Account.DAY, 9_000_000_000.0)


@pytest.fixture
def world() -> Watched:
    return Watched()


def _claimed(world: Watched) -> int:
    return len(replace(world.poller(), limit=LIMIT)().claimed)


def _label(world: Watched, count: int, first: int) -> None:
    for number in range(first, first + count):
        world.tracker.add(issue(id=str(number), key=f"DEMO-{number}"))


def _resting(world: Watched, number: int) -> Job:
    key = f"DEMO-{number}"
    one = job(job_id=f"{key}-investigate-1", issue_id=str(number), issue_key=key)
    labels = frozenset({PROCESSING_LABEL})
    world.tracker.add(issue(id=str(number), key=key, labels=labels, claim=one.model_dump()))
    world.jobs.create(one, None)
    world.jobs.park(one, WAIT)
    return one


def test_a_job_that_waits_for_money_or_a_person_leaves_its_room_to_others(world: Watched) -> None:
    first, second = world.queued(LIMIT)
    _label(world, 3, first=3)
    assert _claimed(world) == 0
    world.jobs.park(first, WAIT)
    world.jobs.give_up(second, "jobs")
    assert _claimed(world) == LIMIT


def test_but_not_without_end_since_every_poll_looks_at_each(world: Watched) -> None:
    resting = [_resting(world, number) for number in range(MOST_RESTING * LIMIT)]
    _label(world, 3, first=100)
    assert _claimed(world) == 0
    world.tracker.release(resting[0], Outcome.FAILED, Left())
    world.jobs.end(resting[0], Outcome.FAILED, None)
    assert _claimed(world) == 1
