"""The size of a commit's tree, counted before anything of it is unpacked.

A tree of 30 folders that each hold the next one twice has a billion entries in a kilobyte. So the listing is read
as it comes and ended at the first limit that it passes, and nothing of it is kept.
"""

import os
import selectors
import subprocess
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from time import monotonic

from orchestrator.domain.repository_limits import COSTLY, LONG_PATH, LONGEST_PATH, RepositoryLimits
from orchestrator.errors import RepositoryTooLarge

# 100,000 files are listed in a second.
LISTING_S = 60.0
CHUNK = 64 * 1024
# The longest line: mode, type, id and size before the path.
LONGEST_LINE = LONGEST_PATH + 128
# Names are held in memory several times when the changes are collected.
MOST_NAME_BYTES = 50_000_000


def check_tree(git_dir: Path, commit: str, environment: Mapping[str, str], limits: RepositoryLimits) -> None:
    """Raise RepositoryTooLarge if the commit has more files, folders or bytes than the limits say."""
    files = folders = size_bytes = name_bytes = 0
    with closing(_entries(git_dir, commit, environment)) as entries:
        for path_bytes, kind, size in entries:
            files, folders = files + (kind == b"blob"), folders + (kind != b"blob")
            size_bytes, name_bytes = size_bytes + size, name_bytes + path_bytes
            if path_bytes > LONGEST_PATH or name_bytes > MOST_NAME_BYTES:
                raise RepositoryTooLarge(LONG_PATH)
            if (reason := limits.excess(files, folders, size_bytes)) is not None:
                raise RepositoryTooLarge(reason)


def _entries(git_dir: Path, commit: str, environment: Mapping[str, str]) -> Generator[tuple[int, bytes, int]]:
    """Length of the path, type and size of every file, folder and submodule; `mode type id size TAB path NUL`."""
    # Folders too (-t): a tree of folders alone would say nothing for ever.
    process = subprocess.Popen(
        ["git", f"--git-dir={git_dir}", "ls-tree", "-r", "-t", "-l", "-z", "--full-tree", commit],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        try:
            for line in _lines(process):
                facts, _, path = line.partition(b"\t")
                _, kind, _, size = facts.split()
                yield len(path), kind, int(size) if size.isdigit() else 0
            if process.wait() != 0:
                raise RepositoryTooLarge(COSTLY if process.returncode > 0 else LONG_PATH)
        finally:
            process.kill()


def _lines(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    rest = b""
    for chunk in _chunks(process, monotonic() + LISTING_S):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
        if len(rest) > LONGEST_LINE:
            raise RepositoryTooLarge(LONG_PATH)


def _chunks(process: "subprocess.Popen[bytes]", ends: float) -> Iterator[bytes]:
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        # A listing that never pauses is over time as well.
        while (left_s := ends - monotonic()) > 0 and ready.select(left_s):
            if not (chunk := os.read(process.stdout.fileno(), CHUNK)):
                return
            yield chunk
    raise RepositoryTooLarge(COSTLY)
