"""The fakes where chaos needs them nearer to the real services: an index that lags, receipts that run out, time."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.fakes.clock import FakeClock
from tests.fakes.job_store import FakeJobStore
from tests.fakes.queue import FakeQueue, Message
from tests.fakes.tracker import FakeTracker

from orchestrator.domain.issue import Issue, OwnComment
from orchestrator.domain.job import Job

# How long a search may still show an issue as it was before an edit.
INDEX_LAGS_S = 30


class StaleReceipt(Exception):  # noqa: N818  # what it is
    """A FIFO queue takes no receipt whose time has run out."""


@dataclass
class LaggingTracker(FakeTracker):
    """Jira whose search shows each edit half a minute late, and whose `updated` moves with comments too."""

    clock: FakeClock = field(default_factory=FakeClock)
    lags_s: float = INDEX_LAGS_S
    _past: dict[str, list[tuple[float, Issue]]] = field(default_factory=dict)

    def search(self, jql: str) -> Any:
        self.index = {key: seen for key in self.issues if (seen := self._shown(key)) is not None}
        return super().search(jql)

    def _shown(self, key: str) -> Issue | None:
        """The oldest state that an edit within the lag has replaced."""
        recent = (old for at, old in self._past.get(key, ()) if self.clock.now - at < self.lags_s)
        return next(recent, None)

    def comment(self, key: str, markdown: str, mark: OwnComment) -> str:
        identity = super().comment(key, markdown, mark)
        self._touch(key)
        return identity

    def edit_comment(self, key: str, comment_id: str, markdown: str) -> None:
        super().edit_comment(key, comment_id, markdown)
        self._touch(key)

    def _touch(self, key: str) -> None:
        self._edits += 1
        self.issues[key] = replace(self.issues[key], updated=f"edit {self._edits}")

    def _edit(self, key: str, labels: frozenset[str], claim: dict[str, Any] | None) -> None:
        self._past.setdefault(key, []).append((self.clock.now, self.issues[key]))
        super()._edit(key, labels, claim)


@dataclass
class ExpiringQueue(FakeQueue):
    """SQS, which refuses a receipt once the message is visible again or in other hands.

    `ever` is every message it took, for it to hand out once more.
    """

    ever: list[Message] = field(default_factory=list)

    def send(self, job: Job, again: int = 0) -> None:
        before = len(self.messages)
        super().send(job, again)
        self.ever += self.messages[before:]

    def _received(self, receipt: str) -> Message:
        for message in self.messages:
            if message.receipt == receipt and message.visible_at > self.clock.now:
                return message
        raise StaleReceipt

    def redrive(self) -> int:
        """What a person does with the dead letters: back onto the queue, counted anew."""
        brought = [
            replace(message, visible_at=self.clock.now, receives=0, receipt="") for message in self.dead
        ]
        self.messages += brought
        self.dead.clear()
        return len(brought)

    def hand_out_again(self, message: Message) -> None:
        """The same message once more, as if it had been sent again after the five minutes."""
        self.messages.append(replace(message, visible_at=self.clock.now, receives=0, receipt=""))

    def put_in_order(self, groups: Sequence[str]) -> None:
        """FIFO promises an order within a group only: the groups come in this one."""
        self.messages.sort(key=lambda message: groups.index(message.group))

    def is_standing(self) -> bool:
        """Whether there is nothing to hand out now; a receive would count as one."""
        return self._next() is None


@dataclass
class TimedJobStore(FakeJobStore):
    """The job table on the same clock as all else."""

    clock: FakeClock = field(default_factory=FakeClock)

    def __getattribute__(self, name: str) -> Any:
        return super().__getattribute__("clock").now if name == "now" else super().__getattribute__(name)
