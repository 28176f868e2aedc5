"""The first rung: bubblewrap. Own namespaces, nothing of the host but the system read-only."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from signal import Signals
from typing import IO, ClassVar

from orchestrator.adapters.wall import limits, own_user
from orchestrator.adapters.wall.launched import Launched, ends, launch, pipe, processes, told
from orchestrator.adapters.wall.sandbox import Confined, ConfinedProcess, Room, Usage, View
from orchestrator.adapters.wall.syscalls import own_network_filter
from orchestrator.domain.wall import Rung
from orchestrator.errors import WallUnavailable

VIEW = View(
    workspace="/workspace",
    home="/home/agent",
    tmp="/tmp",  # noqa: S108  # the wall's own
    socket="/run/gateway/model.sock",
    settings="/run/agent/settings.json",
    cli="/opt/claude/claude",
    loopback=True,
)
USERS = f"root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:1000:1000:agent:{VIEW.home}:/bin/bash\n"
GROUPS = "root:x:0:\nagent:x:1000:\n"
LAST_PROCESS_S = 10.0
# Programs of the system find their libraries and their real names through these; none holds anything private.
SYSTEM_FILES = (
    *("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"),
    *("/etc/ssl/certs", "/etc/ssl/openssl.cnf"),
)
SYSTEM_FOLDERS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


def bwrap_options(confined: Confined, users: int, groups: int) -> list[str]:
    """What the wall is made of. Nothing is mounted below a path that the repository controls.

    `users` and `groups` are descriptors from which /etc/passwd and /etc/group are read.
    """
    room = confined.room
    return [
        *("--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"),
        *("--hostname", "sandbox", "--die-with-parent", "--new-session", "--clearenv"),
        *("--ro-bind", "/usr", "/usr"),
        *_system(),
        *("--proc", "/proc", "--dev", "/dev"),
        *_in_memory("/dev/shm", limits.SHARED_BYTES),  # noqa: S108  # inside
        *("--remount-ro", "/dev"),  # else a disk in memory without a limit
        *_in_memory(VIEW.tmp, limits.TMP_BYTES),
        *_in_memory(VIEW.home, limits.HOME_BYTES),
        *("--ro-bind-data", str(users), "/etc/passwd", "--ro-bind-data", str(groups), "/etc/group"),
        *("--ro-bind", str(room.socket), VIEW.socket),
        *("--ro-bind", str(room.settings), VIEW.settings),
        *("--ro-bind", str(room.cli), VIEW.cli),
        *("--bind" if room.writable else "--ro-bind", str(room.workspace), VIEW.workspace),
        *("--remount-ro", "/", "--chdir", VIEW.workspace),
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


class BubblewrapProcess(Launched):
    """A bubblewrap that runs."""

    def __init__(self, process: "subprocess.Popen[bytes]", status: IO[bytes], uid: int | None) -> None:
        super().__init__(process)
        self._status = status
        self._uid = uid

    def signal(self, signal: Signals) -> None:
        """Send a signal to the program: the oldest child of the namespace's first process."""
        first = self._first_process
        children = sorted((started, pid) for pid, parent, started in processes() if parent == first)
        if children:
            os.kill(children[0][1], signal)

    def kill(self) -> None:
        """End bubblewrap; the kernel ends its namespace, and with it every process inside. Returns after the last."""
        self.process.kill()
        self.process.wait()
        if first := self._first_process:
            with suppress(ProcessLookupError):  # it is gone already
                ends(first, LAST_PROCESS_S)

    @property
    def usage(self) -> Usage:
        """What runs behind the wall now. Without a user of its own only the processes are counted."""
        return own_user.usage(self._uid) if self._uid else Usage(_in_namespace_of(self._first_process))

    @cached_property
    def _first_process(self) -> int:
        line = self._status.readline()
        return int(json.loads(line)["child-pid"]) if line else 0


def _as_arguments(options: list[str]) -> bytes:
    return b"".join(os.fsencode(option) + b"\0" for option in options)


def _in_namespace_of(first_process: int) -> int:
    with suppress(OSError):
        names = os.listdir(f"/proc/{first_process}/root/proc")  # noqa: PTH208  # of names, and thousands of them
        return sum(name.isdigit() for name in names)
    return 0


@dataclass(frozen=True)
class Bubblewrap:
    """Builds the wall with the `bwrap` found in `path`, and never with one from elsewhere."""

    path: str = "/usr/local/bin:/usr/bin:/bin"
    rung: ClassVar[Rung] = Rung.BUBBLEWRAP

    def view(self, room: Room) -> View:
        """The same for every room."""
        del room
        return VIEW

    def start(self, confined: Confined) -> ConfinedProcess:
        """Run it in a session and a process group of its own."""
        status_in, status_out = os.pipe()
        status = os.fdopen(status_in, "rb")
        with (
            os.fdopen(status_out, "wb"),
            told(own_network_filter()) as calls,
            told(USERS.encode()) as users,
            told(GROUPS.encode()) as groups,
            pipe() as (options, write),
        ):
            descriptors = (options.fileno(), status_out, calls, users, groups)
            process = self._popen(confined, descriptors)
            options.close()
            with suppress(BrokenPipeError):  # it ended by itself: its exit status tells
                write.write(_as_arguments(bwrap_options(confined, users, groups)))
        return BubblewrapProcess(process, status, confined.room.uid)

    def _popen(self, confined: Confined, descriptors: tuple[int, ...]) -> "subprocess.Popen[bytes]":
        options, status, calls, _, _ = map(str, descriptors)
        # The options go through a descriptor: its command line can be seen inside, and shows none of them.
        wall = ("bwrap", "--args", options, "--json-status-fd", status, "--seccomp", calls, "--")
        argv = (*wall, *limits.limited(confined.argv))
        try:
            return launch(argv, {"PATH": self.path}, descriptors, confined.room.uid)
        except FileNotFoundError:
            raise WallUnavailable("bubblewrap (bwrap) is not installed on the worker") from None
