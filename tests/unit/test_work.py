"""A worker's dealings with its queue."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from tests.builders import brief, fix_job, job
from tests.fakes import wiring
from tests.fakes.agent import FakePrompts
from tests.fakes.pipeline import Pipeline
from tests.fakes.queue import FakeQueue
from tests.fakes.tracking import client, track_job

from orchestrator.domain.job import MAX_ATTEMPTS, JobState, brief_key
from orchestrator.domain.money import Account, Limits, day_of
from orchestrator.errors import NEWER_AFTER_S, ForeignMessage, NewerFormat, NewerMessage, TransientError
from orchestrator.ports import Delivery
from orchestrator.usecases.work import LONGEST_HIDDEN_S, MOST_FOREIGN, RETRY_AFTER_S, Work


@dataclass
class World(Pipeline):
    """A worker with one job on its queue. `look` is what it was given to be called now and then."""

    hidden: list[str] = field(default_factory=list)
    between: Callable[[float, float], float] = lambda low, _high: 1.0 if low < 1 else low
    look: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.queue.send(job())
        for of in (job(), fix_job()):
            self.artifacts.put(brief_key(of), brief().model_dump_json().encode())
        code_host = (self.cloner, self.pull_requests)
        run = wiring.runner(self, self.agent, FakePrompts(), code_host)
        self.worker = Work(self.queue, run, self.beside, self.events, self.queue.clock, self.between)

    @contextmanager
    def beside(self, receipt: str, look: Callable[[], None]) -> Iterator[None]:
        """What keeps a message hidden while the job runs, and looks whether it is still wanted."""
        self.hidden.append(receipt)
        self.look = look
        yield
        self.hidden.remove(receipt)


@pytest.fixture
def world() -> World:
    return World()


def queued_for(world: World) -> float:
    (message,) = world.queue.messages
    return message.visible_at - world.queue.clock.now


def test_a_message_is_deleted_after_its_job(world: World) -> None:
    assert world.worker.take_one(20)
    assert world.queue.messages == []
    assert world.results.jobs() == [job()]
    assert world.events.named("job.taken") == [{**job().log_fields(), "attempt": 1}]


def test_an_empty_queue_is_waited_for(world: World) -> None:
    world.worker.take_one(20)
    assert not world.worker.take_one(20)
    assert world.queue.clock.slept == [20]


def test_a_message_stays_hidden_while_its_job_runs_and_no_longer(world: World) -> None:
    seen: list[int] = []
    world.agent.meanwhile = lambda _: seen.append(len(world.hidden))
    world.worker.take_one(0)
    assert (seen, world.hidden) == ([1], [])


def test_a_message_is_hidden_longer_after_every_transient_error(world: World) -> None:
    for attempt in (1, 2):
        world.cloner.faults.plan("clone", TransientError("GitHub did not answer."))
        assert world.worker.take_one(0)
        assert queued_for(world) == RETRY_AFTER_S * attempt
        world.queue.clock.sleep(RETRY_AFTER_S * attempt)
    assert [event["error"] for event in world.events.named("job.postponed")] == ["GitHub did not answer."] * 2


@pytest.mark.parametrize(
    ("asked_s", "attempts", "hidden_s"),
    [
        (RETRY_AFTER_S - 1, 0, RETRY_AFTER_S),
        (RETRY_AFTER_S + 0.5, 0, RETRY_AFTER_S + 2),
        (3600, 0, 3601),
        (90, 1, 2 * RETRY_AFTER_S),
        (10.0**9, 0, LONGEST_HIDDEN_S),
    ],
)
def test_a_message_is_hidden_for_as_long_as_a_service_asked_for_and_as_sqs_takes(
    world: World, asked_s: float, attempts: int, hidden_s: int
) -> None:
    world.queue.messages[0].receives = attempts
    world.cloner.faults.plan("clone", TransientError("GitHub said no.", after_s=asked_s))
    world.worker.take_one(0)
    assert world.queue.hides == [hidden_s]
    assert LONGEST_HIDDEN_S + 8 * 3600 < 12 * 3600, (
        "SQS hides no message for longer, the job's own time included"
    )


def test_a_job_with_something_of_a_newer_release_waits_for_that_one(world: World) -> None:
    world.artifacts.put(brief_key(job()), b'{"version": 3}')
    world.queue.messages[0].receives = MAX_ATTEMPTS - 1
    world.worker.take_one(0)
    assert queued_for(world) == NEWER_AFTER_S + 1
    assert world.results.messages == []


def test_an_error_of_ours_leaves_the_message_to_the_queue(world: World) -> None:
    world.cloner.faults.plan("clone", KeyError("x"))
    with pytest.raises(KeyError):
        world.worker.take_one(0)
    assert queued_for(world) == world.queue.hidden_s


def test_how_long_a_job_took_is_measured(world: World) -> None:
    world.agent.meanwhile = lambda _: world.queue.clock.sleep(90)
    world.worker.take_one(0)
    assert ("JobSeconds", 90, {"action": job().action}) in world.events.measured


def test_a_job_that_is_tried_again_is_not_measured(world: World) -> None:
    world.cloner.faults.plan("clone", TransientError("GitHub did not answer."))
    world.worker.take_one(0)
    assert "JobSeconds" not in [name for name, *_ in world.events.measured]


def test_a_foreign_message_is_put_aside_at_once_and_the_next_job_taken(world: World) -> None:
    world.queue.messages.clear()
    world.queue.send_foreign("DEMO-1")
    world.queue.send(job(job_id="DEMO-1-fix-2"))
    world.artifacts.put(brief_key(job(job_id="DEMO-1-fix-2")), brief().model_dump_json().encode())
    started = world.queue.clock.now
    assert world.worker.take_one(20)
    assert (len(world.queue.dead), world.queue.messages) == (1, [])
    assert world.queue.clock.now == started
    told = world.events.named("message.foreign")
    assert told == [{"message_id": "foreign", "attempt": attempt} for attempt in (1, 2, 3, 4)]


def test_a_worker_does_not_look_at_foreign_messages_for_ever(world: World) -> None:
    world.queue.messages.clear()
    for number in range(MOST_FOREIGN):
        world.queue.send_foreign(f"OTHER-{number}")
    assert not world.worker.take_one(20)
    assert len(world.events.named("message.foreign")) == MOST_FOREIGN


def test_a_record_of_an_event_is_worked_on(world: World) -> None:
    world.worker.on_record({"messageId": "1"}, lambda _: received(world))
    assert (world.queue.messages, world.results.jobs()) == ([], [job()])


def test_a_foreign_record_is_put_aside_and_left_to_the_queue(world: World) -> None:
    world.queue.messages.clear()
    world.queue.send_foreign("DEMO-1")
    with pytest.raises(ForeignMessage):
        world.worker.on_record({}, lambda _: received(world))
    assert queued_for(world) == 0


def received(world: World) -> Delivery:
    """The next message as a function gets it."""
    delivery = world.queue.receive(0)
    assert delivery is not None
    return delivery


class NewerQueue(FakeQueue):
    """Hands every message out as one of a newer release."""

    def receive(self, wait_s: int) -> Delivery | None:
        delivery = super().receive(wait_s)
        if delivery is not None:
            raise NewerMessage("newer", delivery.receipt, delivery.attempt)
        return None


def test_a_message_of_a_newer_release_is_left_for_that_one() -> None:
    world = World(queue=NewerQueue())
    assert not world.worker.take_one(20)
    assert world.queue.hides == [NEWER_AFTER_S]
    assert (world.queue.jobs(), world.queue.dead) == ([job()], [])
    assert world.events.named("message.newer") == [{"message_id": "newer", "attempt": 1}]


def test_a_record_of_a_newer_release_is_left_for_that_one_too() -> None:
    world = World(queue=NewerQueue())
    with pytest.raises(NewerMessage):
        world.worker.on_record({}, lambda _: received(world))
    assert world.queue.hides == [NEWER_AFTER_S]


def test_a_record_that_meets_something_of_a_newer_release_is_left_to_the_queue(world: World) -> None:
    world.artifacts.put(brief_key(job()), b'{"version": 3}')
    with pytest.raises(NewerFormat):
        world.worker.on_record({}, lambda _: replace(received(world), attempt=MAX_ATTEMPTS))
    assert world.queue.jobs() == [job()]


def test_the_message_of_a_job_that_waits_for_money_is_done_with(world: World) -> None:
    tracker = client(track_job(world, Limits(day_usd=5.0, ticket_usd=100.0)))
    world.worker.run = replace(
        world.worker.run, jobs=tracker, ask=replace(world.worker.run.ask, jobs=tracker, budget=tracker)
    )
    world.jobs.accounts[Account.DAY, day_of(world.clock.now)] = 4.0
    world.worker.take_one(0)
    assert (world.queue.messages, world.results.messages) == ([], [])
    assert world.jobs.records[job().job_id].state is JobState.WAITING
