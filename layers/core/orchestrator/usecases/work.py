"""One worker's life: take one message, keep it hidden, run its job, and be done with the message."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from orchestrator.errors import TransientError
from orchestrator.ports import Agent, Delivery, Events, JobReceiver
from orchestrator.usecases.run_job import RunJob

RETRY_AFTER_S = 60


@dataclass
class Work:
    """What a task does with the queue. `hidden` keeps a receipt's message from other workers."""

    queue: JobReceiver
    run: RunJob
    hidden: Callable[[str], AbstractContextManager[None]]
    agent: Agent
    events: Events
    _busy: bool = False

    def take_one(self, wait_s: int) -> bool:
        """Work on the next message; False if none came within `wait_s` seconds."""
        delivery = self.queue.receive(wait_s)
        if delivery is None:
            return False
        try:
            self.on(delivery)
        except TransientError as error:
            self.events.warning("job.postponed", **delivery.job.log_fields(), error=str(error))
            self.queue.hide(delivery.receipt, RETRY_AFTER_S * delivery.attempt)
        return True

    def on(self, delivery: Delivery) -> None:
        """Work on this message; raising leaves it to the queue."""
        self._busy = True
        try:
            self.events.info("job.taken", **delivery.job.log_fields(), attempt=delivery.attempt)
            with self.hidden(delivery.receipt):
                self.run(delivery)
            self.queue.delete(delivery.receipt)
        finally:
            self._busy = False

    def stop(self) -> None:
        """Leave now if there is nothing to do, else end the agent and let its ticket be told."""
        if not self._busy:
            raise SystemExit(0)
        self.agent.cancel()
