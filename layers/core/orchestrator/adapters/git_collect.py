"""The agent's changes read out of its workspace, with a git directory and an index it never touched."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.domain.changeset import Changeset, FileChange, FileMode
from orchestrator.errors import JobFailed

DIFF_LIMIT = 200_000
# The change travels as JSON and is held in memory whole, here and where it is published.
LARGEST_CHANGE_MB = 25
GONE = "000000"
SUBMODULE = "160000"
PUBLISHABLE = frozenset(FileMode)


class Repository(Protocol):
    """What collecting needs of the trusted repository."""

    @property
    def git_dir(self) -> Path:
        """The trusted git directory."""

    def run(self, *arguments: str, index: Path | None = None, stdin: bytes = b"") -> bytes:
        """Standard output of one git command."""


@dataclass(frozen=True)
class _Entry:
    """One path that differs."""

    old_mode: str
    mode: str
    object_id: str
    path: bytes

    @property
    def publishable(self) -> bool:
        """Whether a pull request may carry it: no submodule comes or goes, and people can read the path."""
        known = self.old_mode != SUBMODULE and self.mode in {GONE, *PUBLISHABLE}
        return known and _readable(self.path).encode() == self.path


def make_readable(workspace: Path) -> None:
    """Undo what would keep git from reading: permissions taken away, and pipes, whose writer never comes."""
    _permit(workspace)
    for folder, folders, files in os.walk(workspace):
        for name in (*folders, *files):
            _permit(Path(folder, name))
        folders[:] = [name for name in folders if name != ".git"]


def _permit(path: Path) -> None:
    mode = path.lstat().st_mode
    needed = {stat.S_IFDIR: stat.S_IRWXU, stat.S_IFREG: stat.S_IRUSR, stat.S_IFLNK: 0}.get(stat.S_IFMT(mode))
    if needed is None:
        path.unlink()
    elif mode & needed != needed:
        path.chmod(stat.S_IMODE(mode) | needed)


def nested_repositories(workspace: Path) -> tuple[str, ...]:
    """Repositories inside the workspace: git would make them submodules, and would run git in them."""
    found = []
    for folder, folders, files in os.walk(workspace):
        here = Path(folder)
        if here != workspace and ".git" in (*folders, *files):
            found.append(_readable(os.fsencode(here.relative_to(workspace))))
        folders[:] = [name for name in folders if name != ".git"]
    return tuple(sorted(found))


def collect(repository: Repository, base_sha: str) -> Changeset:
    """Every difference between the commit and the workspace, hashed anew: no stat data is believed."""
    index = repository.git_dir / "collect.index"
    repository.run("read-tree", base_sha, index=index)
    repository.run("add", "--all", "--", ".", index=index)
    tree = repository.run("write-tree", index=index).decode().strip()
    raw = repository.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", base_sha, tree)
    entries = tuple(_entries(raw))
    _refuse_too_large(repository, entries)
    return Changeset(
        base_sha=base_sha,
        changes=tuple(_changes(repository, [entry for entry in entries if entry.publishable])),
        blocked=tuple(_readable(entry.path) for entry in entries if not entry.publishable),
        diff=_diff(repository, base_sha, tree),
    )


def _entries(raw: bytes) -> Iterator[_Entry]:
    """Each `:old-mode new-mode old-id new-id status NUL path NUL`."""
    fields = iter(raw.split(b"\0"))
    for facts in fields:
        if facts:
            old_mode, mode, _, object_id, _ = facts.decode().removeprefix(":").split(" ")
            yield _Entry(old_mode, mode, object_id, next(fields))


def _refuse_too_large(repository: Repository, entries: tuple[_Entry, ...]) -> None:
    wanted = "\n".join(entry.object_id for entry in entries if entry.mode in PUBLISHABLE).encode()
    sizes = repository.run("cat-file", "--batch-check=%(objectsize)", stdin=wanted).split()
    if sum(map(int, sizes)) > LARGEST_CHANGE_MB * 1_000_000:
        raise JobFailed(f"The change is larger than {LARGEST_CHANGE_MB} MB, so nothing was published.")


def _readable(path: bytes) -> str:
    """The path for people; one that is not UTF-8 or holds control characters comes out changed."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)


def _changes(repository: Repository, entries: list[_Entry]) -> Iterator[FileChange]:
    blobs = _blobs(repository, [entry.object_id for entry in entries if entry.mode != GONE])
    for entry in entries:
        if entry.mode == GONE:
            yield FileChange.deleted(entry.path.decode())
        else:
            yield FileChange.written(entry.path.decode(), FileMode(entry.mode), next(blobs))


def _blobs(repository: Repository, object_ids: list[str]) -> Iterator[bytes]:
    answer = (
        repository.run("cat-file", "--batch", stdin="\n".join(object_ids).encode()) if object_ids else b""
    )
    position = 0
    for _ in object_ids:
        end = answer.index(b"\n", position)
        size = int(answer[position:end].rsplit(b" ", 1)[1])
        yield answer[end + 1 : end + 1 + size]
        position = end + 1 + size + 1


def _diff(repository: Repository, base_sha: str, tree: str) -> str:
    plain = ("-p", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")
    return repository.run("diff-tree", *plain, base_sha, tree).decode("utf-8", "replace")[:DIFF_LIMIT]
