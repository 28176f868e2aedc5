"""A job a person does not want any more: told at once if nobody is at it, else its worker is asked to end it."""

import pytest
from tests.builders import issue, job_result
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.issue import Left
from orchestrator.domain.job import PROCESSING_LABEL, Job, JobState, Start, Wait, result_key
from orchestrator.domain.money import Account
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import TransientError
from orchestrator.usecases.cancel_job import BY_COMMAND, LABEL_TAKEN_OFF, CancelJob


class World(Pipeline):
    """A job of DEMO-1, and who cancels it."""

    def cancel(self, of: Job, why: str = LABEL_TAKEN_OFF) -> bool:
        """With the record as it stands now."""
        cancels = CancelJob(self.jobs, self.artifacts, self.results, self.clock, self.events)
        return cancels(self.jobs.records[of.job_id], why)

    def outcomes(self) -> list[Outcome]:
        """How the jobs on the result queue ended."""
        return [self.artifacts.result(told.job_id).verdict.outcome for told in self.results.jobs()]


@pytest.fixture
def world() -> World:
    made = World()
    made.tracker.add(issue())
    return made


def test_a_queued_job_is_told_at_once(world: World) -> None:
    taken = world.take()
    assert world.cancel(taken)
    assert world.outcomes() == [Outcome.CANCELLED]
    verdict = world.artifacts.result(taken.job_id).verdict
    assert verdict.reason == "Somebody took `ai-processing` off the ticket. Nothing more was run."
    assert world.events.named("job.cancelled") == [
        {**taken.log_fields(), "state": JobState.QUEUED, "why": LABEL_TAKEN_OFF}
    ]


def test_why_it_was_cancelled_is_told(world: World) -> None:
    taken = world.take()
    world.cancel(taken, BY_COMMAND)
    reason = world.artifacts.result(taken.job_id).verdict.reason
    assert reason == "Somebody cancelled it. Nothing more was run."


def test_a_job_that_waits_for_money_is_told_at_once(world: World) -> None:
    taken = world.take()
    world.jobs.park(taken, Wait(Account.DAY, world.clock.now + 3600))
    assert world.cancel(taken)
    assert world.outcomes() == [Outcome.CANCELLED]


@pytest.mark.parametrize(("silent_s", "told"), [(0, 0), (59, 0), (60, 1)])
def test_a_running_job_is_told_at_once_only_if_its_worker_gave_no_sign_for_a_minute(
    world: World, silent_s: float, told: int
) -> None:
    taken = world.take()
    world.jobs.start(taken, 1)
    world.wait(1000)
    world.jobs.alive(taken)
    world.wait(silent_s)
    assert world.cancel(taken)
    assert world.jobs.alive(taken)  # a worker that is at it after all hears of it
    assert world.outcomes() == [Outcome.CANCELLED] * told


def test_a_job_that_was_given_up_is_told_at_once(world: World) -> None:
    taken = world.take()
    world.jobs.start(taken, 4)
    world.jobs.give_up(taken, "jobs")
    assert world.cancel(taken)
    assert world.outcomes() == [Outcome.CANCELLED]


def test_a_job_that_has_ended_is_left_as_it_ended(world: World) -> None:
    taken = world.through()
    assert not world.cancel(taken)
    assert world.results.messages[1:] == []
    assert world.artifacts.result(taken.job_id).verdict.outcome is Outcome.SUCCEEDED
    assert world.events.named("job.cancelled") == []


def test_a_job_nobody_has_recorded_is_not_cancelled(world: World) -> None:
    taken = world.take()
    record = world.jobs.records.pop(taken.job_id)
    cancels = CancelJob(world.jobs, world.artifacts, world.results, world.clock, world.events)
    assert not cancels(record, BY_COMMAND)
    assert world.results.messages == []


def test_a_result_that_stands_already_is_told_as_it_is(world: World) -> None:
    taken = world.take()
    world.artifacts.put(result_key(taken.job_id), job_result().model_dump_json().encode())
    assert world.cancel(taken)
    assert world.outcomes() == [Outcome.SUCCEEDED]


def test_twice_does_no_more_than_once(world: World) -> None:
    taken = world.take()
    assert world.cancel(taken)
    assert world.cancel(taken)
    assert (world.results.jobs(), len(world.events.named("job.cancelled"))) == ([taken], 1)


@pytest.mark.parametrize(("part", "call"), [("artifacts", "put_new"), ("results", "send")])
def test_what_stopped_half_way_is_done_by_the_next(world: World, part: str, call: str) -> None:
    taken = world.take()
    getattr(world, part).faults.plan(call, TransientError("AWS did not answer."))
    with pytest.raises(TransientError):
        world.cancel(taken)
    # The wish comes first: a worker that takes the job now runs nothing.
    assert world.jobs.start(taken, 1) is Start.CANCELLED
    world.wait(60)
    assert world.cancel(taken)
    assert world.outcomes() == [Outcome.CANCELLED]


def test_the_ticket_of_a_cancelled_job_is_told_once_and_nothing_is_run(world: World) -> None:
    taken = world.take()
    world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL)
    assert world.poll().cancelled == (taken,)
    world.publish(taken)
    world.work(taken)
    world.publish(taken)
    assert world.agent.tasks == []
    (told,) = world.tracker.texts("DEMO-1")
    assert LABEL_TAKEN_OFF in told
    (status,) = world.tracker.status("DEMO-1")
    assert status.startswith("**Investigate** cancelled")
    assert world.jobs.records[taken.job_id].outcome == Outcome.CANCELLED
    assert world.tracker.issues["DEMO-1"].labels == frozenset()
    assert world.poll().claimed == ()


def test_the_job_of_an_issue_that_is_gone_goes_on_to_its_end(world: World) -> None:
    taken = world.take()
    world.tracker.delete("DEMO-1")
    assert world.poll().cancelled == ()
    world.work(taken)
    world.publish(taken)
    assert world.jobs.records[taken.job_id].state is JobState.ENDED


def test_a_job_we_released_ourselves_is_not_taken_for_a_cancelled_one(world: World) -> None:
    taken = world.take()
    world.work(taken)
    world.tracker.release(taken, Outcome.SUCCEEDED, Left())
    assert world.poll().cancelled == ()
    assert not world.jobs.records[taken.job_id].cancel_asked
