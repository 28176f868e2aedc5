"""A running agent that is ended early: by a person, by its machine, and never by what concerns another job."""

from collections.abc import Callable

import pytest
from tests.builders import agent_run, changeset, cli_result, delivery, fix_job, job
from tests.fakes.code_host import FakeCheckout
from tests.unit.test_work import World, queued_for

from orchestrator.domain.agent import Stop
from orchestrator.domain.halt import Halt
from orchestrator.domain.job import MAX_ATTEMPTS, JobState, result_key
from orchestrator.domain.ledger import Spent
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import TransientError
from orchestrator.ports import AgentTask
from orchestrator.usecases.work import RETRY_AFTER_S


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("reason", [Stop.CANCELLED, Stop.INTERRUPTED])
def test_a_halt_is_asked_for_once_and_the_first_reason_stands(reason: Stop) -> None:
    halt = Halt()
    assert (halt.is_asked, halt.reason) == (False, None)
    halt.ask(reason)
    halt.ask(Stop.DEADLINE)
    assert (halt.is_asked, halt.reason) == (True, reason)


def test_stopping_an_idle_worker_ends_it_at_once(world: World) -> None:
    for reason in (Stop.CANCELLED, Stop.INTERRUPTED):
        with pytest.raises(SystemExit) as ended:
            world.worker.stop(reason)
        assert ended.value.code == 0


def stopped(world: World, reason: Stop) -> Callable[[AgentTask], None]:
    """What happens to an agent at work when its worker is told to stop: it ends, and says why."""

    def stop(task: AgentTask) -> None:
        world.worker.stop(reason)
        world.agent.answer = agent_run(result=None, stop=task.halt.reason)

    return stop


def test_a_person_who_stops_a_busy_worker_ends_the_agent_and_its_job(world: World) -> None:
    world.agent.meanwhile = stopped(world, Stop.CANCELLED)
    world.worker.take_one(0)
    assert (world.queue.messages, world.results.jobs()) == ([], [job()])
    assert world.artifacts.result(job().job_id).verdict.outcome is Outcome.CANCELLED


def test_a_machine_that_goes_away_gives_the_job_back_to_the_queue(world: World) -> None:
    world.agent.meanwhile = stopped(world, Stop.INTERRUPTED)
    assert world.worker.take_one(0)
    assert queued_for(world) == RETRY_AFTER_S
    assert world.results.messages == []
    (postponed,) = world.events.named("job.postponed")
    assert postponed["error"] == "The worker was stopped while the agent was at work."


def test_a_machine_that_goes_away_at_the_last_attempt_tells_the_ticket(world: World) -> None:
    world.queue.messages[0].receives = MAX_ATTEMPTS - 1
    world.agent.meanwhile = stopped(world, Stop.INTERRUPTED)
    world.worker.take_one(0)
    assert world.queue.messages == []
    told = world.artifacts.result(job().job_id).verdict
    assert (told.outcome, told.reason) == (
        Outcome.CANCELLED,
        "The orchestrator was stopped while the agent was at work.",
    )


@pytest.mark.parametrize("error", [None, TransientError("GitHub did not answer."), KeyError("x")])
def test_a_worker_is_idle_again_however_its_job_ended(world: World, error: Exception | None) -> None:
    world.cloner.faults.plan("clone", *([error] if error else []))
    try:
        world.worker.take_one(0)
    except KeyError:
        assert isinstance(error, KeyError)
    with pytest.raises(SystemExit):
        world.worker.stop(Stop.INTERRUPTED)


def test_the_stop_of_one_job_does_not_touch_the_next(world: World) -> None:
    world.agent.meanwhile = stopped(world, Stop.CANCELLED)
    world.worker.take_one(0)
    world.agent.meanwhile, world.agent.answer = lambda _: None, agent_run()
    world.queue.send(fix_job())
    world.worker.take_one(0)
    first, second = (task.halt for task in world.agent.tasks)
    assert (first.reason, second.is_asked) == (Stop.CANCELLED, False)


