"""What publish_result answers the queue: which results come again, when, and what is told of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.builders import issue, job
from tests.fakes import wiring
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.job import Job
from orchestrator.errors import (
    NEWER_AFTER_S,
    ConfigError,
    ForeignMessage,
    NewerFormat,
    NewerMessage,
    RefusedError,
    TransientError,
)
from orchestrator.ports import Delivery
from orchestrator.usecases.deliver_results import LONGEST_S, UNUSABLE_FOR_S, DeliverResults
from orchestrator.usecases.publish_in_time import PublishInTime

# SQS's limit, from the receipt of a message, and the longest that a Lambda function runs.
SQS_LIMIT_S, FUNCTION_S = 43_200, 900
TEN_YEARS_S = 315_360_000


def middle(low: float, high: float) -> float:
    return (low + high) / 2


@dataclass
class World(Pipeline):
    """A job with a result, and a publisher whose queue is a list of what it hid."""

    hidden: list[tuple[str, int]] = field(default_factory=list)
    unusable: list[ConfigError] = field(default_factory=list)
    is_old: bool = False
    hide_fails: bool = False
    between: Callable[[float, float], float] = middle

    def worked(self) -> Job:
        """A job whose result waits to be published."""
        self.tracker.add(issue())
        taken = self.take()
        self.work(taken)
        self.events.recorded.clear()
        self.events.measured.clear()
        return taken

    def publisher(self) -> PublishInTime:
        if self.unusable:
            raise self.unusable[0]
        return wiring.publisher(self, self.pull_requests)

    def deliver(self, *records: Mapping[str, Any]) -> list[str]:
        """The ids of what must come again."""
        return DeliverResults(self.publisher, self.parsed, self.hide, self.events, self.between)(records)

    def parsed(self, message: Mapping[str, Any]) -> Delivery:
        """An old deployment does not know a newer one's messages."""
        if self.is_old:
            raise NewerMessage(message["messageId"], message["receiptHandle"], 1)
        return parsed(message)

    def hide(self, receipt: str, seconds: int) -> None:
        if self.hide_fails:
            raise KeyError(receipt)
        self.hidden.append((receipt, seconds))

    def counted(self) -> list[str]:
        return [name for name, *_ in self.events.measured]


def record(of: Job | None, attempt: int = 1, number: int = 1) -> dict[str, Any]:
    """One message of an event; without a job it is none of ours."""
    return {
        "messageId": f"message-{number}",
        "receiptHandle": f"receipt-{number}",
        "job": of,
        "attributes": {"ApproximateReceiveCount": str(attempt)},
    }


def parsed(message: Mapping[str, Any]) -> Delivery:
    attempt = int(message["attributes"]["ApproximateReceiveCount"])
    if message["job"] is None:
        raise ForeignMessage(message["messageId"], message["receiptHandle"], attempt)
    return Delivery(message["job"], attempt, message["receiptHandle"])


@pytest.fixture
def world() -> World:
    return World()


def test_a_result_that_is_published_does_not_come_again(world: World) -> None:
    taken = world.worked()
    assert world.deliver(record(taken)) == []
    assert world.jobs.records[taken.job_id].outcome == "succeeded"
    assert (world.hidden, world.events.measured) == ([], [])


@pytest.mark.parametrize("attempt", [1, 3])
def test_after_a_transient_error_it_comes_again_later_each_time_and_is_counted(
    world: World, attempt: int
) -> None:
    taken = world.worked()
    world.tracker.faults.plan("release", TransientError("Jira did not answer."))
    assert world.deliver(record(taken, attempt)) == ["message-1"]
    assert world.hidden == [("receipt-1", 30 * attempt)]
    assert world.events.named("publish.failed") == [{"error": "Jira did not answer."}]
    assert world.counted() == ["PublishErrors"]


def comes_again(world: World, error: Exception, attempt: int = 1) -> int:
    """After how many seconds a result comes again that met that error."""
    taken = world.worked()
    world.tracker.faults.plan("release", error)
    world.deliver(record(taken, attempt))
    ((_, seconds),) = world.hidden
    return seconds


@pytest.mark.parametrize(("attempt", "asked_s"), [(1, 40), (1, 600), (3, 3600)])
def test_what_a_service_asked_for_is_waited_for_and_a_little_more(
    world: World, attempt: int, asked_s: int
) -> None:
    assert asked_s < comes_again(world, TransientError("Wait.", asked_s), attempt) <= max(asked_s + 30, 90)


@pytest.mark.parametrize("between", [min, max], ids=["least", "most"])
def test_chance_never_makes_a_wait_shorter_than_asked_for(
    world: World, between: Callable[[float, float], float]
) -> None:
    world.between = between
    assert 100 < comes_again(world, TransientError("Wait.", 100)) <= 130


