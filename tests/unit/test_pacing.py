"""The pace of writes to an issue, and what is remembered of it."""

from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.clock import FakeClock

from orchestrator.adapters.pacing import LONGEST_S, MOST, WINDOWS, Pacing


@given(st.lists(st.tuples(st.sampled_from(["A-1", "A-2"]), st.floats(0, 3)), max_size=250))
def test_no_window_of_any_issue_ever_holds_more_than_its_limit(steps: list[tuple[str, float]]) -> None:
    clock = FakeClock(now=0.0)
    pacing, written = Pacing(clock), {"A-1": list[float](), "A-2": list[float]()}
    for issue, pause_s in steps:
        clock.now += pause_s
        pacing.wait(issue)
        written[issue].append(clock.now)
    for at in written.values():
        for seconds, count in WINDOWS:
            # Sums of floats: a write may seem early by their last digit.
            assert all(b - a > seconds - 1e-9 for a, b in zip(at, at[count:], strict=False))


def test_nobody_waits_longer_than_needed() -> None:
    clock = FakeClock(now=0.0)
    pacing = Pacing(clock)
    for _ in range(16):
        pacing.wait("A-1")
    assert clock.slept == [2.0]


def test_issues_whose_writes_no_longer_count_are_forgotten() -> None:
    clock = FakeClock(now=0.0)
    pacing = Pacing(clock)
    for number in range(1000):
        pacing.wait(f"A-{number}")
        clock.now += 1
    assert len(pacing.writes) == LONGEST_S


def test_an_issue_that_is_written_to_without_end_takes_no_more_memory() -> None:
    pacing = Pacing(FakeClock(now=0.0))
    for _ in range(500):
        pacing.wait("A-1")
    assert [len(written) for written in pacing.writes.values()] == [MOST]
