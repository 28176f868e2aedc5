"""The agent's changes read out of its workspace, with a git directory and an index it never touched.

Before any content is read, names and sizes are: what is too much, or is no file of the change, is never opened.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.adapters.git_survey import BaseFile, Seen, Survey, enter, survey
from orchestrator.domain.changeset import Changeset, Fault, FileChange, FileMode, Ground
from orchestrator.domain.publishable import (
    LARGEST_CHANGE,
    MOST_FILES,
    links_out,
    oversize,
    twins_in,
    written_fault,
)

DIFF_LIMIT = 200_000
GONE = "000000"
SUBMODULE = "160000"
_PLAIN_DIFF = ("-p", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")


class Repository(Protocol):
    """What collecting needs of the trusted repository."""

    @property
    def git_dir(self) -> Path:
        """The trusted git directory."""

    @property
    def workspace(self) -> Path:
        """The folder the agent worked in."""

    @property
    def ends(self) -> float:
        """When reading has to be done, on the monotonic clock."""

    def run(self, *arguments: str, stdin: bytes = b"", may_find_nothing: bool = False) -> bytes:
        """Standard output of one git command."""


@dataclass(frozen=True)
class _Entry:
    """One path that differs; `before` as in `FileChange`."""

    mode: str
    object_id: str
    path: str
    before: str


@dataclass(frozen=True)
class _Plan:
    """What the index has to take up, what it has to forget, and what it must not be given."""

    taken: tuple[bytes, ...]
    gone: tuple[bytes, ...]
    faults: tuple[Fault, ...]

    @property
    def is_beyond_reading(self) -> bool:
        """Whether the change is too much to look at even in part."""
        return any(not fault.path for fault in self.faults)


def collect(repository: Repository, base_sha: str) -> Changeset:
    """Every difference between the commit and the workspace, hashed anew: no stat data is believed."""
    enter(repository.workspace)
    base = files_of(repository, base_sha)
    found = survey(repository.workspace, base, repository.ends)
    stops = (found,) if isinstance(found, Fault) else tuple(_stops(repository, found, base))
    if isinstance(found, Fault) or stops:
        return Changeset(base_sha=base_sha, blocked=stops)
    repository.run("read-tree", base_sha)
    plan = _plan(found, base, _untracked(repository))
    if plan.is_beyond_reading:
        return Changeset(base_sha=base_sha, blocked=plan.faults)
    tree = _tree(repository, plan, base)
    return _changeset(repository, base_sha, tree, base).blocked_by(plan.faults)


def files_of(repository: Repository, base_sha: str) -> dict[bytes, BaseFile]:
    """The files of the commit: each `mode type id size TAB path NUL`."""
    listed = repository.run("ls-tree", "-r", "-l", "-z", "--full-tree", base_sha)
    files = {}
    for line in filter(None, listed.split(b"\0")):
        facts, _, path = line.partition(b"\t")
        mode, _, object_id, size = facts.decode().split()
        files[path] = BaseFile(mode, object_id, int(size) if size.isdigit() else 0)
    return files


def _stops(repository: Repository, found: Survey, base: dict[bytes, BaseFile]) -> Iterator[Fault]:
    """What git must not be let near: repositories it would enter, rules too large to read, folders too deep."""
    for path in found.large_rules:
        if path not in base or base[path].size != found.tracked[path].size:
            yield _fault(Ground.TOO_LARGE_RULES, path)
    suspects = [*found.nested, *found.deep]
    ignored = _ignored(repository, suspects) if suspects else set()
    above = {folder for path in base for folder in _folders_above(path)}
    for path in sorted({*suspects} - (ignored - above - base.keys())):
        yield _fault(Ground.NESTED if path in found.nested else Ground.TOO_LONG, path)


def _folders_above(path: bytes) -> Iterator[bytes]:
    while b"/" in path:
        path = path.rpartition(b"/")[0]
        yield path


def _ignored(repository: Repository, folders: list[bytes]) -> set[bytes]:
    """Those of the folders that `.gitignore` leaves out."""
    asked = b"".join(folder + b"/\0" for folder in folders)
    answer = repository.run("check-ignore", "-z", "--stdin", "--no-index", stdin=asked, may_find_nothing=True)
    return {path.rstrip(b"/") for path in answer.split(b"\0")}


def _untracked(repository: Repository) -> list[bytes]:
    listed = repository.run("ls-files", "--others", "--exclude-standard", "-z")
    return [path for path in listed.split(b"\0") if path]


def _plan(found: Survey, base: dict[bytes, BaseFile], untracked: list[bytes]) -> _Plan:
    """Decided from names and sizes: what differs in kind or size has changed, the rest may have."""
    if len(untracked) > MOST_FILES:
        return _Plan((), (), (Fault(ground=Ground.TOO_MANY_FILES),))
    files = {path for path, file in base.items() if file.mode != SUBMODULE}
    present = _present(found, files, untracked)
    gone = tuple(files - present.keys())
    faults = {
        path: ground for path, seen in present.items() if (ground := _fault_of(found, path, seen, base))
    }
    changed = [path for path, seen in present.items() if _has_changed(seen, base.get(path))]
    size = sum(present[path].size for path in changed if path not in faults)
    return _Plan(
        taken=tuple(path for path in present if path not in faults),
        gone=gone,
        faults=(
            *oversize(len(changed) + len(gone), size),
            *(_fault(ground, path) for path, ground in sorted(faults.items())),
            *_submodules(found, base),
            *_unreadable(gone),
        ),
    )


def _present(found: Survey, files: set[bytes], untracked: list[bytes]) -> dict[bytes, Seen]:
    """What lies in the workspace and is not ignored, as far as git can hold it as a file."""
    new = {path: Seen.at(Path(os.fsdecode(found.root + b"/" + path)).lstat()) for path in untracked}
    old = {path: seen for path, seen in found.tracked.items() if path in files}
    return {path: seen for path, seen in (new | old).items() if seen.is_carried}


def _fault_of(found: Survey, path: bytes, seen: Seen, base: dict[bytes, BaseFile]) -> Ground | None:
    """Why the file must not be opened or given to git, None if it may."""
    if found.has_names_elsewhere(seen):
        return Ground.HARD_LINK
    if not _has_changed(seen, base.get(path)):
        return None
    return Ground.TOO_LARGE if seen.is_large else _path_fault(path, is_deletion=False)


def _has_changed(seen: Seen, before: BaseFile | None) -> bool:
    """Whether that shows already: a file of the same size may still hold something else."""
    was_link = before is not None and before.mode == FileMode.SYMLINK
    same_kind = before is not None and was_link == (seen.kind == stat.S_IFLNK)
    return before is None or not same_kind or before.size != seen.size


def _submodules(found: Survey, base: dict[bytes, BaseFile]) -> Iterator[Fault]:
    for path, file in base.items():
        seen = found.tracked.get(path)
        if file.mode == SUBMODULE and (seen is None or seen.kind != stat.S_IFDIR):
            yield _fault(Ground.SUBMODULE, path)


def _unreadable(gone: Iterable[bytes]) -> Iterator[Fault]:
    """Deletions that cannot be carried as text, or that people could not read."""
    for path in gone:
        if (ground := _path_fault(path, is_deletion=True)) is not None:
            yield _fault(ground, path)


def _path_fault(path: bytes, *, is_deletion: bool) -> Ground | None:
    is_text = _text(path).encode("utf-8", "replace") == path
    return written_fault(_text(path), is_deletion=is_deletion) if is_text else Ground.UNREADABLE


def _tree(repository: Repository, plan: _Plan, base: dict[bytes, BaseFile]) -> str:
    """The workspace as a tree, made by the index that stands at the commit."""
    gone = b"".join(b"0 %s\t%s\0" % (base[path].object_id.encode(), path) for path in plan.gone)
    if gone:
        repository.run("update-index", "-z", "--index-info", stdin=gone)
    taken = b"".join(path + b"\0" for path in plan.taken)
    repository.run("update-index", "-z", "--add", "--replace", "--stdin", stdin=taken)
    return repository.run("write-tree").decode().strip()


def _changeset(repository: Repository, base_sha: str, tree: str, base: dict[bytes, BaseFile]) -> Changeset:
    entries = tuple(_entries(repository, base_sha, tree))
    size = sum(_sizes(repository, entries))
    if stops := tuple(oversize(len(entries), size)):
        return Changeset(base_sha=base_sha, blocked=stops)
    changes = tuple(_changes(repository, entries))
    found = faults_beside(repository, base, changes)
    before = sum(base[path].size for change in changes if (path := change.path.encode()) in base)
    diff = "" if before > LARGEST_CHANGE else _diff(repository, base_sha, tree)
    return Changeset(base_sha=base_sha, changes=changes, blocked=found, diff=diff)


def faults_beside(
    repository: Repository, base: dict[bytes, BaseFile], changes: tuple[FileChange, ...]
) -> tuple[Fault, ...]:
    """What is wrong with the changes that takes the rest of the commit to see."""
    links = links_out(changes, _links(repository, base, changes))
    return (*twins_in(changes, map(_text, base)), *links)


def _diff(repository: Repository, base_sha: str, tree: str) -> str:
    return repository.run("diff-tree", *_PLAIN_DIFF, base_sha, tree).decode("utf-8", "replace")[:DIFF_LIMIT]


def _entries(repository: Repository, base_sha: str, tree: str) -> Iterator[_Entry]:
    """Each `:old-mode new-mode old-id new-id status NUL path NUL`, but for paths that are no text."""
    raw = repository.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", base_sha, tree)
    fields = iter(raw.split(b"\0"))
    for facts in fields:
        if facts:
            old_mode, mode, old_id, object_id, _ = facts.decode().removeprefix(":").split(" ")
            path = next(fields)
            if _text(path).encode("utf-8", "replace") == path:
                yield _Entry(mode, object_id, path.decode(), standing(old_mode, old_id))


def standing(mode: str, object_id: str) -> str:
    """What stands at a path, as `FileChange.before` has it."""
    return "" if mode == GONE else f"{mode} {object_id}"


def _sizes(repository: Repository, entries: tuple[_Entry, ...]) -> Iterator[int]:
    wanted = "\n".join(entry.object_id for entry in entries if entry.mode != GONE).encode()
    return map(int, repository.run("cat-file", "--batch-check=%(objectsize)", stdin=wanted).split())


def _changes(repository: Repository, entries: tuple[_Entry, ...]) -> Iterator[FileChange]:
    blobs = _blobs(repository, [entry.object_id for entry in entries if entry.mode != GONE])
    for entry in entries:
        if entry.mode == GONE:
            yield FileChange.deleted(entry.path, entry.before)
        else:
            yield FileChange.written(entry.path, FileMode(entry.mode), next(blobs), entry.before)


def _links(
    repository: Repository, base: dict[bytes, BaseFile], changes: tuple[FileChange, ...]
) -> dict[str, str]:
    """The links of the commit that still stand, path to target; not read where the change holds no link."""
    if all(change.mode is not FileMode.SYMLINK for change in changes):
        return {}
    changed = {change.path for change in changes}
    links = {path: file for path, file in base.items() if file.mode == FileMode.SYMLINK}
    targets = _blobs(repository, [file.object_id for file in links.values()])
    return {_text(path): _text(next(targets)) for path in links if _text(path) not in changed}


def _blobs(repository: Repository, object_ids: list[str]) -> Iterator[bytes]:
    if not object_ids:
        return
    answer = repository.run("cat-file", "--batch", stdin="\n".join(object_ids).encode())
    position = 0
    for _ in object_ids:
        end = answer.index(b"\n", position)
        size = int(answer[position:end].rsplit(b" ", 1)[1])
        yield answer[end + 1 : end + 1 + size]
        position = end + 1 + size + 1


def _text(path: bytes) -> str:
    """The path for people; bytes that are not UTF-8 come out as backslashes, which no path of ours may hold."""
    return path.decode("utf-8", "backslashreplace")


def _fault(ground: Ground, path: bytes) -> Fault:
    return Fault(ground=ground, path=_text(path))
