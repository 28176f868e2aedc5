"""What goes on beside the work: again and again while it lasts, and no longer."""

from dataclasses import dataclass, field
from threading import Event, active_count

import pytest
from tests.fakes.events import FakeEvents

from orchestrator.adapters.heartbeat import ALIVE_EVERY_S, HIDDEN_S, HIDE_EVERY_S, Heartbeat
from orchestrator.domain.job import UNATTENDED_S

SOON_S = 5.0
OFTEN_S = 0.001


@dataclass
class Beats:
    """Counts them; the first `failing` raise."""

    failing: int = 0
    count: int = 0
    third: Event = field(default_factory=Event)

    def __call__(self) -> None:
        self.count += 1
        if self.count >= 3:
            self.third.set()
        if self.count <= self.failing:
            raise ConnectionError("token=s3cret")


def test_there_is_a_beat_again_and_again_while_the_work_lasts() -> None:
    beats = Beats()
    with Heartbeat(beats, OFTEN_S, "beat.failed", FakeEvents()):
        assert beats.third.wait(SOON_S)


def test_a_beat_that_fails_is_told_without_its_words_and_made_good_by_the_next() -> None:
    beats, events = Beats(failing=2), FakeEvents()
    with Heartbeat(beats, OFTEN_S, "beat.failed", events):
        assert beats.third.wait(SOON_S)
    assert events.named("beat.failed") == [{"error": "ConnectionError"}] * 2


def test_there_is_no_beat_once_the_work_is_over() -> None:
    beats = Beats()
    threads = active_count()
    with Heartbeat(beats, OFTEN_S, "beat.failed", FakeEvents()):
        assert beats.third.wait(SOON_S)
    assert active_count() == threads


def test_a_beat_under_way_is_waited_for_when_the_work_is_over() -> None:
    under_way, done = Event(), Event()

    def slow() -> None:
        under_way.set()
        Event().wait(0.05)
        done.set()

    with Heartbeat(slow, OFTEN_S, "beat.failed", FakeEvents()):
        assert under_way.wait(SOON_S)
    assert done.is_set()


def test_the_beats_end_with_work_that_fails_and_do_not_hide_why() -> None:
    threads = active_count()
    with pytest.raises(KeyError), Heartbeat(Beats(), OFTEN_S, "beat.failed", FakeEvents()):
        raise KeyError
    assert active_count() == threads


def test_short_work_needs_no_beat() -> None:
    beats = Beats()
    with Heartbeat(beats, HIDE_EVERY_S, "beat.failed", FakeEvents()):
        pass
    assert beats.count == 0


def test_one_that_fails_keeps_another_from_nothing() -> None:
    failing, well, events = Beats(failing=1_000_000), Beats(), FakeEvents()
    with (
        Heartbeat(failing, OFTEN_S, "job.not_looked_at", events),
        Heartbeat(well, OFTEN_S, "visibility.not_extended", events),
    ):
        assert failing.third.wait(SOON_S)
        assert well.third.wait(SOON_S)
    assert set(events.warnings()) == {"job.not_looked_at"}


def test_two_beats_may_fail_before_a_message_shows_again_and_ten_before_a_worker_is_taken_for_dead() -> None:
    assert 3 * HIDE_EVERY_S <= HIDDEN_S
    assert 10 * ALIVE_EVERY_S < UNATTENDED_S
