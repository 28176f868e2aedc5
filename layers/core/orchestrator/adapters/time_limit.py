"""A limit of time that also interrupts a regular expression and a blocked socket: a signal to the main thread.

Python checks for signals inside `re` and after every interrupted system call (PEP 475).
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from orchestrator.errors import OutOfTime

# Raised again as long as the block does not end: a finalizer, for example, swallows what is raised in it.
AGAIN_S = 1.0
# Work that only waits for a service uses about one hundredth.
BUSY_SHARE = 0.1


class SignalTimeLimit:
    """Works on the main thread only, where Lambda and the local stack run a handler; elsewhere it raises ValueError.

    Limits are not nested.
    """

    @contextmanager
    def within(self, wall_s: float, cpu_s: float) -> Iterator[None]:
        """Raise OutOfTime in the block once it has taken so many seconds, or so many of the processor."""
        began_s = time.process_time()

        def end(number: int, _: FrameType | None) -> None:
            used_s = time.process_time() - began_s
            raise OutOfTime(is_busy=number == signal.SIGPROF or used_s >= BUSY_SHARE * wall_s)

        before = {number: signal.signal(number, end) for number in (signal.SIGALRM, signal.SIGPROF)}
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, wall_s, AGAIN_S)
                signal.setitimer(signal.ITIMER_PROF, cpu_s, AGAIN_S)
                yield
            finally:
                _disarm()
        finally:
            # Once more, if a signal came while the first line of this was running.
            _disarm()
            for number, handler in before.items():
                signal.signal(number, handler)


def _disarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.setitimer(signal.ITIMER_PROF, 0)
