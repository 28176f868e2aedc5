"""One worker's life: take one message, keep it hidden, run its job, and be done with the message."""

import random
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.agent import Stop
from orchestrator.domain.halt import Halt
from orchestrator.errors import (
    NEWER_AFTER_S,
    ForeignMessage,
    ForgedJob,
    GivenUp,
    NewerMessage,
    TransientError,
)
from orchestrator.ports import Clock, Delivery, Events, JobReceiver
from orchestrator.usecases.postponed import Between, Postponement
from orchestrator.usecases.run_job import RunJob

RETRY_AFTER_S = 60
# SQS hides no message for longer than 12 hours from when it handed it out, and a job may have run for eight.
LONGEST_HIDDEN_S = 3 * 3600
_POSTPONED = Postponement(RETRY_AFTER_S, LONGEST_HIDDEN_S)
# Handed out four times, a message goes to the dead letters: this many looks are enough for two dozen of them.
MOST_FOREIGN = 100


@dataclass
class Work:
    """What a task does with the queue.

    `beside` keeps a receipt's message from other workers while its context lasts, and makes that call now and then.
    """

    queue: JobReceiver
    run: RunJob
    beside: Callable[[str, Callable[[], None]], AbstractContextManager[object]]
    events: Events
    clock: Clock
    between: Between = random.uniform
    _halt: Halt | None = None

    def take_one(self, wait_s: int) -> bool:
        """Work on the next message; False if none came within `wait_s` seconds."""
        delivery = self._next(wait_s)
        if delivery is None:
            return False
        try:
            self.on(delivery)
        except GivenUp:
            self._give_up(delivery)
        except ForgedJob:
            self._refuse(delivery)
        except TransientError as error:
            self.events.warning("job.postponed", **delivery.job.log_fields(), error=str(error))
            after_s = _POSTPONED.delay_s(delivery.attempt, error.after_s, self.between)
            self.queue.hide(delivery.receipt, after_s)
        return True

    def _next(self, wait_s: int) -> Delivery | None:
        for _ in range(MOST_FOREIGN):
            try:
                return self.queue.receive(wait_s)
            except ForeignMessage as message:
                self._put_aside(message)
        return None

    def on_record(self, record: Mapping[str, Any], parsed: Callable[[Mapping[str, Any]], Delivery]) -> None:
        """The same with a message that AWS has received; raising leaves it to the queue."""
        try:
            delivery = parsed(record)
        except ForeignMessage as message:
            self._put_aside(message)
            raise
        try:
            self.on(delivery)
        except GivenUp:
            self._give_up(delivery)
            raise
        except ForgedJob:
            self._refuse(delivery)
            raise

    def _refuse(self, delivery: Delivery) -> None:
        """Give the message back at once, so that the queue moves it to the dead letters within seconds."""
        self.events.warning("job.forged", **delivery.job.log_fields(), attempt=delivery.attempt)
        self.queue.hide(delivery.receipt, 0)

    def _give_up(self, delivery: Delivery) -> None:
        """Give the message back at once, so that the queue soon puts it away: a person brings it back."""
        self.events.warning("job.kept", **delivery.job.log_fields(), attempt=delivery.attempt)
        self.queue.hide(delivery.receipt, 0)

    def _put_aside(self, message: ForeignMessage) -> None:
        """Give it back at once: so the queue has handed it out often enough, and puts it away, within seconds.

        A newer release's waits for that one.
        """
        is_newer = isinstance(message, NewerMessage)
        event = "message.newer" if is_newer else "message.foreign"
        self.events.warning(event, message_id=message.message_id, attempt=message.attempt)
        self.queue.hide(message.receipt, int(NEWER_AFTER_S) if is_newer else 0)

    def on(self, delivery: Delivery) -> None:
        """Work on this message; raising leaves it to the queue."""
        halt = self._halt = Halt()
        started = self.clock.monotonic()
        try:
            self.events.info("job.taken", **delivery.job.log_fields(), attempt=delivery.attempt)
            with self.beside(delivery.receipt, lambda: self.run.look(delivery.job, halt)):
                self.run(delivery, halt)
            self.queue.delete(delivery.receipt)
        finally:
            self._halt = None
        seconds = self.clock.monotonic() - started
        self.events.metric("JobSeconds", seconds, action=delivery.job.action)

    def stop(self, reason: Stop) -> None:
        """Leave now if there is nothing to do, else end the agent: its job is told, or given back to the queue."""
        if self._halt is None:
            raise SystemExit(0)
        self._halt.ask(reason)
