"""The limit of time, with real signals: it interrupts what Python runs, an expression and a blocked socket."""

import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from orchestrator.adapters.time_limit import SignalTimeLimit
from orchestrator.errors import OutOfTime

LIMIT = SignalTimeLimit()
LONG_S = 60.0


def _spin() -> None:
    while True:
        pass


def _match() -> None:
    re.search(r"(?:PR)\s*:?\s*#?\s*x", "PR" + " " * 20_000 + "y")


def _swallow() -> None:
    while True:
        with suppress(Exception):  # as a careless library has it
            _spin()


def _receive() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.recv(1)


def _ended(work: Callable[[], None], wall_s: float, cpu_s: float) -> tuple[OutOfTime, float]:
    began = time.monotonic()
    with pytest.raises(OutOfTime) as raised, LIMIT.within(wall_s, cpu_s):
        work()
    return raised.value, time.monotonic() - began


@pytest.mark.parametrize("work", [_spin, _match, _swallow])
def test_work_that_keeps_the_processor_is_interrupted_and_called_busy(work: Callable[[], None]) -> None:
    late, _ = _ended(work, LONG_S, 0.2)
    assert late.is_busy


def test_a_socket_that_nobody_answers_is_interrupted_and_not_called_busy() -> None:
    late, took_s = _ended(_receive, 0.3, LONG_S)
    assert not late.is_busy
    assert took_s < LONG_S / 2


def test_work_that_swallowed_the_first_interruption_gets_another() -> None:
    swallowed = []

    def work() -> None:
        try:
            _spin()
        except OutOfTime:
            swallowed.append(1)
            _spin()

    _ended(work, LONG_S, 0.1)
    assert swallowed


def test_nothing_comes_after_work_that_ended_in_time() -> None:
    handlers = [signal.getsignal(one) for one in (signal.SIGALRM, signal.SIGPROF)]
    with LIMIT.within(0.2, 0.2):
        pass
    time.sleep(0.3)
    assert [signal.getsignal(one) for one in (signal.SIGALRM, signal.SIGPROF)] == handlers
    assert signal.getitimer(signal.ITIMER_REAL) == signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_an_error_of_the_work_comes_through_and_ends_the_limit() -> None:
    with pytest.raises(KeyError), LIMIT.within(LONG_S, LONG_S):
        raise KeyError
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_limit_that_could_not_be_held_is_an_error_and_never_no_limit() -> None:
    raised: list[BaseException] = []

    def limited() -> None:
        try:
            with LIMIT.within(1, 1):
                raised.append(AssertionError("the work ran without a limit"))
        except ValueError as error:
            raised.append(error)

    thread = threading.Thread(target=limited)
    thread.start()
    thread.join()
    assert [type(error) for error in raised] == [ValueError]
