"""The program that becomes the agent on the lower rungs: it gives up what it has, step by step, then runs it.

A file of its own, run by path: it holds no secret, imports nothing of ours, and ends as the program it was told to
run. It reads its orders from a descriptor, since a command line can be seen by everybody.
Twice a job it is waited for, so it loads as little as it can.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import resource
import sys

TYPE_CHECKING = False  # as mypy knows it, without what loading `typing` costs each agent
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2  # <linux/prctl.h>, <linux/seccomp.h>
_ABORT = 1  # sandlock's BranchAction.ABORT
_INSTRUCTION_BYTES = 8  # struct sock_filter


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def main() -> None:
    """Read the orders, do as they say, become the program."""
    with open(int(sys.argv[1]), "rb") as orders_file:  # noqa: PTH123  # a descriptor
        orders = marshal.load(orders_file)  # noqa: S302  # written by the supervisor, by this same interpreter
    confine_files = _landlock(orders)
    with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123  # nothing more is loaded than has to be
        file.write(str(orders["oom_score_adj"]))
    os.chdir(orders["folder"])
    for kind, limit in orders["limits"].items():
        resource.setrlimit(kind, (limit, limit))
    _become(orders["uid"])
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    confine_files()
    filter_calls(orders["filter"])
    os.execve(orders["argv"][0], orders["argv"], orders["environment"])  # noqa: S606  # no shell is wanted


def _landlock(orders: dict[str, Any]) -> Callable[[], None]:
    """What shuts the files off; put together while everything can still be read.

    By sandlock's C library, called as `confine` of its Python package calls it: that package alone takes twice as
    long to load as all the rest here.
    """
    if orders["readable"] is None:
        return lambda: None
    library = ctypes.CDLL(orders["sandlock"])
    for name in ("builder_new", "builder_fs_read", "builder_fs_write", "builder_on_error", "build"):
        getattr(library, f"sandlock_sandbox_{name}").restype = ctypes.c_void_p
    rules = ctypes.c_void_p(library.sandlock_sandbox_builder_new())
    for add, paths in (("read", orders["readable"]), ("write", orders["writable"])):
        for path in paths:
            added = getattr(library, f"sandlock_sandbox_builder_fs_{add}")(rules, os.fsencode(path))
            rules = ctypes.c_void_p(added)
    # There is no branch of the files that could be kept: what is left to say is that it would be dropped.
    rules = ctypes.c_void_p(library.sandlock_sandbox_builder_on_error(rules, _ABORT))
    error, words = ctypes.c_int(), ctypes.c_char_p()
    policy = ctypes.c_void_p(library.sandlock_sandbox_build(rules, ctypes.byref(error), ctypes.byref(words)))

    def confine() -> None:
        if not policy or error.value or library.sandlock_confine(policy) != 0:
            raise OSError("sandlock: the kernel's Landlock cannot hold these rules")

    return confine


def _become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def filter_calls(program: bytes) -> None:
    """Refuse this process and all it starts the calls that the program refuses. There is no way back."""
    instructions = ctypes.create_string_buffer(program, len(program))
    fprog = _Program(len(program) // _INSTRUCTION_BYTES, ctypes.cast(instructions, ctypes.c_void_p))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(fprog))


def _prctl(option: int, *arguments: Any) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, *arguments, *(0,) * (4 - len(arguments))) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


if __name__ == "__main__":
    main()
