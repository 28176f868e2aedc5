"""A disposable machine: namespaces and an overlay, in which a function of a test runs as root.

Attacks run in it, with a sandbox and without one. Whatever they do to files, processes, network and names ends with
it. Nothing in it can reach the real network: it has a loopback device and no other. It shares the kernel and the
clock with the real machine, so an attack on those must be harmless by its own arguments.
"""

import ctypes
import fcntl
import os
import pickle
import shutil
import socket
import stat
import struct
import subprocess
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL
from typing import cast

from orchestrator.adapters.wall import own_user

_NAMESPACES = os.CLONE_NEWNS | os.CLONE_NEWNET | os.CLONE_NEWUTS | os.CLONE_NEWIPC | os.CLONE_NEWPID
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCGIFINDEX = (
    0x8913,
    0x8914,
    0x8916,
    0x8933,
)  # <linux/sockios.h>
_IFF_UP = 1
# Processes of a user id that an agent outside uses may be ended by that agent's supervisor, in here too.
_UIDS = range(61_032, 61_064)
_FIRST_PROCESS = 10_000
# These folders are made for the machine, not shown from outside.
_OWN = ("/proc", "/dev", "/sys")
_DEVICES = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9, "kmsg": 11}
# A device of endless zeros with the name of a disk: no real disk can be read in here.
DISK = "vda"
# Settings of the hardware that are written in here are plain files.
_MADE_OF_FILES = ("/sys/power/state", "/sys/kernel/uevent_helper")


class MachineUnavailableError(RuntimeError):
    """This machine cannot make a disposable one."""


def in_machine[T](work: Callable[[], T]) -> T:
    """Run the function in a new machine and return its value, which has to be picklable."""
    if os.geteuid() != 0:
        raise MachineUnavailableError(
            "Attacks run on a disposable machine. Only root can make one: run as root."
        )
    base = Path(tempfile.mkdtemp(prefix="alm-machine-", dir="/var/tmp"))
    read, write = os.pipe()
    try:
        if (outside := os.fork()) == 0:
            _child(base, work, write)
        os.close(write)
        with os.fdopen(read, "rb") as answer:
            kept = answer.read()
        os.waitpid(outside, 0)
    finally:
        shutil.rmtree(base)
    if not kept:
        raise RuntimeError("The machine ended before the function in it did.")
    value, fault = pickle.loads(kept)  # noqa: S301  # our own child wrote it
    if fault:
        raise RuntimeError(fault)
    return cast("T", value)


def _child(base: Path, work: Callable[[], object], write: int) -> None:
    """The processes around the function: one outside, the machine's first, and the one that runs it."""
    try:
        _ends_with_its_parent()
        os.unshare(_NAMESPACES)
        if first := os.fork():
            os.waitpid(first, 0)
            os._exit(0)
        _ends_with_its_parent()
        _number_processes_from(_FIRST_PROCESS)
        if worker := os.fork():
            _reap_until(worker)
            os._exit(0)
        _furnish(base)
        _answer(write, (work(), ""))
    except BaseException:  # noqa: BLE001  # whatever it is, the test has to hear of it
        _answer(write, (None, traceback.format_exc()))
    finally:
        os._exit(1)


def _answer(write: int, outcome: tuple[object, str]) -> None:
    kept = pickle.dumps(outcome)  # which can fail, and then there is that to answer
    with os.fdopen(write, "wb") as answer:
        answer.write(kept)


def _number_processes_from(number: int) -> None:
    """So that no process of the machine has the number of one behind a sandbox with processes of its own."""
    Path("/proc/sys/kernel/ns_last_pid").write_text(str(number))


def _ends_with_its_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(SIGKILL), 0, 0, 0)


def _reap_until(worker: int) -> None:
    """Do what the first process of a machine has to: bury orphans."""
    with suppress(ChildProcessError):
        while os.wait()[0] != worker:
            pass


def _furnish(base: Path) -> None:
    root = _overlay(base)
    _mount("-t", "proc", "proc", f"{root}/proc")
    _devices(root / "dev")
    _hardware(root)
    _mount("--bind", str(base / "disk"), f"{root}/var/tmp")
    (root / "var/tmp").chmod(0o1777)
    here = Path.cwd()
    _enter(root)
    os.chdir(here)
    _network()
    own_user.UIDS = _UIDS
    tempfile.tempdir = None


