"""The first rung: bubblewrap. Own namespaces, nothing of the host but the system read-only."""

import json
import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from signal import Signals
from typing import IO, ClassVar

from orchestrator.adapters import limits
from orchestrator.adapters.sandbox import Confined, ConfinedProcess

WORKSPACE = "/workspace"
SOCKET = "/run/gateway/model.sock"
HOME = "/home/agent"
LAST_PROCESS_S = 10.0
# Programs of the system find their libraries and their real names through these; none holds anything private.
SYSTEM_FILES = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
SYSTEM_FOLDERS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


def bwrap_options(confined: Confined) -> list[str]:
    """What the wall is made of. Nothing is mounted below a path that the repository controls."""
    return [
        *("--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"),
        *("--hostname", "sandbox", "--die-with-parent", "--new-session", "--clearenv"),
        *("--ro-bind", "/usr", "/usr"),
        *_system(),
        *("--proc", "/proc", "--dev", "/dev"),
        *_in_memory("/dev/shm", limits.SHARED_BYTES),  # noqa: S108  # inside
        *("--remount-ro", "/dev"),  # else a disk in memory without a limit
        *_in_memory("/tmp", limits.TMP_BYTES),  # noqa: S108  # inside
        *_in_memory(HOME, limits.HOME_BYTES),
        *_read_only(confined),
        *("--bind" if confined.writable else "--ro-bind", str(confined.workspace), WORKSPACE),
        *("--remount-ro", "/", "--chdir", WORKSPACE),
        *(part for name, value in confined.environment.items() for part in ("--setenv", name, value)),
    ]


def _in_memory(folder: str, size: int) -> tuple[str, ...]:
    return ("--size", str(size), "--tmpfs", folder)


def _system() -> Iterator[str]:
    for folder in map(Path, SYSTEM_FOLDERS):
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        elif folder.is_dir():
            yield from ("--ro-bind", str(folder), str(folder))
    for path in SYSTEM_FILES:
        yield from ("--ro-bind-try", path, path)


def _read_only(confined: Confined) -> Iterator[str]:
    yield from ("--ro-bind", str(confined.socket), SOCKET)
    for inside, outside in confined.files.items():
        yield from ("--ro-bind", str(outside), inside)


@dataclass
class BubblewrapProcess:
    """A bubblewrap that runs."""

    process: "subprocess.Popen[bytes]"
    status: IO[bytes]

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
        _ends(self.process.pid, timeout_s)
        return self.process.poll()

    def signal(self, signal: Signals) -> None:
        """Send a signal to the program: the oldest child of the namespace's first process."""
        children = sorted(_children_of(self._first_process))
        if children:
            os.kill(children[0][1], signal)

    def kill(self) -> None:
        """End bubblewrap; the kernel ends its namespace, and with it every process inside. Returns after the last."""
        self.process.kill()
        self.process.wait()
        if first := self._first_process:
            with suppress(ProcessLookupError):  # it is gone already
                _ends(first, LAST_PROCESS_S)

    @property
    def crowded(self) -> bool:
        """Whether more processes run behind the wall than any agent needs."""
        return limits.crowded(self._first_process)

    @cached_property
    def _first_process(self) -> int:
        line = self.status.readline()
        return int(json.loads(line)["child-pid"]) if line else 0


def _as_arguments(options: list[str]) -> bytes:
    return b"".join(os.fsencode(option) + b"\0" for option in options)


@contextmanager
def _pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Both ends, closed at the end unless they were before."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as read, os.fdopen(writing, "wb", buffering=0) as write:
        yield read, write


def _ends(pid: int, timeout_s: float) -> None:
    """Wait until it ends. A namespace's first process ends after all others in it."""
    with open(os.pidfd_open(pid), "rb", closefd=True) as ended:  # noqa: PTH123  # a descriptor
        select.select([ended], [], [], timeout_s)


def _children_of(parent: int) -> Iterator[tuple[int, int]]:
    """(start time, pid) of each child, as /proc tells; see proc_pid_stat(5)."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                yield int(fields[19]), int(folder.name)


@dataclass(frozen=True)
class Bubblewrap:
    """Builds the wall with the `bwrap` found in `path`, and never with one from elsewhere."""

    path: str = "/usr/local/bin:/usr/bin:/bin"
    name: ClassVar[str] = "bubblewrap"

    @property
    def socket_inside(self) -> str:
        """Where the program finds the gateway's socket."""
        return SOCKET

    def start(self, confined: Confined) -> ConfinedProcess:
        """Run it in a session and a process group of its own."""
        status_in, status_out = os.pipe()
        status = os.fdopen(status_in, "rb")
        with os.fdopen(status_out, "wb"), _pipe() as (options, write):
            process = self._popen(confined.argv, options.fileno(), status_out)
            # It has no child before it knows its options: what is said about it now holds for all of them.
            limits.sacrifice(process.pid)
            options.close()
            with suppress(BrokenPipeError):  # it ended by itself: its exit status tells
                write.write(_as_arguments(bwrap_options(confined)))
        return BubblewrapProcess(process, status)

    def _popen(self, argv: tuple[str, ...], options: int, status: int) -> "subprocess.Popen[bytes]":
        # The options go through a descriptor: its command line can be seen inside, and shows none of them.
        return subprocess.Popen(
            ["bwrap", "--args", str(options), "--json-status-fd", str(status), "--", *limits.limited(argv)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": self.path},
            pass_fds=(options, status),
            start_new_session=True,
        )
