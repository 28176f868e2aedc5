"""Clones of the stand-in's repository, and what their workspaces hold."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from alm.standins.github import GitHubStandIn
from orchestrator.adapters.git_cli import GitCheckout, GitCloner, GitRepository
from orchestrator.domain.changeset import Changeset

DELETED = ("", b"")
GITLINK = ("160000", "1" * 40)
# What `with_a_change` leaves.
MINE = {"app.py": ("100644", b"x = 2\n")}


def cloner(github: GitHubStandIn, token: str = "", repo: str = "") -> GitCloner:
    """With the read token, of the stand-in's repository, unless others are given."""
    return GitCloner(github.url, repo or github.settings.full_name, token or github.settings.read_token)


def with_a_change(cloned: GitCheckout, job: Path) -> GitCheckout:
    """A copy of the clone, in which `app.py` has changed."""
    shutil.copytree(cloned.workspace.parent, job, symlinks=True)
    (job / "workspace" / "app.py").write_bytes(b"x = 2\n")
    return replace(cloned, repository=GitRepository(job / "trusted.git", job / "workspace"))


def blocked(checkout: GitCheckout) -> list[tuple[str, str]]:
    """Ground and path of everything that blocks."""
    return [(fault.ground.value, fault.path) for fault in checkout.changeset().blocked]


def files_below(folder: Path) -> Iterator[Path]:
    """Every file, links not followed."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


def kept(changeset: Changeset) -> dict[str, tuple[str, bytes]]:
    """Mode and content of every change by its path; `DELETED` for what is gone."""
    return {
        change.path: (change.mode.value if change.mode else "", change.content or b"")
        for change in changeset.changes
    }


def push_raw(github: GitHubStandIn, entries: dict[bytes, tuple[str, str]], branch: str = "trunk") -> None:
    """Commit entries that no REST call would take: path to mode and object id, on top of the branch."""
    repository = github.repository
    index = {"GIT_INDEX_FILE": str(repository.path / "raw.index")}
    repository.git("read-tree", branch, extra=index)
    lines = b"".join(b"%s %s\t%s\0" % (m.encode(), i.encode(), path) for path, (m, i) in entries.items())
    repository.git("update-index", "-z", "--index-info", stdin=lines, extra=index)
    tree = repository.git("write-tree", extra=index).decode().strip()
    who = {f"GIT_{role}_{what}": "person" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    commit = repository.git("commit-tree", "-p", branch, "-m", "Odd", tree, extra=who).decode().strip()
    repository.git("update-ref", f"refs/heads/{branch}", commit)
