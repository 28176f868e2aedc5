"""Changesets: what the agent did to its workspace, whatever it did to the git directory beside it."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.git_workspace import DELETED, GITLINK, cloner, kept, push_raw

from alm.standins.github import Executable, GitHubStandIn, Symlink
from orchestrator.adapters import git_cli
from orchestrator.adapters.git_cli import GitCheckout, GitRepository
from orchestrator.domain.changeset import Fault, Ground

Spoil = Callable[[Path], object]


@pytest.fixture(scope="module")
def cloned() -> Iterator[GitCheckout]:
    """One clone for all these tests, which work on copies."""
    with GitHubStandIn() as github:
        github.seed(
            {
                ".gitignore": b"*.log\nbuild/\n",
                "app.py": b"x = 1\n",
                "run.sh": Executable(b"#!/bin/sh\n"),
                "link": Symlink("app.py"),
                "docs/a.md": b"a\n",
                "docs/b.md": b"b\n",
            }
        )
        push_raw(github, {b"lib": GITLINK})
        with cloner(github).clone(None) as made:
            yield made


@pytest.fixture
def checkout(cloned: GitCheckout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitCheckout:
    """A clone of the test's own."""
    monkeypatch.setattr(git_cli, "COLLECT_TIMEOUT_S", 20)
    job = tmp_path / "job"
    shutil.copytree(cloned.workspace.parent, job, symlinks=True)
    return replace(cloned, repository=GitRepository(job / "trusted.git", job / "workspace"))


@pytest.fixture
def work(checkout: GitCheckout) -> Path:
    return checkout.workspace


def test_files_added_changed_and_deleted_are_the_changeset(checkout: GitCheckout, work: Path) -> None:
    (work / "app.py").write_bytes(b"x = 2\n")
    (work / "new" / "deep").mkdir(parents=True)
    (work / "new" / "deep" / "file").write_bytes(b"\0\xff")
    (work / "docs" / "a.md").unlink()
    changeset = checkout.changeset()
    assert kept(changeset) == {
        "app.py": ("100644", b"x = 2\n"),
        "docs/a.md": DELETED,
        "new/deep/file": ("100644", b"\0\xff"),
    }
    assert changeset.base_sha == checkout.base_sha
    assert "-x = 1\n+x = 2\n" in changeset.diff


def test_modes_and_links_are_changes(checkout: GitCheckout, work: Path) -> None:
    (work / "run.sh").chmod(0o644)
    (work / "app.py").chmod(0o755)
    (work / "link").unlink()
    (work / "link").symlink_to("/etc/passwd")
    (work / "docs" / "b.md").unlink()
    (work / "docs" / "b.md").symlink_to("a.md")
    assert kept(checkout.changeset()) == {
        "app.py": ("100755", b"x = 1\n"),
        "docs/b.md": ("120000", b"a.md"),
        "link": ("120000", b"/etc/passwd"),
        "run.sh": ("100644", b"#!/bin/sh\n"),
    }


def test_a_folder_that_became_a_link_carries_the_link_and_nothing_behind_it(
    checkout: GitCheckout, work: Path
) -> None:
    shutil.rmtree(work / "docs")
    (work / "docs").symlink_to("/etc")
    assert kept(checkout.changeset()) == {
        "docs": ("120000", b"/etc"),
        "docs/a.md": DELETED,
        "docs/b.md": DELETED,
    }


def test_ignored_and_empty_things_are_left_out(checkout: GitCheckout, work: Path) -> None:
    (work / "debug.log").write_text("noise")
    (work / "build").mkdir()
    (work / "build" / "out").write_text("noise")
    (work / "empty").mkdir()
    assert checkout.changeset().is_empty


def test_a_tracked_file_counts_even_where_it_is_ignored(checkout: GitCheckout, work: Path) -> None:
    (work / ".gitignore").write_text("*\n")
    (work / "app.py").write_text("x = 2\n")
    assert set(kept(checkout.changeset())) == {".gitignore", "app.py"}


def test_an_edit_of_the_same_size_at_the_same_time_is_seen(checkout: GitCheckout, work: Path) -> None:
    before = (work / "app.py").stat()
    (work / "app.py").write_bytes(b"x = 2\n")
    os.utime(work / "app.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert kept(checkout.changeset()) == {"app.py": ("100644", b"x = 2\n")}


def test_what_the_agent_committed_is_in_the_changeset(checkout: GitCheckout, work: Path) -> None:
    (work / "app.py").write_bytes(b"x = 2\n")
    who = ("-c", "user.name=agent", "-c", "user.email=agent")
    environment = {"PATH": os.defpath, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *who, "commit", "-qam", "Mine"], cwd=work, env=environment, check=True, timeout=10)
    assert kept(checkout.changeset()) == {"app.py": ("100644", b"x = 2\n")}


