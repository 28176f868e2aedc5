"""Child processes that end with their parent: each watches its standard input, which the parent holds open.

One that cannot watch, since it is stuck, is ended by the reaper.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from threading import Thread

from alm import reaper

GRACE_S = 30.0


def start(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], passed: tuple[int, ...] = ()
) -> "subprocess.Popen[bytes]":
    """Start `python -m module` with exactly this environment, in a session of its own (Ctrl-C is ours to pass on)."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        pass_fds=passed,
        start_new_session=True,
    )
    reaper.watch(process.pid)
    return process


def stop(process: "subprocess.Popen[bytes]", grace_s: float = GRACE_S) -> None:
    """End a child: politely, then not."""
    process.terminate()
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def on_parent_gone(leave: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGTERM)) -> None:
    """Call `leave` when standard input ends, which is when the parent is gone."""

    def watch() -> None:
        # Not sys.stdin: its lock, held by a daemon thread, would abort the interpreter when it ends.
        while os.read(0, 1):
            pass
        leave()

    Thread(target=watch, name="tether", daemon=True).start()
