"""What publish_result answers the queue: which results come again, when, and what is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.builders import issue, job
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.job import Job
from orchestrator.errors import ConfigError, ForeignMessage, RefusedError, TransientError
from orchestrator.ports import Delivery
from orchestrator.usecases.deliver_results import UNUSABLE_FOR_S, DeliverResults
from orchestrator.usecases.publish_result import PublishResult


@dataclass
class World(Pipeline):
    """A job with a result, and a publisher whose queue is a list of what it hid."""

    hidden: list[tuple[str, int]] = field(default_factory=list)
    unusable: list[ConfigError] = field(default_factory=list)
    hide_fails: bool = False

    def worked(self) -> Job:
        """A job whose result waits to be published."""
        self.tracker.add(issue())
        taken = self.take()
        self.work(taken)
        self.events.recorded.clear()
        self.events.measured.clear()
        return taken

    def publisher(self) -> PublishResult:
        if self.unusable:
            raise self.unusable[0]
        return PublishResult(
            self.tracker,
            self.tracker,
            self.pull_requests,
            self.jobs,
            self.artifacts,
            self.catalogue,
            self.events,
        )

    def deliver(self, *records: Mapping[str, Any]) -> list[str]:
        """The ids of what must come again."""
        return DeliverResults(self.publisher, parsed, self.hide, self.events)(records)

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
