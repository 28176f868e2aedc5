"""Drafts of unfinished runs, and a repository whose links and folders lie in wait for them."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.contract.git_workspace import GITLINK, push_raw

from alm.standins.github import Executable, GitHubStandIn, Symlink
from orchestrator.adapters.git_cli import GitCheckout, GitRepository
from orchestrator.domain.changeset import Changeset, FileChange, FileMode

REGULAR, RUNS, LINK = FileMode.REGULAR, FileMode.EXECUTABLE, FileMode.SYMLINK


@contextmanager
def in_wait() -> Iterator[GitHubStandIn]:
    """The repository's host."""
    with GitHubStandIn() as running:
        running.seed(
            {
                ".gitattributes": b"* text=auto eol=lf\n",
                "app.py": b"x = 1\n",
                "crlf.txt": b"a\r\nb\r\n",
                "run.sh": Executable(b"#!/bin/sh\n"),
                "link": Symlink("app.py"),
                "out": Symlink("/tmp"),
                "docs/only.md": b"a\n",
                "tree/one": b"1\n",
                "tree/two": b"2\n",
            }
        )
        push_raw(running, {b"lib": GITLINK})
        yield running


def a_copy(cloned: GitCheckout, job: Path) -> GitCheckout:
    shutil.copytree(cloned.workspace.parent, job, symlinks=True)
    return replace(cloned, repository=GitRepository(job / "trusted.git", job / "workspace"))


def draft(checkout: GitCheckout, *changes: FileChange, **others: object) -> Changeset:
    """What an unfinished run left."""
    return Changeset.model_validate({"base_sha": checkout.base_sha, "changes": changes} | others)


def written(path: str, content: bytes = b"new\n", mode: FileMode = REGULAR) -> FileChange:
    return FileChange.written(path, mode, content)


def seen(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything below the folder: kind and mode, and content or target."""
    return {str(path.relative_to(folder)): _seen(path) for path in sorted(folder.rglob("*"))}


def _seen(path: Path) -> tuple[int, bytes]:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return stat.S_IFLNK, os.fsencode(path.readlink())
    return mode, path.read_bytes() if stat.S_ISREG(mode) else b""


def refused(checkout: GitCheckout, of: Changeset) -> bool:
    """Whether the draft is not taken, and nothing at all is different in or around the workspace."""
    around = checkout.workspace.parent.parent
    trusted = checkout.repository.git_dir
    before = {path: facts for path, facts in seen(around).items() if trusted.name not in path}
    taken = checkout.carry_over(of)
    after = {path: facts for path, facts in seen(around).items() if trusted.name not in path}
    return not taken and after == before
