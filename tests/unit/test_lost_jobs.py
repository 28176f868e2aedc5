"""Jobs that come back: their message got lost, or what they waited for is there."""

import pytest
from tests.fakes.watched import Watched

from orchestrator.domain.job import PROCESSING_LABEL, JobState, Wait
from orchestrator.domain.money import Account
from orchestrator.errors import TransientError
from orchestrator.usecases.watch_jobs import LOST_AFTER_S

HOUR_S = 3600


@pytest.fixture
def world() -> Watched:
    return Watched()


def test_a_job_without_a_message_is_sent_again_after_ten_silent_minutes(world: Watched) -> None:
    (taken,) = world.queued()
    world.queue.purge()
    world.wait(598)  # the job is a second old
    world.watch()
    assert world.queue.sent == []
    world.wait(1)
    world.watch()
    assert (world.queue.sent, world.queue.jobs()) == ([("DEMO-1", 1)], [taken])
    assert (world.record(taken).sends, world.counted()) == (1, 1)
    assert world.events.named("job.sent_again") == [
        {**taken.log_fields(), "state": JobState.QUEUED, "sends": 1}
    ]
    world.watch()
    assert world.queue.sent == [("DEMO-1", 1)]


def test_one_that_gets_lost_again_is_sent_with_another_number(world: Watched) -> None:
    world.queued()
    for _ in range(2):
        world.queue.purge()
        world.wait(LOST_AFTER_S)
        world.watch()
    assert world.queue.sent == [("DEMO-1", 1), ("DEMO-1", 2)]


def test_a_job_that_waits_its_turn_in_a_long_queue_is_not_sent_again(world: Watched) -> None:
    world.queued(5)
    world.queue.receive(0)  # one is in somebody's hands
    world.wait(HOUR_S)
    world.watch()
    assert world.queue.sent == []


def test_as_many_are_sent_again_as_messages_are_missing_the_oldest_first(world: Watched) -> None:
    world.queued(5)
    del world.queue.messages[3:]
    world.wait(HOUR_S)
    world.watch()
    assert world.queue.sent == [("DEMO-1", 1), ("DEMO-2", 1)]


def test_a_job_somebody_is_at_is_not_sent_again(world: Watched) -> None:
    (taken,) = world.queued()
    world.queue.purge()
    world.jobs.start(taken, 1)
    world.wait(LOST_AFTER_S - 1)
    world.jobs.alive(taken)
    world.wait(LOST_AFTER_S - 1)
    world.watch()
    assert world.queue.sent == []


def test_a_result_that_waits_for_the_publisher_is_not_missing(world: Watched) -> None:
    (taken,) = world.queued()
    world.work(taken)
    world.queue.purge()
    world.wait(HOUR_S)
    world.watch()
    assert (world.queue.sent, world.results.sent) == ([], [("DEMO-1", 0)])


def test_a_result_that_is_lost_before_the_publisher_saw_it_comes_from_the_worker_again(
    world: Watched,
) -> None:
    (taken,) = world.queued()
    world.work(taken)
    world.queue.purge()
    world.results.purge()
    world.wait(LOST_AFTER_S)
    world.watch()
    assert world.queue.sent == [("DEMO-1", 1)]
    world.work(taken)
    assert (world.results.jobs(), len(world.agent.tasks)) == ([taken], 1)


def test_a_publication_is_lost_after_two_hours_and_goes_to_the_publisher(world: Watched) -> None:
    taken = world.publishing()
    world.results.purge()
    world.wait(2 * HOUR_S - 1)
    world.watch()
    assert world.results.sent == []
    world.wait(1)
    world.watch()
    assert (world.queue.sent, world.results.sent, world.results.jobs()) == ([], [("DEMO-1", 1)], [taken])


def test_a_job_that_changed_since_it_was_listed_is_not_sent_again(world: Watched) -> None:
    (taken,) = world.queued()
    world.queue.purge()
    world.wait(LOST_AFTER_S)
    listed = tuple(world.jobs.active())
    world.jobs.start(taken, 1)
    world.poller().watch(listed)
    assert (world.queue.sent, world.counted()) == ([], 0)


