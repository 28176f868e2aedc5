"""What a poll does about the jobs under way: it ends what is cancelled, and tells of what was given up."""

import pytest
from tests.builders import job
from tests.fakes.watched import Watched

from orchestrator.domain.job import PROCESSING_LABEL, JobRecord, JobState
from orchestrator.errors import ConfigError, RefusedError, TransientError

HOUR_S = 3600


@pytest.fixture
def world() -> Watched:
    return Watched()


def test_without_jobs_nobody_is_asked_anything(world: Watched) -> None:
    world.queue.faults.plan("depth", AssertionError())
    world.queue.faults.plan("dead", AssertionError())
    assert (world.watch(), world.tracker.requests) == ([], [])


def test_jobs_that_go_their_way_cost_one_look_each(world: Watched) -> None:
    world.queued(3)
    assert world.watch() == []
    assert world.tracker.calls() == ["look"] * 3
    assert (world.queue.sent, world.results.sent, world.events.warnings()) == ([], [], [])


def test_every_job_whose_label_was_taken_off_is_cancelled_and_no_other(world: Watched) -> None:
    world.queued(3)
    for number in (1, 3):
        world.tracker.relabel(f"DEMO-{number}", off=PROCESSING_LABEL)
    assert world.watch() == ["DEMO-1", "DEMO-3"]
    assert [told.issue_key for told in world.results.jobs()] == ["DEMO-1", "DEMO-3"]


def test_of_a_tracker_that_is_away_nothing_is_concluded_and_nothing_more_asked(world: Watched) -> None:
    world.queued(3)
    world.tracker.relabel("DEMO-2", off=PROCESSING_LABEL)
    world.tracker.faults.plan("look", TransientError("Jira answered 503."))
    assert (world.watch(), world.tracker.calls()) == ([], ["look"])
    (told,) = world.events.named("ticket.not_seen")
    assert told["error"] == "Jira answered 503."
    assert world.watch() == ["DEMO-2"]


@pytest.mark.parametrize("error", [RefusedError("It may not look.", 403), KeyError("a stranger's words")])
def test_one_odd_ticket_keeps_no_other_from_being_cancelled(world: Watched, error: Exception) -> None:
    first, _ = world.queued(2)
    world.tracker.relabel("DEMO-2", off=PROCESSING_LABEL)
    world.tracker.faults.plan("look", error)
    assert world.watch() == ["DEMO-2"]
    (told,) = world.events.named("ticket.not_seen")
    assert told == {
        **first.log_fields(),
        "error": "It may not look." if isinstance(error, RefusedError) else "KeyError",
    }


def test_half_a_record_keeps_no_other_from_being_cancelled(world: Watched) -> None:
    world.jobs.records["half"] = JobRecord(job_id="half", state=JobState.RUNNING)
    world.queued()
    world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL)
    assert world.watch() == ["DEMO-1"]


@pytest.mark.parametrize(("part", "call"), [("tracker", "look"), ("jobs", "give_up")])
def test_what_only_a_person_can_mend_goes_up(world: Watched, part: str, call: str) -> None:
    (taken,) = world.queued()
    world.die(taken, world.queue)
    getattr(world, part).faults.plan(call, ConfigError("It cannot be used."))
    with pytest.raises(ConfigError):
        world.watch()


@pytest.mark.parametrize(("name", "what"), [("queue", "run"), ("results", "published")])
def test_a_job_in_the_dead_letters_is_told_once_with_its_id(world: Watched, name: str, what: str) -> None:
    taken = world.publishing()
    world.wait(300)
    world.die(taken, getattr(world, name))
    for _ in range(5):
        world.watch()
        world.wait(60)
    queue = "jobs" if name == "queue" else name
    assert world.events.named("job.given_up") == [{**taken.log_fields(), "queue": queue}]
    assert world.record(taken).dead_letter == queue
    assert (f"could not be {what}" in world.shown(), taken.job_id in world.shown()) == (True, True)
    assert world.edits() <= 2  # times are kept in whole seconds: what was told in the same one is told again
    assert world.tracker.issues["DEMO-1"].labels == {PROCESSING_LABEL}


def test_a_dead_letter_of_a_job_somebody_is_at_is_not_believed(world: Watched) -> None:
    """It was handed out twice: the other message is at work."""
    (taken,) = world.queued()
    world.die(taken, world.queue)
    world.jobs.start(taken, 1)
    world.watch()
    assert not world.record(taken).dead_letter
    world.wait(60)
    world.watch()
    assert world.record(taken).dead_letter == "jobs"


def test_a_job_that_was_brought_back_is_shown_at_work_again(world: Watched) -> None:
    (taken,) = world.queued()
    world.die(taken, world.queue)
    world.watch()
    assert "stopped" in world.shown()
    world.queue.dead.clear()
    world.jobs.start(taken, 1)
    world.wait(30)
    world.watch()
    assert "running" in world.shown()


def test_a_job_that_was_given_up_ends_when_its_label_is_taken_off(world: Watched) -> None:
    (taken,) = world.queued()
    world.die(taken, world.queue)
    world.watch()
    world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL)
    world.watch()
    assert world.results.jobs() == [taken]
    world.publish(taken)
    assert world.record(taken).state is JobState.ENDED
    assert "cancelled" in world.shown()


def test_a_dead_letter_of_a_job_that_is_none_of_ours_is_nobodys_affair(world: Watched) -> None:
    world.queued()
    world.die(job(job_id="DEMO-9-fix-1", issue_key="DEMO-9"), world.queue)
    world.watch()
    assert world.events.warnings() == []


def test_a_job_without_a_status_comment_is_given_up_all_the_same(world: Watched) -> None:
    (taken,) = world.queued()
    world.jobs.records[taken.job_id] = world.record(taken).model_copy(update={"status_comment": None})
    world.die(taken, world.queue)
    world.watch()
    assert (world.record(taken).dead_letter, world.edits()) == ("jobs", 0)
