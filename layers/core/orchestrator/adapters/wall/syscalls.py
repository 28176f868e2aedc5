"""The system calls no agent needs: which ones each wall refuses, and how."""

import errno
import socket
from collections.abc import Iterable
from functools import cache

from orchestrator.adapters.wall.libseccomp import Filter, differs, equals, filtering, has_flag


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# What looks into or steers other processes, the kernel, its clock, keys, mounts and namespaces.
FORBIDDEN = _names(
    """
    ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp process_madvise
    mount umount2 pivot_root chroot unshare setns open_by_handle_at
    move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick mount_setattr
    bpf perf_event_open userfaultfd fanotify_init lookup_dcookie vhangup syslog acct
    io_uring_setup io_uring_enter io_uring_register
    keyctl add_key request_key
    kexec_load kexec_file_load init_module finit_module delete_module reboot
    swapon swapoff quotactl quotactl_fd iopl ioperm uselib nfsservctl
    settimeofday clock_settime clock_adjtime adjtimex
    """
)
# Shared by every process of a machine, whoever started it: only for a wall with an IPC namespace of its own.
SHARED_IPC = _names(
    """
    shmget shmat shmctl msgget msgsnd msgrcv msgctl semget semop semtimedop semctl mq_open mq_unlink
    """
)
# <linux/sched.h>: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; NEWTIME is for unshare only.
_NEW_NAMESPACES = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
# <asm-generic/ioctls.h>: TIOCSTI and TIOCLINUX put input into a terminal, as if somebody had typed it.
_TERMINAL_INPUT = (0x5412, 0x541C)
_PERSONALITY_QUERY = 0xFFFFFFFF
_FAMILIES = frozenset(range(64))  # the kernel has fewer: AF_MAX of <linux/socket.h>


@cache
def shared_network_filter() -> bytes:
    """For a wall that shares the machine's network and IPC: no socket but a unix one, no memory shared by key."""
    with filtering() as calls:
        _forbid(calls, FORBIDDEN | SHARED_IPC)
        for call in ("socket", "socketpair"):
            calls.refuse(errno.EAFNOSUPPORT, call, differs(0, socket.AF_UNIX))
        return calls.program()


@cache
def own_network_filter() -> bytes:
    """For a wall with a network of its own: the internet's families too, none that reaches around namespaces."""
    with filtering() as calls:
        _forbid(calls, FORBIDDEN)
        for family in _FAMILIES - {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6}:
            calls.refuse(errno.EAFNOSUPPORT, "socket", equals(0, family))
        return calls.program()


def _forbid(calls: Filter, names: Iterable[str]) -> None:
    for name in names:
        calls.refuse(errno.EPERM, name)
    for flag in _NEW_NAMESPACES:
        calls.refuse(errno.EPERM, "clone", has_flag(0, flag))
    # Its flags lie in memory, where a filter cannot look: the C library then takes clone.
    calls.refuse(errno.ENOSYS, "clone3")
    for request in _TERMINAL_INPUT:
        calls.refuse(errno.EPERM, "ioctl", equals(1, request))
    calls.refuse(errno.EPERM, "personality", differs(0, _PERSONALITY_QUERY))
