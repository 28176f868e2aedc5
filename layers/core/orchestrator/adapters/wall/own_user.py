"""A user of its own for each agent, where the worker is root: taken for one run, emptied after it.

What the kernel gives only per user then holds: the limit on tasks, who may signal or look into whom, whose files are
whose. A worker that is not root has no user to give.
"""

import os
import re
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrator.adapters.wall.sandbox import Room, Usage
from orchestrator.errors import TransientError

# Neither people, nor services, nor what systemd hands out: https://systemd.io/UIDS-GIDS
UIDS = range(61_000, 61_064)
EMPTY_WITHIN_S = 10.0
_LONGEST_STATUS = 16 * 1024
_DEAD, _RESIDENT = re.compile(rb"\nState:\t[ZX]"), re.compile(rb"\nVmRSS:\s*([0-9]+) kB")
_ELF = b"\x7fELF"  # anything else is read by an interpreter, as the user who runs it
LOOK_AGAIN_S = 0.005
# Where any user may leave a file.
SHARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock")  # noqa: S108  # emptied, not used


@contextmanager
def own_user() -> Iterator[int | None]:
    """A user and group id that no other agent of this machine has now; None if the worker is not root."""
    if os.geteuid() != 0:
        yield None
        return
    uid, lease = _lease()
    with lease:
        try:
            _empty(uid)
            yield uid
        finally:
            _empty(uid)


def hand_over(room: Room) -> None:
    """Give the agent's user what it may write, and the way to what it may read; nothing to others."""
    room.home.mkdir(mode=0o700)
    room.tmp.mkdir(mode=0o700)
    if room.uid is None:
        return
    _hide_memory_of(room.cli)
    for path in (room.home, room.tmp, room.socket):
        os.chown(path, room.uid, room.uid)
    for folder in (room.folder, room.workspace.parent):
        os.chown(folder, -1, room.uid)
        folder.chmod(0o710)
    os.chown(room.settings, -1, room.uid)
    room.settings.chmod(0o640)
    _give(room.workspace, room.uid, writable=room.writable)


def _hide_memory_of(program: Path) -> None:
    """Let other users run it and not read it.

    The kernel then keeps the running program's memory and descriptors from its own user too (proc(5), dumpable): what
    the agent starts cannot reach into the CLI that started it, to switch off its rules or to write its stream.
    """
    mode = stat.S_IMODE(program.stat().st_mode)
    with program.open("rb") as file:
        needs_no_reader = file.read(len(_ELF)) == _ELF
    if needs_no_reader and mode & (stat.S_IRGRP | stat.S_IROTH):
        program.chmod(mode & ~(stat.S_IRGRP | stat.S_IROTH))


def is_closed(folder: Path) -> bool:
    """Whether users other than its owner cannot get there."""
    here = folder.resolve()
    return not all(step.stat().st_mode & stat.S_IXOTH for step in (here, *here.parents))


def usage(uid: int) -> Usage:
    """What runs as this user now."""
    resident = list(_resident_bytes(uid))
    return Usage(len(resident), sum(resident))


def end_all(uid: int) -> None:
    """End every process of this user, however it was started, and return after the last."""
    deadline = time.monotonic() + EMPTY_WITHIN_S
    # The kernel signals all of them at once, so none can fork itself out of it; it fails when there is none.
    while _run_as(uid, "/bin/sh", "-c", "kill -KILL -1") == 0 and usage(uid).processes:
        if time.monotonic() > deadline:
            raise TransientError("An agent's processes could not be ended on this worker.")
        time.sleep(LOOK_AGAIN_S)


def _lease() -> tuple[int, socket.socket]:
    """A free id. A name that is bound is a lock that ends with its process, and needs no file."""
    for uid in UIDS:
        lease = socket.socket(socket.AF_UNIX)
        with suppress(OSError):
            lease.bind(f"\0alm-agent-{uid}")
            return uid, lease
        lease.close()
    raise TransientError("This machine runs as many agents as it has users for.")


def _empty(uid: int) -> None:
    end_all(uid)
    for folder in map(Path, SHARED_FOLDERS):
        if folder.is_dir():
            for entry in os.scandir(folder):
                if _is_owned(entry, uid):
                    # As that user, so that nothing planted in the way can lead root anywhere.
                    _run_as(uid, "/bin/rm", "-rf", "--", entry.path)


def _is_owned(entry: "os.DirEntry[str]", uid: int) -> bool:
    with suppress(FileNotFoundError):  # somebody else's, and gone by now
        return entry.stat(follow_symlinks=False).st_uid == uid
    return False


def _run_as(uid: int, *argv: str) -> int:
    done = subprocess.run(
        argv,
        user=uid,
        group=uid,
        extra_groups=[],
        env={},
        check=False,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return done.returncode


def _give(workspace: Path, uid: int, *, writable: bool) -> None:
    """The workspace becomes the agent's, or stays ours and can be read."""
    for folder, folders, files in os.walk(workspace):
        os.chown(folder, uid if writable else -1, uid, follow_symlinks=False)
        Path(folder).chmod(0o750)
        for name in (*folders, *files):
            _give_one(Path(folder, name), uid, writable=writable)


def _give_one(path: Path, uid: int, *, writable: bool) -> None:
    os.chown(path, uid if writable else -1, uid, follow_symlinks=False)
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode):
        path.chmod(0o750 if mode & stat.S_IXUSR else 0o640)


def _resident_bytes(uid: int) -> Iterator[int]:
    """Of each of the user's processes that has not ended.

    Whose one is stands in its status: a process can make its folder in /proc look like root's.
    """
    mark = b"\nUid:\t%d\t" % uid
    for name in os.listdir("/proc"):  # noqa: PTH208  # of names, and many
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/status", "rb", buffering=0) as file:  # noqa: PTH123  # likewise
                status = file.read(_LONGEST_STATUS)
                if mark in status and (resident := resident_bytes_of(status)) is not None:
                    yield resident


def resident_bytes_of(status: bytes) -> int | None:
    """How much memory a process holds, by its status in /proc; None if it has ended."""
    if _DEAD.search(status):
        return None
    resident = _RESIDENT.search(status)
    return int(resident[1]) * 1024 if resident else 0
