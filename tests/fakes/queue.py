"""An SQS FIFO queue in memory: order and one at a time per issue, deduplication, visibility, receive count."""

import re
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults

from orchestrator.domain.job import Job
from orchestrator.ports import Delivery, JobReceiver, JobSender

DEDUPLICATED_FOR_S = 300
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
LEGAL_ID = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")


@dataclass
class Message:
    """One job on the queue."""

    job: Job
    visible_at: float
    receives: int = 0
    receipt: str = ""


@dataclass
class FakeQueue:
    """Both ends. A received message stays hidden for `hidden_s` seconds of the clock."""

    clock: FakeClock = field(default_factory=FakeClock)
    hidden_s: int = 120
    messages: list[Message] = field(default_factory=list)
    hides: list[int] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    _sent_at: dict[str, float] = field(default_factory=dict)
    _receipts: "count[int]" = field(default_factory=count)

    def send(self, job: Job) -> None:
        self.faults.strike("send")
        for identity in (job.job_id, job.issue_key):
            if LEGAL_ID.fullmatch(identity) is None:
                raise ValueError(f"SQS does not take {identity!r} as an id")
        sent_at = self._sent_at.get(job.job_id)
        if sent_at is None or self.clock.now - sent_at >= DEDUPLICATED_FOR_S:
            self._sent_at[job.job_id] = self.clock.now
            self.messages.append(Message(job, self.clock.now))

    def receive(self, wait_s: int) -> Delivery | None:
        self.faults.strike("receive")
        message = self._next()
        if message is None:
            self.clock.sleep(wait_s)
            message = self._next()
        if message is None:
            return None
        message.visible_at = self.clock.now + self.hidden_s
        message.receives += 1
        message.receipt = f"receipt-{next(self._receipts)}"
        return Delivery(message.job, message.receives, message.receipt)

    def hide(self, receipt: str, seconds: int) -> None:
        self.faults.strike("hide")
        self.hides.append(seconds)
        self._received(receipt).visible_at = self.clock.now + seconds

    def delete(self, receipt: str) -> None:
        self.faults.strike("delete")
        self.messages.remove(self._received(receipt))

    def jobs(self) -> list[Job]:
        """Every job on the queue, hidden ones included."""
        return [message.job for message in self.messages]

    def _next(self) -> Message | None:
        """The first visible message of a group of which no message is in someone's hands."""
        blocked = set()
        for message in self.messages:
            group = message.job.issue_key
            if group not in blocked and message.visible_at <= self.clock.now:
                return message
            blocked.add(group)
        return None

    def _received(self, receipt: str) -> Message:
        return next(message for message in self.messages if message.receipt == receipt)


if TYPE_CHECKING:
    _sender: JobSender = FakeQueue()
    _receiver: JobReceiver = FakeQueue()
