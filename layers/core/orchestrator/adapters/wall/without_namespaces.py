"""The lower rungs, for machines that give no namespaces: the agent's own user, a filter of system calls, Landlock.

Both need a worker that runs as root. `landlock` shows the agent only the files named here; `seccomp` is for kernels
without Landlock, where ownership and modes decide what can be read. Neither has a socket other than a unix one.
"""

import marshal
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from orchestrator.adapters.wall import limits, own_user
from orchestrator.adapters.wall.exposed_sockets import exposed_sockets
from orchestrator.adapters.wall.launched import Launched, launch, told
from orchestrator.adapters.wall.sandbox import Confined, ConfinedProcess, Room, Usage, View, machine_view
from orchestrator.adapters.wall.syscalls import shared_network_filter
from orchestrator.domain.wall import Rung
from orchestrator.errors import WallUnavailable

CONFINE = Path(__file__).with_name("confine.py")
# What programs read of a system to work at all. No process of /proc, no device but these.
READABLE = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"),
    *("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ssl"),
    *(
        "/etc/passwd",
        "/etc/group",
        "/etc/nsswitch.conf",
        "/etc/localtime",
        "/etc/os-release",
        "/etc/mime.types",
    ),
    *("/etc/bash.bashrc", "/etc/profile", "/etc/profile.d", "/etc/inputrc", "/etc/hosts", "/etc/host.conf"),
    *(
        "/etc/debian_version",
        "/etc/gitconfig",
        "/etc/npmrc",
        "/etc/pip.conf",
        "/etc/python3",
        "/etc/java-17-openjdk",
    ),
    *("/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg", "/proc/uptime", "/proc/version"),
    *(
        "/proc/filesystems",
        "/proc/sys/kernel/random",
        "/proc/sys/vm/overcommit_memory",
        "/sys/devices/system/cpu",
    ),
)
WRITABLE = ("/dev/null", "/dev/tty")


class ConfinedUser(Launched):
    """What runs as the agent's own user."""

    def __init__(self, process: "subprocess.Popen[bytes]", uid: int) -> None:
        super().__init__(process)
        self._uid = uid

    @property
    def usage(self) -> Usage:
        """What runs behind the wall now."""
        return own_user.usage(self._uid)

    def kill(self) -> None:
        """End every process of the user, and return after the last."""
        self.process.kill()
        self.process.wait()
        own_user.end_all(self._uid)


class _WithoutNamespaces:
    """What both lower rungs do."""

    rung: ClassVar[Rung]

    def view(self, room: Room) -> View:
        """The machine's own paths: nothing can be put elsewhere without a mount."""
        return machine_view(room)

    def start(self, confined: Confined) -> ConfinedProcess:
        """Run it in a session and a process group of its own."""
        uid = confined.room.uid
        if uid is None:
            raise WallUnavailable(
                "the worker does not run as root and so has no user of its own for the agent"
            )
        self.check(uid)
        with told(marshal.dumps(dict(self.orders(confined, uid)))) as descriptor:
            process = launch((sys.executable, "-I", "-S", str(CONFINE), str(descriptor)), {}, (descriptor,))
        return ConfinedUser(process, uid)

    def orders(self, confined: Confined, uid: int) -> Mapping[str, Any]:
        """What `confine.py` is told."""
        return {
            "argv": confined.argv,
            "environment": dict(confined.environment),
            "folder": str(confined.room.workspace),
            "uid": uid,
            "limits": dict(limits.limits()),
            "oom_score_adj": limits.FIRST_TO_DIE,
            "filter": shared_network_filter(),
            "readable": None,
            "writable": None,
            "sandlock": None,
        }

    def exposed(self, sockets: tuple[str, ...]) -> tuple[str, ...]:
        """Those that the agent could call."""
        return sockets

    def check(self, uid: int) -> None:
        """Raise WallUnavailable if the machine lacks what this rung stands on."""
        if reached := self.exposed(exposed_sockets(uid)):
            raise WallUnavailable(
                f"a program of the worker's machine listens where any user may call ({reached[0]})"
            )


@cache
def _sandlock_library() -> str:
    """Where sandlock's C library lies; the package itself is not loaded."""
    found = find_spec("sandlock")
    folders = [] if found is None else found.submodule_search_locations or []
    libraries = [str(path) for folder in folders for path in Path(folder).glob("libsandlock_ffi*.so")]
    if not libraries:
        raise WallUnavailable("sandlock is not installed on the worker")
    return libraries[0]


@dataclass(frozen=True)
class Landlock(_WithoutNamespaces):
    """The second rung: files by Landlock."""

    rung: ClassVar[Rung] = Rung.LANDLOCK

    def exposed(self, sockets: tuple[str, ...]) -> tuple[str, ...]:
        """Landlock keeps a program from abstract sockets, whose names begin with @, that are not its own."""
        return tuple(name for name in sockets if not name.startswith("@"))

    def orders(self, confined: Confined, uid: int) -> Mapping[str, Any]:
        """The same with the files it may see."""
        room = confined.room
        own = [str(room.home), str(room.tmp)]
        readable = [*READABLE, str(room.cli), str(room.settings)]
        (own if room.writable else readable).append(str(room.workspace))
        return {
            **super().orders(confined, uid),
            "sandlock": _sandlock_library(),
            "readable": [path for path in readable if Path(path).exists()],
            "writable": [path for path in (*own, *WRITABLE) if os.path.lexists(path)],
        }


@dataclass(frozen=True)
class Seccomp(_WithoutNamespaces):
    """The third rung: files by ownership alone."""

    rung: ClassVar[Rung] = Rung.SECCOMP
