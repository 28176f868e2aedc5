"""A result delivered again: whatever the earlier deliveries have left, one end is told."""

from dataclasses import replace

import pytest
from tests.builders import SIGNER, fix_job, fix_result, issue, job, job_result, own_comment, unsigned, verdict
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.issue import Left
from orchestrator.domain.job import MAX_ATTEMPTS, PROCESSING_LABEL, Job, JobState, Unfinished, result_key
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.status import PUBLISHING
from orchestrator.errors import ForgedJob, TransientError


class World(Pipeline):
    """A publisher and everything it can reach. DEMO-1 is claimed."""

    def told(self) -> str:
        """The only comment."""
        (text,) = self.tracker.texts("DEMO-1")
        return text

    def outcome(self, of: Job) -> str | None:
        record = self.jobs.records[of.job_id]
        assert record.state is JobState.ENDED
        return record.outcome


@pytest.fixture
def world() -> World:
    made = World()
    made.tracker.add(issue(labels=frozenset({PROCESSING_LABEL, "customer"})))
    for of, result in ((job(), job_result()), (fix_job(), fix_result())):
        made.artifacts.put(result_key(of.job_id), result.model_dump_json().encode())
    return made


@pytest.mark.parametrize("recorded", [True, False])
def test_dead_letters_brought_back_are_told_once_although_counted_anew(world: World, recorded: bool) -> None:
    world.jobs.create(job(), None)
    world.tracker.faults.plan("release", TransientError("Jira did not answer."))
    with pytest.raises(TransientError):
        world.publish(job(), attempt=4)
    if not recorded:
        world.jobs.records.clear()
    world.publish(job(), attempt=1)
    assert len(world.tracker.texts("DEMO-1")) == 1
    assert world.outcome(job()) == "succeeded"


def test_a_second_delivery_leaves_the_claim_of_the_next_job_alone(world: World) -> None:
    world.publish(fix_job())
    world.jobs.records.clear()
    world.tracker.claim(job(), frozenset())
    claimed = world.tracker.issues["DEMO-1"]
    with pytest.raises(ForgedJob):
        world.publish(fix_job(), attempt=2)
    assert world.tracker.issues["DEMO-1"] == claimed


def test_an_ended_job_that_its_issue_is_claimed_for_again_is_released_and_not_told_again(
    world: World,
) -> None:
    world.publish(fix_job())
    released = world.tracker.issues["DEMO-1"]
    world.tracker.claim(fix_job(), frozenset())
    world.publish(fix_job())
    now = world.tracker.issues["DEMO-1"]
    assert (now.labels, now.claim, now.latest) == (released.labels, released.claim, released.latest)
    assert len(world.tracker.texts("DEMO-1")) == 1


def test_an_ended_job_does_not_take_off_the_claim_of_another(world: World) -> None:
    world.publish(fix_job())
    world.tracker.claim(job(), frozenset())
    world.publish(fix_job())
    assert PROCESSING_LABEL in world.tracker.issues["DEMO-1"].labels


def test_what_was_told_as_done_stays_done_when_github_is_away_at_the_last_attempt(world: World) -> None:
    world.tracker.faults.plan("release", TransientError("Jira did not answer."))
    with pytest.raises(TransientError):
        world.publish(fix_job())
    world.pull_requests.faults.plan("propose", TransientError("GitHub did not answer."))
    world.publish(fix_job(), attempt=MAX_ATTEMPTS)
    assert "## FIX CREATED" in world.told()
    assert world.outcome(fix_job()) == "succeeded"


def test_what_was_told_as_failed_is_not_published_after_all(world: World) -> None:
    world.pull_requests.faults.plan("propose", TransientError("GitHub did not answer."))
    world.tracker.faults.plan("release", TransientError("Jira did not answer."))
    with pytest.raises(TransientError):
        world.publish(fix_job(), attempt=MAX_ATTEMPTS)
    world.publish(fix_job(), attempt=MAX_ATTEMPTS + 1)
    assert world.told().startswith("## ACTION FAILED")
    assert (world.outcome(fix_job()), world.pull_requests.proposals) == ("failed", [])


def _cancelled(world: World) -> None:
    """A job whose label was taken off before any worker had it: its end is told by the publisher."""
    result = job_result(verdict=verdict(Outcome.CANCELLED, "Somebody took it off."), report=None)
    world.artifacts.put(result_key(job().job_id), result.model_dump_json().encode())
    world.jobs.create(job(), None)
    world.jobs.ask_to_cancel(job())


def test_a_cancelled_job_is_told_and_takes_nothing_off_a_ticket_that_another_job_has_claimed_since(
    world: World,
) -> None:
    _cancelled(world)
    world.tracker.claim(fix_job(), frozenset())
    claimed = world.tracker.issues["DEMO-1"].claim
    world.publish(job())
    now = world.tracker.issues["DEMO-1"]
    assert (PROCESSING_LABEL in now.labels, now.claim) == (True, claimed)
    assert "Somebody took it off." in world.told()
    assert (world.outcome(job()), "release" in world.tracker.calls()) == ("cancelled", False)


def test_a_cancelled_job_whose_claim_still_stands_is_released_with_how_it_ended(world: World) -> None:
    _cancelled(world)
    world.tracker.claim(job(), frozenset())
    world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL)
    world.publish(job())
    now = unsigned(world.tracker.issues["DEMO-1"])
    assert now.claim == {**job().model_dump(), "outcome": "cancelled"}
    assert now.unfinished == Unfinished(action="investigate", job_id=job().job_id)


def _began(world: World, how: str) -> None:
    """What an earlier life of the job may have left in its record."""
    world.jobs.create(job(), None, resumed=how == "resumed")
    match how:
        case "publishing":
            world.jobs.progress(job(), PUBLISHING)
        case "cancelled":
            world.jobs.ask_to_cancel(job())
        case "sent again":
            assert world.jobs.requeue(world.jobs.records[job().job_id]) == 1
        case "unrecorded":
            world.jobs.records.clear()


@pytest.mark.parametrize("how", ["resumed", "publishing", "cancelled", "sent again", "unrecorded"])
def test_a_job_with_a_past_looks_for_what_was_told_before_it_tells(world: World, how: str) -> None:
    world.tracker.own["DEMO-1"] = [own_comment()]
    _began(world, how)
    world.publish(job())
    assert len(world.tracker.texts("DEMO-1")) == 1
    assert world.tracker.calls()[:2] == ["look", "own_comments"]


def test_a_job_without_a_past_asks_the_tracker_for_its_claim_and_no_more(world: World) -> None:
    world.jobs.create(job(), None)
    world.publish(job())
    assert world.tracker.calls() == ["look", "comment", "release"]


def test_a_release_again_keeps_what_the_ticket_had_of_its_jobs(world: World) -> None:
    world.publish(fix_job())
    kept = Unfinished(action="investigate", job_id="DEMO-1-investigate-1", draft=True)
    world.tracker.issues["DEMO-1"] = replace(
        world.tracker.issues["DEMO-1"], unfinished=SIGNER.signed(fix_job(), Left(unfinished=kept)).unfinished
    )
    world.tracker.claim(fix_job(), frozenset())
    world.publish(fix_job())
    now = unsigned(world.tracker.issues["DEMO-1"])
    assert (now.unfinished, now.claim) == (kept, {**fix_job().model_dump(), "outcome": "succeeded"})
