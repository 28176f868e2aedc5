"""A look through the workspace before git reads it: names and sizes only, no content, no link followed.

It is taken when no process of the agent lives any more, so that nothing can be swapped under it.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from orchestrator.domain.changeset import Fault, Ground
from orchestrator.domain.publishable import LARGEST_FILE
from orchestrator.domain.repository_path import LONGEST_PATH
from orchestrator.errors import JobFailed

# Beside what the repository holds itself. A million files are looked at in about ten seconds.
MOST_ENTRIES = 500_000
MOST_NAME_BYTES = 50_000_000
# Git reads these whole, wherever they lie, before it knows what is ignored.
RULE_FILES = frozenset({b".gitignore", b".gitattributes"})
LARGEST_RULE_FILE = 1_000_000
_RIGHTS = {stat.S_IFDIR: stat.S_IRWXU, stat.S_IFREG: stat.S_IRUSR}


class TooSlowError(JobFailed):
    """The workspace could not be read in time."""


@dataclass(frozen=True)
class BaseFile:
    """A file of the commit that was cloned; a submodule has no size."""

    mode: str
    object_id: str
    size: int


@dataclass(frozen=True)
class Seen:
    """What lies at a path."""

    kind: int
    size: int
    inode: tuple[int, int]
    links: int

    @classmethod
    def at(cls, status: os.stat_result) -> "Seen":
        """From a stat that followed no link."""
        kind = stat.S_IFMT(status.st_mode)
        return cls(kind, status.st_size, (status.st_dev, status.st_ino), status.st_nlink)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return self.kind == stat.S_IFREG

    @property
    def is_carried(self) -> bool:
        """Whether git can hold it as a file."""
        return self.kind in {stat.S_IFREG, stat.S_IFLNK}

    @property
    def is_large(self) -> bool:
        """Whether it is a file too large for a change."""
        return self.is_file and self.size > LARGEST_FILE


@dataclass
class Survey:
    """What was found: files of the commit by path, repositories and folders too deep to enter, hard links."""

    root: bytes
    tracked: dict[bytes, Seen] = field(default_factory=dict)
    nested: list[bytes] = field(default_factory=list)
    deep: list[bytes] = field(default_factory=list)
    large_rules: list[bytes] = field(default_factory=list)
    names: Counter[tuple[int, int]] = field(default_factory=Counter)
    entries: int = 0
    name_bytes: int = 0

    def has_names_elsewhere(self, seen: Seen) -> bool:
        """Whether the file has a name that was not found in the workspace."""
        return seen.is_file and seen.links > max(1, self.names[seen.inode])


def survey(workspace: Path, base: dict[bytes, BaseFile], ends: float) -> Survey | Fault:
    """Everything below the folder but its own `.git`; a fault where that is too much."""
    found = Survey(os.fsencode(workspace))
    ahead = [b""]
    while ahead:
        folder = ahead.pop()
        for path, seen in _entries(found.root, folder):
            _note(found, path, seen, base)
            if found.entries > MOST_ENTRIES + len(base) or found.name_bytes > MOST_NAME_BYTES:
                return Fault(ground=Ground.TOO_MANY_ENTRIES)
            if seen.kind == stat.S_IFDIR and len(path) <= LONGEST_PATH and not path.endswith(b"/.git"):
                ahead.append(path)
        if monotonic() > ends:
            raise TooSlowError
    return found


def _entries(root: bytes, folder: bytes) -> Iterator[tuple[bytes, Seen]]:
    """What the folder holds and can be read; pipes and sockets are taken away, as their other end never comes."""
    place = root + b"/" + folder
    enter(Path(os.fsdecode(place)))
    with os.scandir(place) as entries:
        for entry in entries:
            if folder or entry.name != b".git":
                path = folder + b"/" + entry.name if folder else entry.name
                yield path, Seen.at(_permit(entry.path, entry.stat(follow_symlinks=False)))


def enter(folder: Path) -> None:
    """Make a folder one that can be read and gone into."""
    _permit(os.fsencode(folder), folder.lstat())


def _permit(place: bytes, status: os.stat_result) -> os.stat_result:
    """Give back what was taken from its owner, but not to a file of several names: it may be one of the machine."""
    kind = stat.S_IFMT(status.st_mode)
    needed = _RIGHTS.get(kind, 0)
    if kind not in {stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK}:
        Path(os.fsdecode(place)).unlink()
    elif status.st_mode & needed != needed and (kind == stat.S_IFDIR or status.st_nlink == 1):
        Path(os.fsdecode(place)).chmod(stat.S_IMODE(status.st_mode) | needed)
    return status


def _note(found: Survey, path: bytes, seen: Seen, base: dict[bytes, BaseFile]) -> None:
    folder, _, name = path.rpartition(b"/")
    found.entries += 1
    found.name_bytes += len(path)
    if path in base:
        found.tracked[path] = seen
    if seen.is_file and seen.links > 1:
        found.names[seen.inode] += 1
    if name == b".git":
        found.nested.append(folder)
    if name in RULE_FILES and seen.is_file and seen.size > LARGEST_RULE_FILE:
        found.large_rules.append(path)
    if seen.kind == stat.S_IFDIR and len(path) > LONGEST_PATH:
        found.deep.append(path)
