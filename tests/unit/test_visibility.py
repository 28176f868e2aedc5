"""The message stays hidden while the worker works, and no longer."""

from dataclasses import dataclass, field
from threading import Event

from tests.fakes.events import FakeEvents
from tests.fakes.queue import FakeQueue

from orchestrator.adapters.visibility import HIDDEN_S, Heartbeat

SOON_S = 5.0


@dataclass
class BeatenQueue(FakeQueue):
    """Counts the beats; the first `failing` of them raise."""

    failing: int = 0
    beats: list[tuple[str, int]] = field(default_factory=list)
    third: Event = field(default_factory=Event)

    def hide(self, receipt: str, seconds: int) -> None:
        self.beats.append((receipt, seconds))
        if len(self.beats) >= 3:
            self.third.set()
        if len(self.beats) <= self.failing:
            raise ConnectionError


def test_the_message_is_hidden_again_and_again_while_the_work_lasts() -> None:
    queue = BeatenQueue()
    with Heartbeat(queue, "receipt", FakeEvents(), beat_s=0.001):
        assert queue.third.wait(SOON_S)
    assert set(queue.beats) == {("receipt", HIDDEN_S)}


def test_a_beat_that_fails_is_made_good_by_the_next_and_stops_nothing() -> None:
    queue, events = BeatenQueue(failing=2), FakeEvents()
    with Heartbeat(queue, "receipt", events, beat_s=0.001):
        assert queue.third.wait(SOON_S)
    assert len(events.named("visibility.not_extended")) == 2


def test_nothing_is_hidden_once_the_work_is_over() -> None:
    queue = BeatenQueue()
    with Heartbeat(queue, "receipt", FakeEvents(), beat_s=0.001):
        assert queue.third.wait(SOON_S)
    beats = len(queue.beats)
    assert not Event().wait(0.01)
    assert len(queue.beats) == beats


def test_short_work_needs_no_beat() -> None:
    queue = BeatenQueue()
    with Heartbeat(queue, "receipt", FakeEvents()):
        pass
    assert queue.beats == []
