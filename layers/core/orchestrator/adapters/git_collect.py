"""The agent's changes read out of its workspace, with a git directory and an index it never touched."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from orchestrator.domain.changeset import Changeset, FileChange, FileMode

DIFF_LIMIT = 200_000
GONE = "000000"
PUBLISHABLE = frozenset(FileMode)


class Repository(Protocol):
    """What collecting needs of the trusted repository."""

    @property
    def git_dir(self) -> Path:
        """The trusted git directory."""

    def run(self, *arguments: str, index: Path | None = None, stdin: bytes = b"") -> bytes:
        """Standard output of one git command."""


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
    blocked = tuple(_readable(path) for mode, _, path in entries if not _publishable(mode, path))
    return Changeset(
        base_sha=base_sha,
        changes=tuple(_changes(repository, [entry for entry in entries if _publishable(entry[0], entry[2])])),
        blocked=blocked,
        diff=_diff(repository, base_sha, tree),
    )


def _entries(raw: bytes) -> Iterator[tuple[str, str, bytes]]:
    """(new mode, new object id, path) of each `:old new sha sha status NUL path NUL`."""
    fields = iter(raw.split(b"\0"))
    for facts in fields:
        if facts:
            _, mode, _, object_id, _ = facts.decode().split(" ")
            yield mode, object_id, next(fields)


def _publishable(mode: str, path: bytes) -> bool:
    return mode in {GONE, *PUBLISHABLE} and _readable(path).encode() == path


def _readable(path: bytes) -> str:
    """The path for people; one that is not UTF-8 or holds control characters comes out changed."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)


def _changes(repository: Repository, entries: list[tuple[str, str, bytes]]) -> Iterator[FileChange]:
    wanted = [object_id for mode, object_id, _ in entries if mode != GONE]
    blobs = _blobs(repository, wanted)
    for mode, _, path in entries:
        if mode == GONE:
            yield FileChange.deleted(path.decode())
        else:
            yield FileChange.written(path.decode(), FileMode(mode), next(blobs))


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
