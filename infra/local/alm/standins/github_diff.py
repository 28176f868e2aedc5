"""What changed between two commits, file by file, in GitHub's words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from alm.standins.github_git import BareRepository

STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}

SECTION = re.compile(r"^diff --git ", re.MULTILINE)
HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
SIDES = {"LEFT": frozenset("- "), "RIGHT": frozenset("+ ")}


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
    changes = list(_changes(repository.diff(ends, "--raw", "-z", "--no-abbrev")))
    texts = SECTION.split(repository.diff(ends))[1:]
    if len(texts) != len(changes):
        # A file that becomes a link is two sections for git; one by one is slow and right.
        texts = [repository.diff(ends, paths=_paths(change)) for change in changes]
    return [_file_diff(change, text) for change, text in zip(changes, texts, strict=True)]


def hunk_to(patch: str, line: int, side: str) -> str | None:
    """Return the hunk down to the line of that side, None when the line is no part of the diff."""
    hunk: list[str] = []
    numbers: dict[str, int] = {}
    for text in patch.split("\n"):
        if start := HUNK.match(text):
            hunk, numbers = [text], {"LEFT": int(start[1]), "RIGHT": int(start[2])}
            continue
        hunk.append(text)
        for here in (here for here, signs in SIDES.items() if text[:1] in signs):
            if (here, numbers[here]) == (side, line):
                return "\n".join(hunk)
            numbers[here] += 1
    return None


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


def _paths(change: FileDiff) -> list[str]:
    return [path for path in (change.previous_path, change.path) if path]


def _file_diff(change: FileDiff, text: str) -> FileDiff:
    start = text.find("\n@@")
    patch = text[start + 1 :].rstrip("\n") if start >= 0 else ""
    return FileDiff(change.path, change.status, change.sha, patch, change.previous_path)
