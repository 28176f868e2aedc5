"""The filters by doing: each call is made under them, by root, so that only a filter can be what refuses it."""

import errno
import json
import subprocess
import sys

import pytest

from alm.environment import ROOT
from orchestrator.adapters.wall import syscalls
from orchestrator.adapters.wall.libseccomp import resolved

MAKE_CALLS = """
import ctypes, json, socket, sys
from orchestrator.adapters.wall.confine import filter_calls
libc = ctypes.CDLL(None, use_errno=True)
filter_calls(bytes.fromhex(sys.argv[1]))
def made(number, *arguments):
    ctypes.set_errno(0)
    libc.syscall(ctypes.c_long(number), *(ctypes.c_ulong(argument) for argument in arguments))
    return ctypes.get_errno()
print(json.dumps([made(*call) for call in json.loads(sys.argv[2])]))
"""
NEW_NAMESPACES = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
FILTERS = {"shared": syscalls.shared_network_filter, "own": syscalls.own_network_filter}
# AF_INET in the bits the kernel reads, and more in those it does not.
DISGUISED_INET, DISGUISED_VSOCK = (1 << 32) | 2, (1 << 32) | 40
STREAM = 1


def errors(program: bytes, *calls: tuple[int, ...]) -> list[int]:
    """The error number of each call (number, arguments) made under the filter."""
    done = subprocess.run(
        [sys.executable, "-c", MAKE_CALLS, program.hex(), json.dumps(calls)],
        env={"PYTHONPATH": str(ROOT / "layers/core")},
        capture_output=True,
        check=True,
    )
    found: list[int] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", FILTERS)
def test_no_call_that_steers_the_machine_or_another_process_is_let_through(name: str) -> None:
    known = sorted(call for call in syscalls.FORBIDDEN if resolved(call) >= 0)
    assert len(known) > 50
    found = errors(FILTERS[name](), *((resolved(call), 0, 0, 0, 0, 0, 0) for call in known))
    assert dict(zip(known, found, strict=True)) == dict.fromkeys(known, errno.EPERM)


@pytest.mark.parametrize("name", FILTERS)
def test_no_new_namespace_is_made_however_it_is_asked_for(name: str) -> None:
    clone = resolved("clone")
    asked = [(clone, flag, 0, 0, 0, 0) for flag in NEW_NAMESPACES]
    assert errors(FILTERS[name](), *asked) == [errno.EPERM] * len(asked)
    assert errors(FILTERS[name](), (resolved("clone3"), 0, 0)) == [errno.ENOSYS]


@pytest.mark.parametrize("name", FILTERS)
def test_nobody_types_into_a_terminal_or_changes_how_programs_are_loaded(name: str) -> None:
    asked = [(resolved("ioctl"), 0, 0x5412, 0), (resolved("personality"), 0x0400000)]
    assert errors(FILTERS[name](), *asked) == [errno.EPERM, errno.EPERM]


def test_without_a_network_of_its_own_there_is_no_socket_but_a_unix_one() -> None:
    call = resolved("socket")
    families = [2, 10, 16, 17, 29, 38, 40, 44, DISGUISED_INET, DISGUISED_VSOCK, 1 << 32]
    found = errors(syscalls.shared_network_filter(), *((call, family, STREAM, 0) for family in families))
    assert found == [errno.EAFNOSUPPORT] * len(families)
    assert errors(syscalls.shared_network_filter(), (call, 1, STREAM, 0)) == [0]


def test_with_a_network_of_its_own_no_socket_reaches_around_it() -> None:
    call = resolved("socket")
    families = [16, 17, 29, 38, 40, 44, DISGUISED_VSOCK]
    found = errors(syscalls.own_network_filter(), *((call, family, STREAM, 0) for family in families))
    assert found == [errno.EAFNOSUPPORT] * len(families)
    assert errors(syscalls.own_network_filter(), *((call, family, STREAM, 0) for family in (1, 2))) == [0, 0]


def test_memory_by_key_is_only_for_who_has_it_alone() -> None:
    calls = [(resolved(name), 0, 4096, 0o1600) for name in ("shmget", "msgget", "semget")]
    assert errors(syscalls.shared_network_filter(), *calls) == [errno.EPERM] * 3