def test_a_sending_that_fails_stops_no_other_and_is_made_good(world: Watched) -> None:
    first, _ = world.queued(2)
    world.queue.purge()
    world.wait(LOST_AFTER_S)
    world.queue.faults.plan("send", TransientError("SQS did not answer."))
    world.watch()
    assert [one.issue_key for one in world.queue.jobs()] == ["DEMO-2"]
    assert world.events.named("job.not_looked_after") == [
        {**first.log_fields(), "error": "SQS did not answer."}
    ]
    world.wait(LOST_AFTER_S)
    world.watch()
    assert world.queue.sent[2:] == [("DEMO-1", 2)]


def test_a_job_that_waits_for_money_comes_back_when_it_is_due_and_not_before(world: Watched) -> None:
    (taken,) = world.queued()
    world.queue.purge()  # its worker deletes the message
    world.jobs.park(taken, Wait(Account.DAY, world.clock.now + HOUR_S))
    world.wait(HOUR_S - 1)
    world.watch()
    assert world.queue.sent == []
    world.wait(1)
    world.watch()
    assert (world.queue.sent, world.record(taken).state) == ([("DEMO-1", 1)], JobState.QUEUED)
    assert world.counted() == 0  # nothing was lost
    world.wait(1)
    world.watch()
    assert len(world.queue.sent) == 1
    assert "queued" in world.shown()


def test_a_job_that_waits_for_money_is_shown_once(world: Watched) -> None:
    (taken,) = world.queued()
    world.jobs.park(taken, Wait(Account.DAY, world.clock.now + HOUR_S))
    for _ in range(3):
        world.wait(60)
        world.watch()
    assert (world.edits(), "waiting" in world.shown()) == (1, True)


def test_a_job_that_waits_for_money_is_cancelled_like_any_other(world: Watched) -> None:
    (taken,) = world.queued()
    world.jobs.park(taken, Wait(Account.DAY, world.clock.now))
    world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL)
    assert world.watch() == ["DEMO-1"]
    assert (world.queue.sent, world.results.jobs()) == ([], [taken])


def test_one_that_waits_for_money_hides_no_lost_one_and_makes_none_seem_lost(world: Watched) -> None:
    first, _ = world.queued(2)
    world.jobs.park(first, Wait(Account.DAY, world.clock.now + 2 * HOUR_S))
    del world.queue.messages[0]
    world.wait(HOUR_S)
    world.watch()
    assert world.queue.sent == []
    world.queue.purge()
    world.watch()
    assert world.queue.sent == [("DEMO-2", 1)]


def test_a_job_in_the_dead_letters_is_never_sent_again(world: Watched) -> None:
    (taken,) = world.queued()
    world.die(taken, world.queue)
    for _ in range(3):
        world.wait(3 * HOUR_S)
        world.watch()
    assert (world.queue.sent, world.results.sent) == ([], [])


def test_a_job_that_is_just_being_given_up_makes_no_other_seem_lost(world: Watched) -> None:
    _, younger = world.queued(2)
    world.die(younger, world.queue)
    world.wait(HOUR_S)
    world.watch()
    assert world.queue.sent == []


def test_a_job_that_was_given_up_is_not_sent_again_while_a_person_brings_it_back(world: Watched) -> None:
    given_up, _ = world.queued(2)
    world.die(given_up, world.queue)
    world.watch()
    world.queue.dead.clear()
    world.wait(HOUR_S)
    world.watch()
    assert world.queue.sent == []


def test_dead_letters_nobody_may_read_stop_nothing_else(world: Watched) -> None:
    (taken,) = world.queued()
    world.queue.faults.plan("dead", PermissionError())
    world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL)
    assert world.watch() == ["DEMO-1"]
    assert world.record(taken).cancel_asked
    assert world.events.named("dead_letters.not_seen") == [{"error": "PermissionError"}]
