"""A filter of system calls, put together by libseccomp, which knows their numbers on each architecture.

Programs of any other architecture (32-bit, x32) are ended by it. See seccomp(2) and seccomp_rule_add(3).
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from orchestrator.errors import WallUnavailable

_LIBRARY = "libseccomp.so.2"
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NOT_EQUAL, _MASKED_EQUAL = 1, 7
_UNKNOWN_CALL = -1
# The kernel reads 32 bits of many arguments of 64: what is compared must not be fooled by the others.
_WORD = 0xFFFFFFFF


class Comparison(ctypes.Structure):
    """`struct scmp_arg_cmp`: when a rule holds, by one argument's value."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


def resolved(call: str) -> int:
    """The call's number on this machine; negative if it has none or the library does not know the name."""
    return int(_library().seccomp_syscall_resolve_name(call.encode()))


def equals(argument: int, value: int) -> Comparison:
    """Holds if the argument's lower 32 bits are that value."""
    return Comparison(argument, _MASKED_EQUAL, _WORD, value)


def differs(argument: int, value: int) -> Comparison:
    """Holds if the argument, all 64 bits of it, is any other value."""
    return Comparison(argument, _NOT_EQUAL, value, 0)


def has_flag(argument: int, flag: int) -> Comparison:
    """Holds if the flag is among the argument's bits."""
    return Comparison(argument, _MASKED_EQUAL, flag, flag)


class Filter:
    """Allows every call but those it is told to refuse."""

    def __init__(self, rules: ctypes.c_void_p) -> None:
        self._rules = rules

    def refuse(self, error: int, call: str, *when: Comparison) -> None:
        """Answer that call with the error. One that the library does not know is not there to be refused."""
        number = resolved(call)
        if number == _UNKNOWN_CALL:
            return
        listed = (Comparison * len(when))(*when)
        _check(
            _library().seccomp_rule_add_array(self._rules, _ERRNO | error, number, len(when), listed), call
        )

    def program(self) -> bytes:
        """The filter as the kernel takes it: `struct sock_filter` after `struct sock_filter`."""
        with open(os.memfd_create("seccomp"), "r+b", buffering=0) as file:  # noqa: PTH123  # a descriptor
            _check(_library().seccomp_export_bpf(self._rules, file.fileno()), "export")
            file.seek(0)
            return file.read()


@contextmanager
def filtering() -> Iterator[Filter]:
    """A filter to be filled; raises WallUnavailable where the library is missing."""
    library = _library()
    rules = ctypes.c_void_p(library.seccomp_init(_ALLOW))
    try:
        yield Filter(rules)
    finally:
        library.seccomp_release(rules)


def _check(failed: int, what: str) -> None:
    if failed:
        raise OSError(-failed, f"libseccomp: {what}")


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        raise WallUnavailable("libseccomp is not installed on the worker") from None
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add_array.argtypes = (
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(Comparison),
    )
    return library
