"""After its claims, and between them, a poll goes on looking for jobs that a person has cancelled."""

import pytest
from tests.builders import issue
from tests.fakes.polled import Polled

from orchestrator.domain.job import PROCESSING_LABEL
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import TransientError
from orchestrator.usecases.poll import MOST_WAITING


@pytest.fixture
def world() -> Polled:
    return Polled()


def test_a_label_taken_off_after_the_claims_is_seen_within_ten_seconds(world: Polled) -> None:
    taken = world.running()
    world.watch_s = 50
    world.clock.acts[3] = lambda: world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL)
    assert world.poll().cancelled == (taken,)
    assert world.jobs.records[taken.job_id].cancel_asked
    assert world.clock.slept == [10] * 5
    # One before the claims, three until it is seen; who is asked to end is not looked at again.
    assert world.tracker.calls().count("look") == 4


def test_watching_ends_with_the_last_job(world: Polled) -> None:
    taken = world.running()
    world.watch_s = 50
    world.clock.acts[2] = lambda: world.jobs.end(taken, Outcome.SUCCEEDED, 0.25)
    world.poll()
    assert world.clock.slept == [10] * 2


def test_of_the_jobs_that_wait_the_latest_are_watched_too(world: Polled) -> None:
    world.limit = MOST_WAITING + 5
    world.label(MOST_WAITING + 2)
    for _ in range(MOST_WAITING + 2):
        world.poll()
        world.wait(1)
    world.tracker.requests.clear()
    world.watch_s = 10
    world.poll()
    looked = [about for name, about in world.tracker.requests if name == "look"]
    # All of them before the claims, then those that people most often think better of.
    assert len(looked) == 2 * MOST_WAITING + 2


def test_a_label_is_seen_off_while_others_are_claimed(world: Polled) -> None:
    taken = world.running()
    world.label(3, first=2)
    world.slow_s = 5
    world.tracker.acts = {"DEMO-3": lambda: world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL)}
    report = world.poll()
    assert (report.cancelled, len(report.claimed)) == ((taken,), 3)
    calls = [(name, about) for name, about in world.tracker.requests if name in {"look", "claim"}]
    assert calls.index(("look", "DEMO-1"), 1) < calls.index(("claim", "DEMO-4"))


def test_a_job_taken_since_the_last_look_is_cancelled_by_the_next_one(world: Polled) -> None:
    world.tracker.add(issue())
    taken = world.take()
    world.watch_s = 10

    def taken_by_a_worker_and_cancelled() -> None:
        world.jobs.start(taken, 1)
        world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL)

    world.clock.acts[1] = taken_by_a_worker_and_cancelled
    assert world.poll().cancelled == (taken,)


def test_watching_is_over_before_the_next_poll_however_long_the_claims_took(world: Polled) -> None:
    world.running()
    world.watch_s = 50
    world.label(1, first=2)
    world.slow_s = 31
    world.poll()
    assert world.clock.slept == [10]


def test_a_tracker_that_is_away_while_it_is_watched_is_asked_again(world: Polled) -> None:
    taken = world.running()
    world.watch_s = 50
    world.clock.acts[1] = lambda: world.tracker.faults.plan("look", TransientError("Jira answered 503."))
    world.clock.acts[2] = lambda: world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL)
    assert world.poll().cancelled == (taken,)
    assert world.events.warnings() == ["ticket.not_seen"]
