"""What an agent may use of the machine: limits that the kernel holds for each process, others watched for all.

Memory: addresses (RLIMIT_AS) count what runtimes only reserve, so what they may write to (RLIMIT_DATA) is limited;
both count each process by itself. All processes together are watched, and when memory runs out all the same, the
kernel takes from the agent first.
"""

import ctypes
import os
import resource
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from orchestrator.adapters.wall.sandbox import Usage

MIB = 1024 * 1024
# A build with a language server and watchers stays under 2,000; the host's table has room for far more.
OPEN_FILES = 4096
# The CLI has about 10 threads, a parallel build a few hundred processes; a fork bomb passes both in an instant. The
# kernel counts tasks per user and exempts the real root: an agent's own user makes it hold.
PROCESSES, TASKS = 1024, 2048
# No source file and few build products are larger; a file that only claims a size (sparse) counts in full.
FILE_BYTES = 1024 * MIB
# The CLI has 2.4 GB at rest, most of it untouched. A fork may have as much again.
DATA_BYTES = 8192 * MIB
# These live in memory, so each is a part of the job's memory that can fill up.
HOME_BYTES, TMP_BYTES, SHARED_BYTES = 512 * MIB, 1024 * MIB, 64 * MIB
# Of all memory there is, for all processes together: the rest is the supervisor's and the machine's.
MEMORY_SHARE = 0.8
# What an agent may write to the disk its workspace lies on, and what it must leave free.
DISK_BYTES, FREE_DISK_BYTES = 8192 * MIB, 256 * MIB
FIRST_TO_DIE = 1000  # oom_score_adj: before everything else, the supervisor above all

_PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def limits() -> Mapping[int, int]:
    """Kind of limit (RLIMIT_*) to value. They hold for its children too, and none can raise them again."""
    return {
        resource.RLIMIT_NOFILE: _at_most(resource.RLIMIT_NOFILE, OPEN_FILES),
        resource.RLIMIT_NPROC: _at_most(resource.RLIMIT_NPROC, TASKS),
        resource.RLIMIT_FSIZE: _at_most(resource.RLIMIT_FSIZE, FILE_BYTES),
        resource.RLIMIT_DATA: _at_most(resource.RLIMIT_DATA, DATA_BYTES),
        resource.RLIMIT_CORE: 0,
    }


def limited(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The same program under the limits, and the first to go when memory is gone."""
    names = {
        resource.RLIMIT_NOFILE: "nofile",
        resource.RLIMIT_NPROC: "nproc",
        resource.RLIMIT_FSIZE: "fsize",
        resource.RLIMIT_DATA: "data",
        resource.RLIMIT_CORE: "core",
    }
    bounds = (f"--{names[kind]}={value}" for kind, value in limits().items())
    # A process may always offer itself; that of another user, or one that has just started, we may not.
    return ("/usr/bin/choom", "-n", str(FIRST_TO_DIE), "--", "/usr/bin/prlimit", *bounds, "--", *argv)


def _at_most(kind: int, wanted: int) -> int:
    """A limit that is lower already stays: nobody may raise it."""
    _, hard = resource.getrlimit(kind)
    return wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)


def excess(usage: Usage, disk: "Disk") -> str | None:
    """What an agent uses more of than any agent needs, None if nothing."""
    if usage.processes > PROCESSES:
        return f"it ran more than {PROCESSES} processes"
    if usage.memory_bytes > MEMORY_SHARE * machine_memory():
        return f"it held more than {MEMORY_SHARE:.0%} of the worker's memory"
    return disk.excess()


@cache
def machine_memory() -> int:
    """Bytes of memory the worker may use: the machine's, or what its container got of it."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        if limit.is_file() and (text := limit.read_text().strip()).isdigit():
            machine = min(machine, int(text))
    return machine


class Disk:
    """The disk a workspace lies on, watched from the start of a run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.free_at_start = self._free()

    def excess(self) -> str | None:
        """What too much was written of, None if nothing. Others may write to the same disk: it is a bound only."""
        free = self._free()
        if self.free_at_start - free > DISK_BYTES:
            return f"more than {DISK_BYTES // MIB} MiB were written to its disk"
        if free < min(FREE_DISK_BYTES, self.free_at_start // 2):
            return "the worker's disk is full"
        return None

    def _free(self) -> int:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize


def keep_own_memory() -> None:
    """Let no other process of this user read this one: not its memory, not the environment it started with.

    See prctl(2), PR_SET_DUMPABLE. Programs it starts are readable again.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")
