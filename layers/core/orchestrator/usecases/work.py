"""One worker's life: take one message, keep it hidden, run its job, and be done with the message."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import ForeignMessage, TransientError
from orchestrator.ports import Agent, Clock, Delivery, Events, JobReceiver
from orchestrator.usecases.run_job import RunJob

RETRY_AFTER_S = 60
# Handed out four times, a message goes to the dead letters: this many looks are enough for two dozen of them.
MOST_FOREIGN = 100


@dataclass
class Work:
    """What a task does with the queue. `hidden` keeps a receipt's message from other workers."""

    queue: JobReceiver
    run: RunJob
    hidden: Callable[[str], AbstractContextManager[None]]
    agent: Agent
    events: Events
    clock: Clock
    _busy: bool = False

    def take_one(self, wait_s: int) -> bool:
        """Work on the next message; False if none came within `wait_s` seconds."""
        delivery = self._next(wait_s)
        if delivery is None:
            return False
        try:
            self.on(delivery)
        except TransientError as error:
            self.events.warning("job.postponed", **delivery.job.log_fields(), error=str(error))
            self.queue.hide(delivery.receipt, RETRY_AFTER_S * delivery.attempt)
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
        self.on(delivery)

    def _put_aside(self, message: ForeignMessage) -> None:
        """Give it back at once: so the queue has handed it out often enough, and puts it away, within seconds."""
        self.events.warning("message.foreign", message_id=message.message_id, attempt=message.attempt)
        self.queue.hide(message.receipt, 0)

    def on(self, delivery: Delivery) -> None:
        """Work on this message; raising leaves it to the queue."""
        self._busy = True
        started = self.clock.monotonic()
        try:
            self.events.info("job.taken", **delivery.job.log_fields(), attempt=delivery.attempt)
            with self.hidden(delivery.receipt):
                self.run(delivery)
            self.queue.delete(delivery.receipt)
        finally:
            self._busy = False
        seconds = self.clock.monotonic() - started
        self.events.metric("JobSeconds", seconds, action=delivery.job.action)

    def stop(self) -> None:
        """Leave now if there is nothing to do, else end the agent and let its ticket be told."""
        if not self._busy:
            raise SystemExit(0)
        self.agent.cancel()
