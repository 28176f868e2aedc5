"""A worker's dealings with its queue."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from tests.builders import agent_run, brief, catalogue, changeset, job
from tests.fakes.agent import FakeAgent, FakePrompts
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.code_host import FakeCheckout, FakeCloner, FakePullRequests
from tests.fakes.events import FakeEvents
from tests.fakes.job_store import FakeJobStore
from tests.fakes.queue import FakeQueue

from orchestrator.domain.job import brief_key
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import ForeignMessage, TransientError
from orchestrator.ports import Delivery
from orchestrator.usecases.run_job import RunJob
from orchestrator.usecases.work import MOST_FOREIGN, RETRY_AFTER_S, Work


@dataclass
class World:
    """A worker with one job on its queue."""

    queue: FakeQueue = field(default_factory=FakeQueue)
    results: FakeQueue = field(default_factory=FakeQueue)
    artifacts: FakeArtifacts = field(default_factory=FakeArtifacts)
    cloner: FakeCloner = field(default_factory=lambda: FakeCloner(FakeCheckout(changeset())))
    agent: FakeAgent = field(default_factory=lambda: FakeAgent(agent_run()))
    events: FakeEvents = field(default_factory=FakeEvents)
    hidden: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queue.send(job())
        self.artifacts.put(brief_key(job()), brief().model_dump_json().encode())
        code_host = (self.cloner, FakePullRequests())
        run = RunJob(
            FakeJobStore(),
            self.artifacts,
            self.results,
            *code_host,
            FakePrompts(),
            self.agent,
            catalogue(),
            self.events,
        )
        self.work = Work(self.queue, run, self.hide, self.agent, self.events, self.queue.clock)

    @contextmanager
    def hide(self, receipt: str) -> Iterator[None]:
        """What keeps a message hidden while the job runs."""
        self.hidden.append(receipt)
        yield
        self.hidden.remove(receipt)


@pytest.fixture
def world() -> World:
    return World()


def _queued_for(world: World) -> float:
    (message,) = world.queue.messages
    return message.visible_at - world.queue.clock.now


def test_a_message_is_deleted_after_its_job(world: World) -> None:
    assert world.work.take_one(20)
    assert world.queue.messages == []
    assert world.results.jobs() == [job()]
    assert world.events.named("job.taken") == [{**job().log_fields(), "attempt": 1}]


def test_an_empty_queue_is_waited_for(world: World) -> None:
    world.work.take_one(20)
    assert not world.work.take_one(20)
    assert world.queue.clock.slept == [20]


def test_a_message_stays_hidden_while_its_job_runs_and_no_longer(world: World) -> None:
    seen: list[int] = []
    world.agent.meanwhile = lambda _: seen.append(len(world.hidden))
    world.work.take_one(0)
    assert (seen, world.hidden) == ([1], [])


def test_a_message_is_hidden_longer_after_every_transient_error(world: World) -> None:
    for attempt in (1, 2):
        world.cloner.faults.plan("clone", TransientError("GitHub did not answer."))
        assert world.work.take_one(0)
        assert _queued_for(world) == RETRY_AFTER_S * attempt
        world.queue.clock.sleep(RETRY_AFTER_S * attempt)
    assert [event["error"] for event in world.events.named("job.postponed")] == ["GitHub did not answer."] * 2


def test_a_job_whose_every_try_fails_ends_with_a_result(world: World) -> None:
    world.cloner.faults.plan("clone", *[TransientError("GitHub did not answer.")] * 3)
    for _ in range(3):
        world.work.take_one(1000)
    assert world.queue.messages == []
    assert world.artifacts.result(job().job_id).verdict.outcome is Outcome.FAILED


def test_an_error_of_ours_leaves_the_message_to_the_queue(world: World) -> None:
    world.cloner.faults.plan("clone", KeyError("x"))
    with pytest.raises(KeyError):
        world.work.take_one(0)
    assert _queued_for(world) == world.queue.hidden_s


def test_stopping_an_idle_worker_ends_it_at_once(world: World) -> None:
    with pytest.raises(SystemExit) as ended:
        world.work.stop()
    assert ended.value.code == 0
    assert not world.agent.cancelled


def test_stopping_a_busy_worker_ends_the_agent_and_tells_the_ticket(world: World) -> None:
    world.agent.meanwhile = lambda _: world.work.stop()
    world.work.take_one(0)
    assert world.agent.cancelled
    assert (world.queue.messages, world.results.jobs()) == ([], [job()])


@pytest.mark.parametrize("error", [None, TransientError("GitHub did not answer."), KeyError("x")])
def test_a_worker_is_idle_again_however_its_job_ended(world: World, error: Exception | None) -> None:
    world.cloner.faults.plan("clone", *([error] if error else []))
    try:
        world.work.take_one(0)
    except KeyError:
        assert isinstance(error, KeyError)
    with pytest.raises(SystemExit):
        world.work.stop()
    assert not world.agent.cancelled


def test_how_long_a_job_took_is_measured(world: World) -> None:
    world.agent.meanwhile = lambda _: world.queue.clock.sleep(90)
    world.work.take_one(0)
    assert ("JobSeconds", 90, {"action": job().action}) in world.events.measured


def test_a_job_that_is_tried_again_is_not_measured(world: World) -> None:
    world.cloner.faults.plan("clone", TransientError("GitHub did not answer."))
    world.work.take_one(0)
    assert "JobSeconds" not in [name for name, *_ in world.events.measured]


def test_a_foreign_message_is_put_aside_at_once_and_the_next_job_taken(world: World) -> None:
    world.queue.messages.clear()
    world.queue.send_foreign("DEMO-1")
    world.queue.send(job(job_id="DEMO-1-fix-2"))
    world.artifacts.put(brief_key(job(job_id="DEMO-1-fix-2")), brief().model_dump_json().encode())
    started = world.queue.clock.now
    assert world.work.take_one(20)
    assert (len(world.queue.dead), world.queue.messages) == (1, [])
    assert world.queue.clock.now == started
    told = world.events.named("message.foreign")
    assert told == [{"message_id": "foreign", "attempt": attempt} for attempt in (1, 2, 3, 4)]


def test_a_worker_does_not_look_at_foreign_messages_for_ever(world: World) -> None:
    world.queue.messages.clear()
    for number in range(MOST_FOREIGN):
        world.queue.send_foreign(f"OTHER-{number}")
    assert not world.work.take_one(20)
    assert len(world.events.named("message.foreign")) == MOST_FOREIGN


def test_a_record_of_an_event_is_worked_on(world: World) -> None:
    world.work.on_record({"messageId": "1"}, lambda _: received(world))
    assert (world.queue.messages, world.results.jobs()) == ([], [job()])


def test_a_foreign_record_is_put_aside_and_left_to_the_queue(world: World) -> None:
    world.queue.messages.clear()
    world.queue.send_foreign("DEMO-1")
    with pytest.raises(ForeignMessage):
        world.work.on_record({}, lambda _: received(world))
    assert _queued_for(world) == 0


def received(world: World) -> Delivery:
    """The next message as a function gets it."""
    delivery = world.queue.receive(0)
    assert delivery is not None
    return delivery
