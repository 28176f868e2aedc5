"""One git process that talks to the server, held to bounds: what it unpacks was packed by a stranger.

The kernel bounds the processor time, the memory and the largest file of each process; the folder is watched. A pack
of a megabyte can ask for any of these without end: deltas of deltas, one blob under many names, zeros.
"""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from orchestrator.domain.repository_limits import COSTLY, LONG_PATH, RepositoryLimits
from orchestrator.errors import RepositoryTooLarge

MIB = 1024 * 1024
# Unpacking 1 GiB of source takes about a minute; the worker has 4 GiB or more.
CPU_S, MEMORY_BYTES = 300, 2048 * MIB
LOOK_EVERY_S = 0.1
# What a fast disk takes between two looks at the folder. Beyond it the kernel ends the download.
UNSEEN_BYTES = 256 * MIB
# The end of what git complained about; the server can add to that as it likes.
COMPLAINT_BYTES = 64 * 1024
# Small packs would be unpacked object by object, each whole in memory; mapped windows of 1 GiB pass the memory limit.
# A transfer that stalls ends, also when nobody waits for it any more.
BOUNDED_SETTINGS = {
    "fetch.unpackLimit": "1",
    "core.packedGitWindowSize": "64m",
    "core.packedGitLimit": "512m",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
}
_BY_LIMIT = (-signal.SIGXFSZ, -signal.SIGXCPU)
_COSTLY = (
    f"died of signal {signal.SIGXFSZ:d}",
    f"died of signal {signal.SIGXCPU:d}",
    "file too large",
    "out of memory",
    "over limit",
    "cannot allocate memory",
)
# The whole complaint where the kernel ended the part of git that unpacks.
_ENDED_BY_THE_KERNEL = ("fatal: fetch-pack: invalid index-pack output", "fatal: index-pack failed")
_TOO_DEEP = (f"died of signal {signal.SIGSEGV:d}", "exceeded maximum allowed tree depth")


class TookTooLong(Exception):  # noqa: N818  # what happened
    """The process did not end in time."""


@dataclass(frozen=True)
class Bounds:
    """`folder` is where the process writes."""

    folder: Path
    limits: RepositoryLimits
    timeout_s: float


def run_bounded(
    arguments: tuple[str, ...], environment: Mapping[str, str], bounds: Bounds
) -> tuple[int, str]:
    """Exit status and complaint in lower case; RepositoryTooLarge beyond the limits, TookTooLong beyond the time."""
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [*_limited(bounds.limits), "git", *arguments],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            process_group=0,
        )
        try:
            status = _ended(process, bounds)
        finally:
            _end(process)
        complaints.seek(max(complaints.seek(0, os.SEEK_END) - COMPLAINT_BYTES, 0))
        complaint = complaints.read().decode(errors="replace").lower()
    if (reason := _excess(status, complaint, bounds)) is not None:
        raise RepositoryTooLarge(reason)
    return status, complaint


def _limited(limits: RepositoryLimits) -> tuple[str, ...]:
    return (
        "/usr/bin/prlimit",
        f"--cpu={CPU_S}:{CPU_S + 5}",
        f"--as={MEMORY_BYTES}",
        f"--fsize={limits.max_bytes + UNSEEN_BYTES}",
        "--core=0",
        "--",
    )


def _ended(process: "subprocess.Popen[bytes]", bounds: Bounds) -> int:
    ends = monotonic() + bounds.timeout_s
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(LOOK_EVERY_S)
        if size_below(bounds.folder) > bounds.limits.max_bytes:
            raise RepositoryTooLarge(bounds.limits.large_download)
        if monotonic() > ends:
            raise TookTooLong


def size_below(folder: Path) -> int:
    """The bytes of all files in the folder; files come and go meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(parent, name).lstat().st_size
    return total


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and those that it started: git leaves the download to others."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _excess(status: int, complaint: str, bounds: Bounds) -> str | None:
    if size_below(bounds.folder) > bounds.limits.max_bytes:
        return bounds.limits.large_download
    if status == 0:
        return None
    if status == -signal.SIGSEGV or _has(complaint, _TOO_DEEP):
        return LONG_PATH
    # A clone removes what it had when it fails, so that nobody can see any more which limit it was.
    is_ended = status in _BY_LIMIT or complaint.strip() in _ENDED_BY_THE_KERNEL
    return COSTLY if is_ended or _has(complaint, _COSTLY) else None


def _has(complaint: str, signs: tuple[str, ...]) -> bool:
    return any(sign in complaint for sign in signs)
