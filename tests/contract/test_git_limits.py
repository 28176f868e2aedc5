"""How much an agent may leave: what is too large, too many or too deep is blocked before it is read."""

import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.git_workspace import DELETED, MINE, blocked, cloner, kept, with_a_change

from alm.standins.github import GitHubStandIn
from orchestrator.adapters import git_survey
from orchestrator.adapters.git_cli import GitCheckout
from orchestrator.domain.changeset import Fault, Ground


@pytest.fixture(scope="module")
def cloned() -> Iterator[GitCheckout]:
    """One clone for all these tests, which work on copies."""
    with GitHubStandIn() as github:
        large = b"\1" * 5_100_000
        github.seed(
            {".gitignore": b"build/\n", "app.py": b"x = 1\n", "docs/old": b"1" * 100, "large.bin": large}
        )
        with cloner(github).clone(None) as made:
            yield made


@pytest.fixture
def checkout(cloned: GitCheckout, tmp_path: Path) -> GitCheckout:
    """A clone of the test's own, in which the agent has made one honest change."""
    return with_a_change(cloned, tmp_path / "job")


@pytest.fixture
def work(checkout: GitCheckout) -> Path:
    return checkout.workspace


@pytest.mark.parametrize("name", ["huge", "docs/old", "build"])
def test_a_sparse_terabyte_is_never_read(checkout: GitCheckout, work: Path, name: str) -> None:
    os.truncate(os.open(work / name, os.O_CREAT | os.O_WRONLY), 1 << 40)
    changeset = checkout.changeset()
    assert changeset.blocked == (Fault(ground=Ground.TOO_LARGE, path=name),)
    assert kept(changeset) == MINE


@pytest.mark.parametrize("name", [".gitignore", ".gitattributes", "docs/.gitattributes", "build/.gitignore"])
def test_rules_too_large_to_be_read_are_blocked_before_git_reads_them(
    checkout: GitCheckout, work: Path, name: str
) -> None:
    (work / name).parent.mkdir(exist_ok=True)
    os.truncate(os.open(work / name, os.O_CREAT | os.O_WRONLY), 1 << 40)
    assert blocked(checkout) == [("too_large_rules", name)]


def test_a_large_file_may_stand_there_be_deleted_and_not_be_changed(
    checkout: GitCheckout, work: Path
) -> None:
    assert kept(checkout.changeset()) == MINE
    with (work / "large.bin").open("ab") as large:
        large.write(b"1")
    assert blocked(checkout) == [("too_large", "large.bin")]
    (work / "large.bin").unlink()
    changeset = checkout.changeset()
    assert (kept(changeset), changeset.blocked) == ({**MINE, "large.bin": DELETED}, ())


def test_too_many_files_are_blocked(checkout: GitCheckout, work: Path) -> None:
    for number in range(299):
        (work / f"new-{number}").touch()
    assert len(checkout.changeset().changes) == 300
    (work / "one-more").touch()
    assert blocked(checkout) == [("too_many_files", "")]
    (work / "yet-one").touch()
    assert blocked(checkout) == [("too_many_files", "")]


def test_too_many_bytes_together_are_blocked(checkout: GitCheckout, work: Path) -> None:
    for number in range(6):
        (work / f"new-{number}").write_bytes(bytes(4_500_000))
    assert blocked(checkout) == [("too_many_bytes", "")]


def test_too_many_entries_are_blocked_wherever_they_lie(
    checkout: GitCheckout, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_survey, "MOST_ENTRIES", 500)
    (work / "build").mkdir()
    for number in range(600):
        (work / "build" / str(number)).touch()
    assert blocked(checkout) == [("too_many_entries", "")]


def dig(folder: Path, levels: int) -> None:
    """Folders as deep as no path can name."""
    here = os.open(folder, os.O_DIRECTORY)
    for _ in range(levels):
        os.mkdir("d" * 100, dir_fd=here)
        below = os.open("d" * 100, os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("end", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def test_folders_without_end_are_blocked_unless_they_are_ignored(checkout: GitCheckout, work: Path) -> None:
    (work / "build").mkdir()
    dig(work / "build", 100)
    assert kept(checkout.changeset()) == MINE
    dig(work, 100)
    ((ground, path),) = blocked(checkout)
    assert (ground, len(path) > 1024) == ("too_long", True)


def test_folders_deeper_than_a_process_may_open_are_gone_afterwards(
    github: GitHubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    github.seed({"app.py": b"x = 1\n"})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with cloner(github).clone(None) as made:
        dig(made.workspace, 500)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
