"""`python -m alm.reaper`: ends the processes of a parent that is gone, however it went.

A child cannot watch its parent by itself: a thread of Python waits as long as a regular expression runs. So the
parent names each child here, and when the parent's end of the pipe closes, those that are left are ended. The reaper
has a session of its own: no signal to the parent's group reaches it.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from alm.environment import machine_environment


@dataclass
class Reaper:
    """The parent's side. The reaper itself is started with the first child."""

    _process: "subprocess.Popen[bytes] | None" = None
    _lock: Lock = field(default_factory=Lock)

    def watch(self, pid: int, grace_s: float = 0.0) -> None:
        """End that child when this process is gone: SIGTERM and so many seconds first, or SIGKILL at once."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = _start()
            assert self._process.stdin is not None  # noqa: S101  # it is a pipe
            self._process.stdin.write(f"{pid} {grace_s}\n".encode())
            self._process.stdin.flush()


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "alm.reaper"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=machine_environment(),
        start_new_session=True,
    )


_reaper = Reaper()
watch = _reaper.watch


@dataclass(frozen=True)
class Child:
    """A process named by its parent; `handle` is its pidfd, which never means another process."""

    pid: int
    handle: int
    grace_s: float

    @property
    def is_gone(self) -> bool:
        """Whether it has ended."""
        return bool(select.select([self.handle], [], [], 0)[0])

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal if it is still there."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, number)


def main() -> None:
    """Take children until standard input ends, then end those that are left."""
    children: list[Child] = []
    for line in sys.stdin:
        children = [*_living(children), *_named(line)]
    _end(children)


def _named(line: str) -> Iterator[Child]:
    pid, grace_s = line.split()
    with suppress(ProcessLookupError):
        yield Child(int(pid), os.pidfd_open(int(pid)), float(grace_s))


def _living(children: list[Child]) -> Iterator[Child]:
    for child in children:
        if child.is_gone:
            os.close(child.handle)
        else:
            yield child


def _end(children: list[Child]) -> None:
    started = time.monotonic()
    for child in children:
        child.signal(signal.SIGTERM if child.grace_s else signal.SIGKILL)
    for child in sorted(children, key=lambda child: child.grace_s):
        left_s = max(child.grace_s - (time.monotonic() - started), 0)
        if not select.select([child.handle], [], [], left_s)[0]:
            _kill_tree(child)


def _kill_tree(child: Child) -> None:
    """The child and all that it started: a worker's sandbox has a session of its own."""
    below = [os.pidfd_open(pid) for pid in _descendants(child.pid)]
    for handle in (child.handle, *below):
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)


def _descendants(pid: int) -> Iterator[int]:
    parents = dict(_parents())
    ahead = [pid]
    while ahead:
        parent = ahead.pop()
        for child in [child for child, of in parents.items() if of == parent]:
            if Path(f"/proc/{child}").exists():
                yield child
            ahead.append(child)


def _parents() -> Iterator[tuple[int, int]]:
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with suppress(OSError):
                yield int(place.name), int((place / "stat").read_text().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    main()