def rewrite_config(git: Path, mark: Path) -> None:
    run = f"touch {mark}"
    (git / "config").write_text(
        f'[core]\n\tfsmonitor = "{run}"\n\thooksPath = {git}/evil\n\tsshCommand = "{run}"\n\tworktree = /\n'
        f'\texcludesFile = {git}/all\n[filter "evil"]\n\tclean = "{run}"\n\tprocess = "{run}"\n'
        f'[diff "evil"]\n\ttextconv = "{run}"\n\tcommand = "{run}"\n[diff]\n\texternal = "{run}"\n'
        "[include]\n\tpath = /etc/hostname\n"
    )
    (git / "evil").mkdir()
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        (git / "evil" / hook).write_text(f"#!/bin/sh\n{run}\n")
        (git / "evil" / hook).chmod(0o755)
    (git / "info" / "attributes").write_text("* filter=evil diff=evil\n")
    (git / "info" / "exclude").write_text("*\n")
    (git / "all").write_text("*\n")


def replace_by(target: str) -> Spoil:
    def spoil(git: Path) -> None:
        shutil.rmtree(git)
        git.symlink_to(target)

    return spoil


def become_pipe(git: Path) -> None:
    shutil.rmtree(git)
    os.mkfifo(git)


def test_nothing_the_agent_configures_runs_on_the_host(
    checkout: GitCheckout, work: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    rewrite_config(work / ".git", mark)
    (work / ".gitattributes").write_text("* filter=evil diff=evil\n")
    (work / "new").write_text("1")
    assert set(kept(checkout.changeset())) == {".gitattributes", "new"}
    assert not mark.exists()


@pytest.mark.parametrize(
    "spoil",
    [
        shutil.rmtree,
        lambda git: (git / "index").write_bytes(b"DIRC" + bytes(100)),
        lambda git: (git / "HEAD").write_text("ref: refs/heads/other\n"),
        lambda git: (git / "commondir").write_text("/\n"),
        lambda git: shutil.rmtree(git / "objects"),
        lambda git: (shutil.rmtree(git), git.write_text("gitdir: /nowhere\n")),
        become_pipe,
        replace_by("/etc"),
        replace_by("../trusted.git"),
    ],
    ids=["none", "index", "HEAD", "commondir", "objects", "file", "pipe", "outside", "trusted"],
)
def test_whatever_became_of_the_agents_git_directory_the_changeset_is_the_same(
    checkout: GitCheckout, work: Path, spoil: Spoil
) -> None:
    (work / "app.py").write_bytes(b"x = 2\n")
    spoil(work / ".git")
    assert kept(checkout.changeset()) == {"app.py": ("100644", b"x = 2\n")}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda work: shutil.copytree(work / ".git", work / "docs" / ".git"),
        lambda work: (work / "docs" / ".git").write_text("gitdir: ../.git\n"),
        lambda work: (work / "docs" / ".git").symlink_to("../.git"),
        lambda work: ((work / "docs" / ".git").mkdir(), (work / ".gitignore").write_text("docs/\n")),
    ],
    ids=["folder", "file", "link", "where files are tracked"],
)
def test_a_nested_repository_is_blocked(checkout: GitCheckout, work: Path, spoil: Spoil) -> None:
    (work / "app.py").write_bytes(b"x = 2\n")
    spoil(work)
    changeset = checkout.changeset()
    assert changeset.blocked == (Fault(ground=Ground.NESTED, path="docs"),)
    assert changeset.changes == ()


def test_a_nested_repository_that_is_ignored_is_no_part_of_the_change(
    checkout: GitCheckout, work: Path
) -> None:
    (work / "app.py").write_bytes(b"x = 2\n")
    shutil.copytree(work / ".git", work / "build" / "x" / ".git")
    changeset = checkout.changeset()
    assert (set(kept(changeset)), changeset.blocked) == ({"app.py"}, ())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lib: lib.rmdir(),
        lambda lib: (lib.rmdir(), lib.write_text("file")),
        lambda lib: (lib.rmdir(), lib.symlink_to("docs")),
    ],
    ids=["gone", "file", "link"],
)
def test_a_submodule_that_is_touched_is_blocked(checkout: GitCheckout, work: Path, spoil: Spoil) -> None:
    spoil(work / "lib")
    assert checkout.changeset().blocked == (Fault(ground=Ground.SUBMODULE, path="lib"),)


def test_a_submodule_that_is_checked_out_is_blocked(checkout: GitCheckout, work: Path) -> None:
    shutil.copytree(work / ".git", work / "lib" / ".git")
    assert checkout.changeset().blocked == (Fault(ground=Ground.NESTED, path="lib"),)


@pytest.mark.parametrize(
    "path", ["pipe", ".gitignore", ".gitattributes", "docs/.gitignore", "docs/.gitattributes", "docs/a.md"]
)
def test_pipes_and_sockets_hold_nothing_up(checkout: GitCheckout, work: Path, path: str) -> None:
    (work / "app.py").write_bytes(b"x = 2\n")
    was_tracked = (work / path).exists()
    (work / path).unlink(missing_ok=True)
    os.mkfifo(work / path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(work / "s"))
    deleted = {path: DELETED} if was_tracked else {}
    assert kept(checkout.changeset()) == {"app.py": ("100644", b"x = 2\n"), **deleted}
