"""An issue that stops polls, and a result that stops the publisher, are set aside and reported."""

from dataclasses import dataclass, field

import pytest
from tests.builders import issue
from tests.fakes.pipeline import Pipeline
from tests.fakes.tracker import FakeTracker

from orchestrator.domain.attempt import MOST_ATTEMPTS, REMEMBERED_S, UNDER_WAY_S
from orchestrator.domain.issue import Issue
from orchestrator.domain.job import PROCESSING_LABEL, Job
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import OutOfTime, TransientError
from orchestrator.usecases.claim_issue import HELD_S
from orchestrator.usecases.take_issue import FOR_AN_ISSUE

MINUTE_S = 60


class Killed(BaseException):
    """What takes the process away."""


@dataclass
class StallingTracker(FakeTracker):
    """Reading a ticket ends as planned for its key: by the limit or by a kill."""

    reads: dict[str, BaseException] = field(default_factory=dict)

    def read(self, key: str) -> Issue | None:
        found = super().read(key)
        if key in self.reads:
            raise self.reads[key]
        return found


@dataclass
class World(Pipeline):
    """Several tickets, the first of which stalls."""

    tracker: StallingTracker = field(default_factory=StallingTracker)

    def label(self, count: int = 3, **changes: object) -> None:
        self.tracker.add(*(issue(id=str(n), key=f"DEMO-{n}", **changes) for n in range(1, count + 1)))

    def polls(self) -> list[str]:
        """The keys that one poll claimed, a minute later; none if it was killed."""
        self.wait(MINUTE_S)
        try:
            return [job.issue_key for job in self.poll().claimed]
        except Killed:
            return []


@pytest.fixture
def world() -> World:
    return World()


def test_an_issue_that_takes_too_long_does_not_keep_the_others_of_its_poll_waiting(world: World) -> None:
    world.label()
    world.tracker.reads["DEMO-1"] = OutOfTime(is_busy=True)
    assert world.polls() == ["DEMO-2", "DEMO-3"]
    assert world.events.named("claim.failed")[0]["issue_key"] == "DEMO-1"
    assert ("PollErrors", 1, {}) in world.events.measured


def test_an_issue_that_killed_a_poll_comes_after_all_others_in_the_next_one(world: World) -> None:
    world.label()
    world.tracker.reads["DEMO-1"] = Killed()
    assert world.polls() == []
    world.tracker.requests.clear()
    assert world.polls() == []  # killed again, but the others are claimed by then
    claimed = [key for name, key in world.tracker.requests if name == "claim"]
    assert claimed == ["DEMO-2", "DEMO-3"]


@pytest.mark.parametrize("end", [OutOfTime(is_busy=True), Killed()])
def test_an_issue_that_stopped_two_polls_is_claimed_without_its_text_and_reported(
    world: World, end: BaseException
) -> None:
    world.label(1)
    world.tracker.reads["DEMO-1"] = end
    for _ in range(MOST_ATTEMPTS):
        assert world.polls() == []
    world.tracker.requests.clear()
    assert world.polls() == ["DEMO-1"]
    assert "read" not in world.tracker.calls()
    assert world.events.named("issue.set_aside") == [{"issue_key": "DEMO-1", "attempts": 2}]
    assert not world.queue.messages
    (job,) = world.results.jobs()
    world.publish(job)
    (text,) = world.tracker.texts("DEMO-1")
    assert "set aside" in text
    assert "Shorten or simplify the description" in text
    assert "`ai-investigate`" in text  # how to ask again
    assert not world.tracker.issues["DEMO-1"].labels & {PROCESSING_LABEL, "ai-investigate"}
    assert world.tracker.issues["DEMO-1"].unfinished is not None
    assert world.attempts.known == {}


def test_an_issue_that_was_set_aside_is_tried_again_when_a_person_asks_again(world: World) -> None:
    world.label(1)
    world.tracker.reads["DEMO-1"] = OutOfTime(is_busy=True)
    for _ in range(MOST_ATTEMPTS + 1):
        world.polls()
    world.publish(world.results.jobs()[0])
    del world.tracker.reads["DEMO-1"]
    world.tracker.relabel("DEMO-1", on="ai-investigate")
    assert world.polls() == ["DEMO-1"]
    assert len(world.queue.jobs()) == 1


def test_earlier_results_of_a_ticket_outlive_its_being_set_aside(world: World) -> None:
    world.label(1)
    world.through()
    latest = world.tracker.issues["DEMO-1"].latest
    world.tracker.relabel("DEMO-1", on="ai-investigate")
    world.results.purge()
    world.tracker.reads["DEMO-1"] = OutOfTime(is_busy=True)
    for _ in range(MOST_ATTEMPTS + 1):
        world.polls()
    world.publish(world.results.jobs()[0])
    assert latest
    assert world.tracker.issues["DEMO-1"].latest == latest


def test_a_claimed_issue_that_stops_polls_is_set_aside_too(world: World) -> None:
    world.label(2)
    claim = world.polls
    world.queue.faults.plan("send", TransientError("SQS did not answer."), TransientError("Nor now."))
    claim()  # claimed, and not queued: the next poll would bring it back
    assert PROCESSING_LABEL in world.tracker.issues["DEMO-1"].labels
    world.tracker.reads["DEMO-1"] = Killed()
    for _ in range(MOST_ATTEMPTS + 1):
        world.polls()
    for job in world.results.jobs():
        world.publish(job)
    assert PROCESSING_LABEL not in world.tracker.issues["DEMO-1"].labels
    assert "set aside" in world.tracker.texts("DEMO-1")[-1]


