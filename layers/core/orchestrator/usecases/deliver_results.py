"""What publish_result does with the messages AWS hands it: each is published, or comes again and is counted."""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import (
    NEWER_AFTER_S,
    ConfigError,
    ForeignMessage,
    ForgedJob,
    NewerMessage,
    OrchestratorError,
    TransientError,
    words_for_the_log,
)
from orchestrator.ports import Delivery, Events
from orchestrator.usecases.postponed import SPREAD, Between, Postponement
from orchestrator.usecases.publish_in_time import PublishInTime
from orchestrator.usecases.unusable import tell_unusable

RETRY_AFTER_S = 30
# Nobody mends a credential within seconds: four tries are then an hour.
UNUSABLE_FOR_S = 900
# SQS hides a message for at most 12 hours (43,200 s), counted from its receipt: a quarter of an hour of that is left
# for the function's own time.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
LONGEST_S = 43_200 - 900
_POSTPONED = Postponement(RETRY_AFTER_S, LONGEST_S)


@dataclass(frozen=True)
class DeliverResults:
    """One event of the result queue. `publisher` may raise ConfigError; `hide` says when a message comes again."""

    publisher: Callable[[], PublishInTime]
    parsed: Callable[[Mapping[str, Any]], Delivery]
    hide: Callable[[str, int], None]
    events: Events
    between: Between = random.uniform

    def __call__(self, records: Iterable[Mapping[str, Any]]) -> list[str]:
        """The ids of the messages that must come again: the first that failed and, for the order, all after it."""
        left: list[str] = []
        for record in records:
            if left or not self._is_done(record):
                left.append(record["messageId"])
        return left

    def _is_done(self, record: Mapping[str, Any]) -> bool:
        """Whether the message is done with; an error that is none of ours is raised, for its traceback's sake."""
        try:
            self._publish(record)
        except OrchestratorError as error:
            self._tell(error)
            self._comes_again(record["receiptHandle"], self._after_s(error, record))
            return False
        except Exception as error:
            self._tell(error)
            raise
        return True

    def _publish(self, record: Mapping[str, Any]) -> None:
        delivery = self.parsed(record)
        self.publisher()(delivery.job, delivery.attempt)

    def _tell(self, error: Exception) -> None:
        self.events.metric("PublishErrors", 1)
        match error:
            case ForeignMessage(message_id=message_id, attempt=attempt):
                event = "message.newer" if isinstance(error, NewerMessage) else "message.foreign"
                self.events.warning(event, message_id=message_id, attempt=attempt)
            case ForgedJob():
                self.events.warning("job.forged", error=str(error))
                self.events.metric("ForgedJobs", 1)
            case ConfigError():
                tell_unusable(error, self.events)
            case _:
                self.events.warning("publish.failed", error=words_for_the_log(error))

    def _comes_again(self, receipt: str, seconds: int) -> None:
        try:
            self.hide(receipt, seconds)
        except Exception as error:  # noqa: BLE001  # it comes again anyhow, after the queue's own time
            self.events.warning("visibility.not_changed", error=words_for_the_log(error))

    def _after_s(self, error: OrchestratorError, record: Mapping[str, Any]) -> int:
        """A foreign message at once, so that the queue puts it away soon; the others later each time."""
        if isinstance(error, ConfigError):
            return round(UNUSABLE_FOR_S * self.between(*SPREAD))
        if (asked_s := _asked_s(error)) is None:
            return 0
        attempt = int(record["attributes"]["ApproximateReceiveCount"])
        return _POSTPONED.delay_s(attempt, asked_s, self.between)


def _asked_s(error: OrchestratorError) -> float | None:
    """How long we were asked to wait, 0 if nobody did; None of a message that is nobody's."""
    match error:
        case NewerMessage():
            return NEWER_AFTER_S
        case ForeignMessage() | ForgedJob():
            return None
        case TransientError(after_s=after_s):
            return after_s
        case _:
            return 0.0
