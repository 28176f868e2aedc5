"""A result delivered again: whatever the earlier deliveries have left, one end is told."""

import pytest
from tests.builders import fix_job, fix_result, issue, job, job_result
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.job import MAX_ATTEMPTS, PROCESSING_LABEL, Job, JobState, result_key
from orchestrator.errors import TransientError


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
    world.tracker.claim(job())
    claimed = world.tracker.issues["DEMO-1"]
    world.publish(fix_job(), attempt=2)
    assert world.tracker.issues["DEMO-1"] == claimed
    assert world.outcome(fix_job()) == "succeeded"


def test_an_ended_job_that_its_issue_is_claimed_for_again_is_released_and_not_told_again(
    world: World,
) -> None:
    world.publish(fix_job())
    released = world.tracker.issues["DEMO-1"]
    world.tracker.claim(fix_job())
    world.publish(fix_job())
    now = world.tracker.issues["DEMO-1"]
    assert (now.labels, now.claim, now.latest) == (released.labels, released.claim, released.latest)
    assert len(world.tracker.texts("DEMO-1")) == 1


def test_an_ended_job_does_not_take_off_the_claim_of_another(world: World) -> None:
    world.publish(fix_job())
    world.tracker.claim(job())
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