def test_a_look_at_an_earlier_job_ends_nothing_of_the_next(world: World) -> None:
    """A beat may be under way when its job ends."""
    world.worker.take_one(0)
    late = world.look
    world.jobs.create(job(), None)
    world.jobs.ask_to_cancel(job())
    world.agent.meanwhile = lambda _: late()
    world.queue.send(fix_job())
    world.worker.take_one(0)
    assert [task.halt.is_asked for task in world.agent.tasks] == [True, False]


def test_a_job_that_a_person_has_cancelled_is_ended_by_the_next_look(world: World) -> None:
    seen: list[bool] = []

    def cancelled_meanwhile(task: AgentTask) -> None:
        world.look()
        seen.append(task.halt.is_asked)
        world.jobs.ask_to_cancel(job())
        world.look()
        seen.append(task.halt.is_asked)

    world.agent.meanwhile = cancelled_meanwhile
    world.worker.take_one(0)
    assert seen == [False, True]


def test_a_job_that_was_cancelled_before_a_worker_had_it_runs_nothing(world: World) -> None:
    world.jobs.create(job(), None)
    world.jobs.ask_to_cancel(job())
    world.worker.take_one(0)
    assert (world.agent.tasks, world.cloner.cloned, world.queue.messages) == ([], [], [])
    assert world.results.jobs() == [job()]
    told = world.artifacts.result(job().job_id)
    assert (told.verdict.outcome, told.cost_usd, told.sandbox) == (Outcome.CANCELLED, None, None)
    assert told.verdict.reason == "Somebody took `ai-processing` off the ticket. Nothing more was run."


def test_a_cancelled_job_that_has_a_result_keeps_it(world: World) -> None:
    """It was done by the time the label went."""
    done = b"what an earlier delivery has left"
    world.artifacts.put(result_key(job().job_id), done)
    world.jobs.create(job(), None)
    world.jobs.ask_to_cancel(job())
    world.worker.take_one(0)
    assert (world.artifacts.contents[result_key(job().job_id)], world.results.jobs()) == (done, [job()])


def test_what_a_cancelled_run_cost_is_settled_and_told(world: World) -> None:
    def cancelled_meanwhile(task: AgentTask) -> None:
        world.jobs.ask_to_cancel(job())
        world.look()
        world.agent.answer = agent_run(result=None, stop=task.halt.reason, spent=Spent(cost_usd=0.75))

    world.agent.meanwhile = cancelled_meanwhile
    world.worker.take_one(0)
    told = world.artifacts.result(job().job_id)
    assert (told.verdict.outcome, told.cost_usd) == (Outcome.CANCELLED, 0.75)
    assert "A person took the label `ai-processing` off" in told.verdict.reason
    assert [*world.jobs.records[job().job_id].costs.values()] == [0.75]


def test_what_an_interrupted_run_cost_is_settled_before_the_job_is_given_back(world: World) -> None:
    world.agent.answer = agent_run(result=cli_result(total_cost_usd=0.5), stop=Stop.INTERRUPTED)
    with pytest.raises(TransientError):
        world.worker.run(delivery(), Halt())
    record = world.jobs.records[job().job_id]
    assert ([*record.costs.values()], record.state) == ([0.5], JobState.RUNNING)


def test_a_cancelled_run_of_a_write_action_publishes_and_keeps_nothing(world: World) -> None:
    world.cloner.checkout = FakeCheckout(changeset())
    world.agent.answer = agent_run(result=None, stop=Stop.CANCELLED)
    world.worker.run(delivery(fix_job()), Halt())
    result = world.artifacts.result(fix_job().job_id)
    assert (result.verdict.outcome, result.draft) == (Outcome.CANCELLED, False)


def test_a_job_that_was_ended_without_its_worker_is_stopped_by_the_next_beat(world: World) -> None:
    """A poll that took the worker for dead has told the ticket: what it does now is for nobody."""
    world.jobs.create(job(), None)
    world.jobs.end(job(), Outcome.CANCELLED, None)
    halt = Halt()
    world.worker.run.look(job(), halt)
    assert halt.reason is Stop.CANCELLED


def test_a_beat_says_that_somebody_is_at_the_job(world: World) -> None:
    world.jobs.start(job(), 1)
    world.wait(50)
    world.worker.run.look(job(), Halt())
    world.wait(50)
    assert world.jobs.records[job().job_id].is_attended(world.clock.now)
