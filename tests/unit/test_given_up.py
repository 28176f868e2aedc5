"""A job that was tried often enough: the ticket is told, and the message ends in the dead letters for a person."""

import pytest
from tests.builders import brief, issue, job
from tests.fakes import wiring
from tests.fakes.agent import FakePrompts
from tests.fakes.pipeline import Pipeline
from tests.fakes.queue import FakeDeadLetters

from orchestrator.domain.job import MAX_ATTEMPTS, brief_key
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import GivenUp, JobFailed, TransientError
from orchestrator.ports import Delivery
from orchestrator.usecases.work import Work

SILENT = TransientError("GitHub did not answer.")


@pytest.fixture
def world() -> Pipeline:
    made = Pipeline()
    made.queue.clock = made.clock
    made.artifacts.put(brief_key(job()), brief().model_dump_json().encode())
    made.queue.send(job())
    return made


class _Nothing:
    """What is beside the work is not what these are about."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def _worker(world: Pipeline) -> Work:
    run = wiring.runner(world, world.agent, FakePrompts(), (world.cloner, world.pull_requests))
    return Work(world.queue, run, lambda *_: _Nothing(), world.events, world.clock)


def _work(world: Pipeline, times: int) -> None:
    for _ in range(times):
        _worker(world).take_one(0)
        world.clock.now += 600


def test_what_failed_each_time_is_told_once_and_its_message_kept(world: Pipeline) -> None:
    world.cloner.faults.plan("clone", *[SILENT] * MAX_ATTEMPTS)
    _work(world, MAX_ATTEMPTS)
    assert world.results.jobs() == [job()]
    assert world.artifacts.result(job().job_id).given_up
    _work(world, 2)
    assert (world.queue.messages, FakeDeadLetters(world.queue).jobs()) == ([], (job(),))
    assert world.results.jobs() == [job()]
    assert world.agent.tasks == []


def test_a_job_whose_worker_died_each_time_is_told_and_kept(world: Pipeline) -> None:
    for _ in range(MAX_ATTEMPTS):
        world.queue.receive(0)
        world.clock.now += 600
    _work(world, 2)
    assert FakeDeadLetters(world.queue).jobs() == (job(),)
    verdict = world.artifacts.result(job().job_id).verdict
    assert (verdict.outcome, "stopped 3 times" in verdict.reason) == (Outcome.FAILED, True)


def test_it_is_kept_when_the_ticket_was_told_before_the_last_delivery_too(world: Pipeline) -> None:
    world.cloner.faults.plan("clone", *[SILENT] * MAX_ATTEMPTS)
    _work(world, MAX_ATTEMPTS)
    world.jobs.end(job(), Outcome.FAILED, None)
    _work(world, 2)
    assert FakeDeadLetters(world.queue).jobs() == (job(),)


@pytest.mark.parametrize("attempt", [1, MAX_ATTEMPTS, MAX_ATTEMPTS + 1])
def test_what_cannot_succeed_by_trying_is_told_at_once_and_not_kept(world: Pipeline, attempt: int) -> None:
    world.queue.messages[0].receives = attempt - 1
    world.cloner.faults.plan("clone", JobFailed("GitHub has no such repository."))
    if attempt > MAX_ATTEMPTS:
        world.artifacts.put(
            f"jobs/{job().job_id}/result.json", b'{"verdict": {"outcome": "failed", "reason": "No."}}'
        )
    _work(world, 1)
    assert (world.queue.messages, world.queue.dead) == ([], [])


def test_one_that_is_redriven_after_its_end_is_dropped(world: Pipeline) -> None:
    world.cloner.faults.plan("clone", *[SILENT] * MAX_ATTEMPTS)
    _work(world, MAX_ATTEMPTS + 2)
    world.jobs.end(job(), Outcome.FAILED, None)
    world.queue.dead.clear()
    world.clock.now += 600
    world.queue.send(job())
    _work(world, 1)
    assert (world.queue.messages, world.queue.dead, world.agent.tasks) == ([], [], [])


def test_a_message_that_aws_received_is_given_back_too(world: Pipeline) -> None:
    received = world.queue.receive(0)
    assert received is not None
    world.cloner.faults.plan("clone", SILENT)
    last = Delivery(job(), MAX_ATTEMPTS, received.receipt)
    with pytest.raises(GivenUp):
        _worker(world).on_record({}, lambda _: last)
    assert world.queue.hides == [0]
    assert len(world.queue.messages) == 1


def test_the_ticket_says_who_can_bring_it_back(world: Pipeline) -> None:
    world.cloner.faults.plan("clone", *[SILENT] * MAX_ATTEMPTS)
    world.jobs.create(job(), None)
    world.tracker.add(issue(labels=frozenset({"ai-processing"}), claim=job().model_dump(mode="json")))
    _work(world, MAX_ATTEMPTS)
    world.publish(job())
    (told,) = world.tracker.texts("DEMO-1")
    assert "tried 3 times" in told
    assert "`alm redrive`" in told
    assert job().job_id in told
