"""An SQS FIFO queue in memory: order and one at a time per issue, deduplication, visibility, receive count.

A message that was handed out four times goes to the dead letters instead of a fifth time.
"""

import re
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults

from orchestrator.domain.job import Job
from orchestrator.errors import ForeignMessage
from orchestrator.ports import DeadLetters, Delivery, JobCounter, JobReceiver, JobSender

DEDUPLICATED_FOR_S = 300
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
MAX_RECEIVES = 4
LEGAL_ID = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")


@dataclass
class Message:
    """One job on the queue; without a job it is none of ours."""

    job: Job | None
    group: str
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
    dead: list[Message] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    _sent_at: dict[str, float] = field(default_factory=dict)
    _receipts: "count[int]" = field(default_factory=count)

    def send(self, job: Job, again: int = 0) -> None:
        self.faults.strike("send")
        sending = f"{job.job_id}.{again}" if again else job.job_id
        for identity in (sending, job.issue_key):
            if LEGAL_ID.fullmatch(identity) is None:
                raise ValueError(f"SQS does not take {identity!r} as an id")
        sent_at = self._sent_at.get(sending)
        if sent_at is None or self.clock.now - sent_at >= DEDUPLICATED_FOR_S:
            self._sent_at[sending] = self.clock.now
            self.messages.append(Message(job, job.issue_key, self.clock.now))

    def send_foreign(self, group: str) -> None:
        """Put something on the queue that is no job."""
        self.messages.append(Message(None, group, self.clock.now))

    def waiting(self) -> int:
        self.faults.strike("waiting")
        return sum(message.visible_at <= self.clock.now for message in self.messages)

    def depth(self) -> int:
        self.faults.strike("depth")
        return len(self.messages)

    def purge(self) -> None:
        """Let a person empty the queue."""
        self.messages.clear()

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
        if message.job is None:
            raise ForeignMessage("foreign", message.receipt, message.receives)
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
        return [message.job for message in self.messages if message.job is not None]

    def _next(self) -> Message | None:
        """The first visible message of a group of which no message is in someone's hands."""
        blocked = set()
        for message in tuple(self.messages):
            if message.group not in blocked and message.visible_at <= self.clock.now:
                if message.receives < MAX_RECEIVES:
                    return message
                self.messages.remove(message)
                self.dead.append(message)
                continue
            blocked.add(message.group)
        return None

    def _received(self, receipt: str) -> Message:
        return next(message for message in self.messages if message.receipt == receipt)


@dataclass
class FakeDeadLetters:
    """What a look at a queue's dead letters shows."""

    queue: FakeQueue

    def jobs(self) -> tuple[Job, ...]:
        self.queue.faults.strike("dead")
        return tuple(message.job for message in self.queue.dead if message.job is not None)


if TYPE_CHECKING:
    _dead: DeadLetters = FakeDeadLetters(FakeQueue())
    _sender: JobSender = FakeQueue()
    _receiver: JobReceiver = FakeQueue()
    _counter: JobCounter = FakeQueue()
