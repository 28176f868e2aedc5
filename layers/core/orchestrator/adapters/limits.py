"""What each of the agent's processes may use of the machine. What all of them use together the container limits.

Memory: addresses (RLIMIT_AS) count what runtimes only reserve, so what they may write to (RLIMIT_DATA) is limited;
both count each process by itself. The container bounds the whole, and the kernel then takes from the agent first.
"""

import ctypes
import os
import resource
from contextlib import suppress
from pathlib import Path

MIB = 1024 * 1024
# A build with a language server and watchers stays under 2,000; the host's table has room for far more.
OPEN_FILES = 4096
# The CLI has about 10 threads, a parallel build a few hundred processes; a fork bomb passes both in an instant.
# The kernel exempts the real root from the limit on tasks. A worker that runs as root has only `crowded`, which is
# no match for a fork bomb (tried: 16,000 processes and 100 s until it was over): the container's limit has to be.
PROCESSES, TASKS = 1024, 2048
# No source file and few build products are larger; a file that only claims a size (sparse) counts in full.
FILE_BYTES = 1024 * MIB
# The CLI has 2.4 GB at rest, most of it untouched. A fork may have as much again.
DATA_BYTES = 8192 * MIB
# These live in memory, so each is a part of the job's memory that can fill up.
HOME_BYTES, TMP_BYTES, SHARED_BYTES = 512 * MIB, 1024 * MIB, 64 * MIB
FIRST_TO_DIE = 1000  # oom_score_adj: before everything else, the supervisor above all

_PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def limited(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The same program under the limits. They hold for its children too, and none can raise them again."""
    limits = {
        "nofile": _at_most(resource.RLIMIT_NOFILE, OPEN_FILES),
        "nproc": _at_most(resource.RLIMIT_NPROC, TASKS),
        "fsize": _at_most(resource.RLIMIT_FSIZE, FILE_BYTES),
        "data": _at_most(resource.RLIMIT_DATA, DATA_BYTES),
        "core": 0,
    }
    return ("/usr/bin/prlimit", *(f"--{name}={value}" for name, value in limits.items()), "--", *argv)


def _at_most(kind: int, wanted: int) -> int:
    """A limit that is lower already stays: nobody may raise it."""
    _, hard = resource.getrlimit(kind)
    return wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)


def sacrifice(pid: int) -> None:
    """Let the kernel end this process and its children first when memory is gone."""
    Path(f"/proc/{pid}/oom_score_adj").write_text(str(FIRST_TO_DIE))


def crowded(first_process: int) -> bool:
    """Whether more processes run in that process's namespace than an agent needs."""
    with suppress(OSError):
        names = os.listdir(f"/proc/{first_process}/root/proc")  # noqa: PTH208  # of names, and thousands of them
        return sum(name.isdigit() for name in names) > PROCESSES
    return False


def keep_own_memory() -> None:
    """Let no other process of this user read this one: not its memory, not the environment it started with.

    See prctl(2), PR_SET_DUMPABLE. Programs it starts are readable again.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")
