"""An unfinished run's changes put into a fresh clone, before any agent is in it.

Git writes them, as it wrote the clone: from objects, never from a patch, so that it is git that minds the links and
folders of strangers. The stored diff is of no use here: it may be cut, and holds no binary file.
"""

import tempfile
from pathlib import Path

from orchestrator.adapters.git_collect import Repository, faults_beside, files_of, standing
from orchestrator.adapters.git_survey import BaseFile
from orchestrator.domain.changeset import Changeset, FileChange
from orchestrator.domain.publishable import faults
from orchestrator.errors import JobFailed, TransientError

_GONE = "0 " + "0" * 40


def carry_over(repository: Repository, apart: Repository, base_sha: str, draft: Changeset) -> bool:
    """Whether the draft is in the workspace now; if not, the workspace is as it was.

    `apart` is the same repository with an index of its own, in which the draft is put together first.
    """
    try:
        tree = _tree(apart, base_sha, draft)
    # Whatever git, the disk or the draft's encoding stumble over: the workspace has not been touched yet.
    except (JobFailed, OSError, ValueError):
        return False
    return tree is not None and _checked_out(repository, base_sha, tree)


def _tree(apart: Repository, base_sha: str, draft: Changeset) -> str | None:
    """The commit's files with the draft's on top; None if they do not go together."""
    base = files_of(apart, base_sha)
    if not _is_sound(draft) or not _is_of(base_sha, base, draft) or faults_beside(apart, base, draft.changes):
        return None
    apart.run("read-tree", base_sha)
    wanted = _wanted(apart, draft.changes)
    apart.run("update-index", "-z", "--index-info", stdin=b"".join(map(_line, wanted.items())))
    tree = apart.run("write-tree").decode().strip()
    # A file takes the place of a folder in an index without a word, and the other way round.
    return tree if _standing(files_of(apart, tree)) == _expected(base, wanted) else None


def _is_sound(draft: Changeset) -> bool:
    """Whether it is a change that collecting could have made: it comes from where others may have written."""
    paths = {change.path for change in draft.changes}
    return (
        bool(paths)
        and len(paths) == len(draft.changes)
        and not draft.blocked
        and not faults(draft.changes, ())
    )


def _is_of(base_sha: str, base: dict[bytes, BaseFile], draft: Changeset) -> bool:
    """Whether what it changes stands in the commit as it stood before the draft.

    A merge could join more, and join it wrongly unseen; the commit it started from is not in a shallow clone either.
    """
    stands = _standing(base)
    if any(change.is_deletion and change.path.encode() not in stands for change in draft.changes):
        return False
    return draft.base_sha == base_sha or all(
        stands.get(change.path.encode(), "") == change.before for change in draft.changes
    )


def _standing(files: dict[bytes, BaseFile]) -> dict[bytes, str]:
    return {path: standing(file.mode, file.object_id) for path, file in files.items()}


def _wanted(apart: Repository, changes: tuple[FileChange, ...]) -> dict[bytes, str]:
    """What is to stand at each path the draft changes, empty where nothing is; the contents become objects."""
    written = [change for change in changes if change.content is not None]
    # Of one git process for all of them, and no path of theirs: the files lie where the agent never gets.
    with tempfile.TemporaryDirectory(prefix="draft-", dir=apart.git_dir) as folder:
        places = [Path(folder, str(number)) for number in range(len(written))]
        for place, change in zip(places, written, strict=True):
            place.write_bytes(change.content or b"")
        named = "".join(f"{place}\n" for place in places).encode()
        ids = apart.run("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=named).decode().split()
    made = {
        change.path.encode(): standing(str(change.mode), object_id)
        for change, object_id in zip(written, ids, strict=True)
    }
    # What goes comes first, so that a folder is empty before a file takes its place.
    return {change.path.encode(): "" for change in changes if change.is_deletion} | made


def _line(wanted: tuple[bytes, str]) -> bytes:
    path, stands = wanted
    return b"%s\t%s\0" % ((stands or _GONE).encode(), path)


def _expected(base: dict[bytes, BaseFile], wanted: dict[bytes, str]) -> dict[bytes, str]:
    return {path: stands for path, stands in (_standing(base) | wanted).items() if stands}


def _checked_out(repository: Repository, base_sha: str, tree: str) -> bool:
    """Whether the workspace holds the tree's files now, else the commit's."""
    try:
        repository.run("read-tree", "--reset", "-u", tree)
    except JobFailed:
        _take_back(repository, base_sha)
        return False
    return True


def _take_back(repository: Repository, base_sha: str) -> None:
    # Of a git that was ended.
    (repository.git_dir / "index.lock").unlink(missing_ok=True)
    try:
        repository.run("read-tree", "--reset", "-u", base_sha)
        repository.run("clean", "-ffdxq")
    except JobFailed as error:
        raise TransientError("The workspace could not be prepared.") from error
