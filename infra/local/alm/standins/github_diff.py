"""What changed between two commits, file by file, in GitHub's words."""

from collections.abc import Iterator
from dataclasses import dataclass

from alm.standins.github_git import BareRepository

STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}


@dataclass(frozen=True)
class FileDiff:
    """One file of a diff; `patch` begins at the first hunk and is empty for binary files."""

    path: str
    status: str
    sha: str
    patch: str
    previous_path: str = ""

    @property
    def additions(self) -> int:
        """How many lines came."""
        return sum(line.startswith("+") for line in self.patch.split("\n"))

    @property
    def deletions(self) -> int:
        """How many lines went."""
        return sum(line.startswith("-") for line in self.patch.split("\n"))


def file_diffs(repository: BareRepository, base: str, head: str) -> list[FileDiff]:
    """Return the changed files in path order."""
    ends = (base, head)
    raw = repository.diff(ends, "--raw", "-z", "--no-abbrev")
    return [_file_diff(repository, ends, change) for change in _changes(raw)]


def _changes(raw: str) -> Iterator[FileDiff]:
    words = iter(raw.split("\0"))
    for facts in words:
        if not facts:
            return
        _, _, old_sha, new_sha, status = facts.split()
        path = next(words)
        moved_to = next(words) if status[0] in "RC" else ""
        sha = old_sha if status[0] == "D" else new_sha
        yield FileDiff(moved_to or path, STATUS[status[0]], sha, "", path if moved_to else "")


def _file_diff(repository: BareRepository, ends: tuple[str, str], change: FileDiff) -> FileDiff:
    paths = [path for path in (change.previous_path, change.path) if path]
    text = repository.diff(ends, paths=paths)
    start = text.find("\n@@")
    patch = text[start + 1 :].rstrip("\n") if start >= 0 else ""
    return FileDiff(change.path, change.status, change.sha, patch, change.previous_path)