def test_a_hint_shorter_than_our_own_wait_changes_nothing(world: World) -> None:
    assert comes_again(world, TransientError("Wait.", 20), attempt=3) == 90


def test_what_a_newer_release_wrote_waits_for_it(world: World) -> None:
    assert NEWER_AFTER_S < comes_again(world, NewerFormat()) <= NEWER_AFTER_S + 30


def test_no_wait_is_longer_than_the_queue_can_keep_a_message_hidden(world: World) -> None:
    assert comes_again(world, TransientError("Wait.", TEN_YEARS_S)) == LONGEST_S == SQS_LIMIT_S - FUNCTION_S


def again(world: World, number: int, taken: Job) -> int:
    DeliverResults(world.publisher, parsed, world.hide, world.events)([record(taken, number=number)])
    return world.hidden[-1][1]


def test_what_failed_together_does_not_come_again_together(world: World) -> None:
    taken = world.worked()
    world.tracker.faults.plan("release", *[TransientError("Jira did not answer.")] * 10)
    failed = [again(world, number, taken) for number in range(10)]
    assert len(set(failed)) > 1
    assert all(21 <= seconds <= 39 for seconds in failed)


def test_what_an_unusable_configuration_holds_up_does_not_come_again_together(world: World) -> None:
    world.unusable.append(ConfigError("The secret alm/jira cannot be used: client_id: missing"))
    held_up = [again(world, number, job()) for number in range(10)]
    assert len(set(held_up)) > 1
    assert all(0.7 * UNUSABLE_FOR_S <= seconds <= 1.3 * UNUSABLE_FOR_S for seconds in held_up)


def test_a_refusal_too_is_left_to_the_queue(world: World) -> None:
    taken = world.worked()
    world.tracker.faults.plan("release", RefusedError("No.", 403))
    assert world.deliver(record(taken)) == ["message-1"]


def test_an_error_that_is_none_of_ours_is_counted_and_raised_and_not_quoted(world: World) -> None:
    taken = world.worked()
    world.tracker.faults.plan("release", KeyError("a stranger's words"))
    with pytest.raises(KeyError):
        world.deliver(record(taken))
    assert world.events.named("publish.failed") == [{"error": "KeyError"}]
    assert world.counted() == ["PublishErrors"]


def test_an_unusable_configuration_is_one_line_and_one_try_in_a_quarter_of_an_hour(world: World) -> None:
    world.unusable.append(ConfigError("The secret alm/jira cannot be used: client_id: missing"))
    assert world.deliver(record(job())) == ["message-1"]
    assert world.events.named("config.unusable") == [
        {"error": "The secret alm/jira cannot be used: client_id: missing"}
    ]
    assert len(world.events.recorded) == 1
    assert world.hidden == [("receipt-1", UNUSABLE_FOR_S)]
    assert world.counted() == ["PublishErrors", "ConfigErrors"]


def test_a_foreign_message_comes_again_at_once_until_the_queue_puts_it_aside(world: World) -> None:
    assert world.deliver(record(None, attempt=2)) == ["message-1"]
    assert world.hidden == [("receipt-1", 0)]
    assert world.events.named("message.foreign") == [{"message_id": "message-1", "attempt": 2}]
    assert world.counted() == ["PublishErrors"]


def test_a_newer_releases_message_waits_for_that_release(world: World) -> None:
    world.is_old = True
    assert world.deliver(record(job())) == ["message-1"]
    ((_, seconds),) = world.hidden
    assert NEWER_AFTER_S < seconds <= NEWER_AFTER_S + 30
    assert world.events.named("message.newer") == [{"message_id": "message-1", "attempt": 1}]


def test_what_comes_after_a_failure_is_not_overtaken(world: World) -> None:
    taken = world.worked()
    assert world.deliver(record(None), record(taken, number=2)) == ["message-1", "message-2"]
    assert world.jobs.records[taken.job_id].outcome is None


def test_where_the_wait_cannot_be_set_the_queues_own_holds(world: World) -> None:
    world.hide_fails = True
    assert world.deliver(record(None)) == ["message-1"]
    assert world.events.named("visibility.not_changed") == [{"error": "KeyError"}]


def test_a_second_delivery_does_the_rest(world: World) -> None:
    taken = world.worked()
    world.tracker.faults.plan("release", TransientError("Jira did not answer."))
    world.deliver(record(taken))
    assert world.deliver(record(taken, attempt=2)) == []
    assert world.jobs.records[taken.job_id].outcome == "succeeded"