def test_a_status_comment_from_before_an_issue_was_set_aside_shows_the_end(world: World) -> None:
    world.label(1)
    world.queue.faults.plan("send", TransientError("SQS did not answer."))
    world.polls()
    assert "queued" in world.tracker.status("DEMO-1")[0]
    world.tracker.reads["DEMO-1"] = Killed()
    for _ in range(MOST_ATTEMPTS + 1):
        world.polls()
    world.publish(world.results.jobs()[0])
    (status,), (end,) = world.tracker.status("DEMO-1"), world.tracker.texts("DEMO-1")
    assert "** failed" in status
    assert "set aside" in end


def test_a_slow_tracker_sets_nothing_aside(world: World) -> None:
    world.label(1)
    world.tracker.reads["DEMO-1"] = OutOfTime(is_busy=False)
    for _ in range(5):
        assert world.polls() == []
    assert world.events.named("issue.set_aside") == []
    del world.tracker.reads["DEMO-1"]
    assert world.polls() == ["DEMO-1"]


def test_an_issue_that_fails_by_an_error_is_not_counted(world: World) -> None:
    world.label(1)
    world.tracker.faults.plan("read", *[TransientError("Jira did not answer.")] * 4)
    for _ in range(4):
        world.polls()
    assert world.polls() == ["DEMO-1"]
    assert world.attempts.known == {}


def test_an_attempt_that_may_be_under_way_is_left_to_its_poll(world: World) -> None:
    world.label(1)
    world.attempts.note("1", MOST_ATTEMPTS)
    world.wait(UNDER_WAY_S - 1)
    assert world.poll().claimed == ()
    assert world.results.messages == []


def test_an_issue_that_another_poll_holds_is_not_taken_for_one_that_was_finished() -> None:
    assert UNDER_WAY_S > HELD_S > FOR_AN_ISSUE.wall_s


def test_attempts_of_long_ago_do_not_count(world: World) -> None:
    world.label(1)
    world.attempts.note("1", MOST_ATTEMPTS)
    world.wait(REMEMBERED_S + 1)
    assert world.polls() == ["DEMO-1"]
    assert len(world.queue.jobs()) == 1


def test_a_poll_with_nothing_to_claim_neither_reads_nor_writes_attempts(world: World) -> None:
    world.attempts.faults.plan("unfinished", AssertionError())
    world.polls()
    world.attempts.faults.plan("note", AssertionError())
    assert world.polls() == []
    assert world.events.warnings() == []


def test_a_stalled_look_at_one_job_does_not_keep_the_others_from_being_watched(world: World) -> None:
    world.label(2)
    world.polls()
    world.tracker.relabel("DEMO-2", off=PROCESSING_LABEL)
    world.tracker.faults.plan("look", OutOfTime(is_busy=True))
    world.wait(MINUTE_S)
    assert [job.issue_key for job in world.poll().cancelled] == ["DEMO-2"]


def _delivered(world: World, job: Job, attempt: int) -> BaseException | None:
    try:
        world.publish(job, attempt)
    except (Killed, TransientError) as error:
        return error
    return None


@pytest.mark.parametrize("end", [OutOfTime(is_busy=True), Killed()])
def test_a_result_that_stopped_two_deliveries_is_reported_by_a_fixed_text(
    world: World, end: BaseException
) -> None:
    world.label(1)
    job = world.take()
    world.work(job)
    world.artifacts.faults.plan("get", end, end)
    assert [_delivered(world, job, attempt) is None for attempt in (1, 2, 3)] == [False, False, True]
    (text,) = world.tracker.texts("DEMO-1")
    assert "could not be published" in text
    assert "may have been made already" in text
    assert f"jobs/{job.job_id}/result.json" in text
    assert "It is the cart." not in text
    assert PROCESSING_LABEL not in world.tracker.issues["DEMO-1"].labels
    assert world.jobs.records[job.job_id].outcome == Outcome.FAILED
    assert world.events.named("result.set_aside")[0]["attempts"] == 2
    assert ("PublishErrors", 1, {}) in world.events.measured
    assert world.attempts.known == {}


def test_a_result_that_fails_by_an_error_is_published_by_the_next_delivery(world: World) -> None:
    world.label(1)
    job = world.take()
    world.work(job)
    world.tracker.faults.plan("comment", *[TransientError("Jira did not answer.")] * 2)
    assert _delivered(world, job, 1) is not None
    assert _delivered(world, job, 2) is not None
    assert _delivered(world, job, 3) is None
    assert world.jobs.records[job.job_id].outcome == Outcome.SUCCEEDED


def test_a_result_that_a_slow_service_held_up_is_published_by_the_next_delivery(world: World) -> None:
    world.label(1)
    job = world.take()
    world.work(job)
    world.tracker.faults.plan("comment", *[OutOfTime(is_busy=False)] * 2)
    for attempt in (1, 2):
        assert _delivered(world, job, attempt) is not None
    assert _delivered(world, job, 3) is None
    assert world.jobs.records[job.job_id].outcome == Outcome.SUCCEEDED


def test_the_last_delivery_of_a_result_that_was_held_up_takes_no_chances(world: World) -> None:
    world.label(1)
    job = world.take()
    world.work(job)
    world.tracker.faults.plan("comment", *[OutOfTime(is_busy=False)] * 3)
    for attempt in (1, 2, 3):
        assert _delivered(world, job, attempt) is not None
    assert _delivered(world, job, 4) is None
    assert "could not be published" in world.tracker.texts("DEMO-1")[0]
