"""A program that was started, with pipes to it: what the walls' processes have in common."""

import os
import select
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import IO


@dataclass
class Launched:
    """A child with three pipes, in a session and a process group of its own."""

    process: "subprocess.Popen[bytes]"

    def __post_init__(self) -> None:
        stdin, stdout, stderr = self.process.stdin, self.process.stdout, self.process.stderr
        assert stdin is not None  # noqa: S101  # all three are pipes
        assert stdout is not None  # noqa: S101
        assert stderr is not None  # noqa: S101
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr

    def wait(self, timeout_s: float) -> int | None:
        """The exit status, None if it still runs after that long. Wakes when it ends, not a poll later."""
        if self.process.poll() is not None:
            return self.process.returncode
        ends(self.process.pid, timeout_s)
        return self.process.poll()

    def signal(self, signal: Signals) -> None:
        """Send a signal to the program: it is the process that was started."""
        self.process.send_signal(signal)


def launch(
    argv: Sequence[str],
    environment: Mapping[str, str],
    descriptors: tuple[int, ...] = (),
    uid: int | None = None,
    folder: Path | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a program with nothing of ours but these descriptors; as that user and its group, if one is given."""
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=folder,
        pass_fds=descriptors,
        start_new_session=True,
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
    )


def ends(pid: int, timeout_s: float) -> None:
    """Wait until it ends. A namespace's first process ends after all others in it."""
    with open(os.pidfd_open(pid), "rb", closefd=True) as ended:  # noqa: PTH123  # a descriptor
        select.select([ended], [], [], timeout_s)


def processes() -> Iterator[tuple[int, int, int]]:
    """(pid, parent's pid, start time) of every process, as /proc tells; see proc_pid_stat(5)."""
    for name in os.listdir("/proc"):  # noqa: PTH208  # of names, and many
        if name.isdigit():
            with suppress(OSError):
                fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
                yield int(name), int(fields[1]), int(fields[19])


@contextmanager
def pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Both ends, closed at the end unless they were before."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as read, os.fdopen(writing, "wb", buffering=0) as write:
        yield read, write


@contextmanager
def told(words: bytes) -> Iterator[int]:
    """A descriptor from which a program reads these words; they show in no command line."""
    with open(os.memfd_create("told"), "w+b", buffering=0) as file:  # noqa: PTH123  # a descriptor
        file.write(words)
        file.seek(0)
        yield file.fileno()