def _overlay(base: Path) -> Path:
    """Every file of the real machine, whose changes stay in memory."""
    _mount("--make-rprivate", "/")
    for name in ("disk", "memory", "root"):
        (base / name).mkdir()
    memory, root = base / "memory", base / "root"
    _mount("-t", "tmpfs", "none", str(memory))
    for name in ("upper", "work"):
        (memory / name).mkdir()
    layers = f"lowerdir=/,upperdir={memory}/upper,workdir={memory}/work"
    _mount("-t", "overlay", "overlay", "-o", layers, str(root))
    for folder in _mounted_below(base):
        with suppress(MachineUnavailableError):  # hidden by another one, or gone by now
            _mount("--bind", "-o", "ro", folder, f"{root}{folder}")
    return root


def _mounted_below(base: Path) -> list[str]:
    """Other file systems: an overlay does not show what is mounted on its lower layer."""
    hidden = (str(base), *_OWN)
    return [one for one in _mount_points() if one != "/" and not one.startswith(hidden)]


def _mount_points() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return list(dict.fromkeys(line.split()[4] for line in lines))


def _devices(folder: Path) -> None:
    _mount("-t", "tmpfs", "-o", "mode=755", "none", str(folder))
    for name, minor in {**_DEVICES, DISK: _DEVICES["zero"]}.items():
        _node(folder / name, os.makedev(1, minor), 0o600 if name in {"kmsg", DISK} else 0o666)
    _node(folder / "tty", os.makedev(5, 0), 0o666)
    for name in ("pts", "shm", "mqueue"):
        (folder / name).mkdir()
    _mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620", "devpts", str(folder / "pts"))
    _mount("-t", "tmpfs", "-o", "mode=1777", "none", str(folder / "shm"))
    _mount("-t", "mqueue", "mqueue", str(folder / "mqueue"))
    for name, target in {"ptmx": "pts/ptmx", "fd": "/proc/self/fd"}.items():
        (folder / name).symlink_to(target)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        (folder / name).symlink_to(f"/proc/self/fd/{number}")


def _node(path: Path, device: int, mode: int) -> None:
    os.mknod(path, stat.S_IFCHR | mode, device)
    path.chmod(mode)


def _hardware(root: Path) -> None:
    _mount("-t", "sysfs", "sysfs", f"{root}/sys")
    if Path("/sys/fs/cgroup").is_dir():
        _mount("--rbind", "/sys/fs/cgroup", f"{root}/sys/fs/cgroup")
        for folder in _mount_points():
            if folder.startswith("/sys/fs/cgroup"):
                _mount("-o", "remount,bind,ro", f"{root}{folder}")
    file = root / "run" / "hardware"
    file.touch(mode=0o644)
    for path in _MADE_OF_FILES:
        if Path(path).exists():
            _mount("--bind", str(file), f"{root}{path}")


def _enter(root: Path) -> None:
    """Make it the root of everything in these namespaces, and let go of the old one."""
    old = root / "oldroot-of-the-machine"
    old.mkdir()
    subprocess.run(["pivot_root", str(root), str(old)], check=True)
    os.chdir("/")
    subprocess.run(["umount", "-l", f"/{old.name}"], check=True)
    Path("/", old.name).rmdir()


def _network() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16xH", fcntl.ioctl(control, _SIOCGIFFLAGS, name)[:18])[0]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))


def give_address(address: str, number: int) -> None:
    """Make the machine answer to one more address, version 4 or 6; `number` is its own for each of version 4."""
    if ":" not in address:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            packed = struct.pack(
                "16sHH4s8x", f"lo:{number}".encode(), socket.AF_INET, 0, socket.inet_aton(address)
            )
            fcntl.ioctl(control, _SIOCSIFADDR, packed)
        return
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
        packed = socket.inet_pton(socket.AF_INET6, address)
        fcntl.ioctl(control, _SIOCSIFADDR, struct.pack("16sIi", packed, 128, socket.if_nametoindex("lo")))


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise MachineUnavailableError(f"mount {' '.join(arguments)}: {done.stderr.strip()}")
