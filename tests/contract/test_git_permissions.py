"""What the agent made unreadable is read all the same, and is gone afterwards."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.git_workspace import cloner, files_below, kept

from alm.standins.github import GitHubStandIn
from orchestrator.adapters.git_cli import GitCheckout

NOBODY = 65534


@pytest.fixture(scope="module")
def github() -> Iterator[GitHubStandIn]:
    """One repository for all these tests: they only clone it."""
    with GitHubStandIn() as running:
        running.seed({"app.py": b"x = 1\n", "docs/a.md": b"a\n"})
        yield running


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where clones go: somewhere that any account may reach."""
    with tempfile.TemporaryDirectory(prefix="alm-anyone-") as name:
        Path(name).chmod(0o777)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


@pytest.fixture
def checkout(github: GitHubStandIn, folder: Path) -> Iterator[GitCheckout]:
    """A clone that belongs to an account permissions hold for: root, in a container, is above them."""
    is_root = os.geteuid() == 0
    try:
        with cloner(github).clone(None) as made:
            job_folder = made.workspace.parent
            if is_root:
                for path in (job_folder, *job_folder.rglob("*"), *files_below(job_folder)):
                    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
                os.seteuid(NOBODY)
            yield made
        assert list(folder.iterdir()) == []
    finally:
        if is_root:
            os.seteuid(0)


@pytest.mark.parametrize("mode", [0o000, 0o100, 0o400])
@pytest.mark.parametrize("path", ["", "docs", "app.py", "docs/a.md"])
def test_what_was_made_unreadable_is_unchanged(checkout: GitCheckout, path: str, mode: int) -> None:
    is_file = (checkout.workspace / path).is_file()
    (checkout.workspace / path).chmod(mode)
    # Git keeps one permission of a file: whether its owner may execute it.
    expected = {path: "100755"} if is_file and mode & 0o100 else {}
    found = kept(checkout.changeset())
    assert {name: mode for name, (mode, _) in found.items()} == expected


@pytest.mark.parametrize("hidden", ["docs", "docs/new"])
def test_what_was_written_before_it_was_made_unreadable_is_seen(checkout: GitCheckout, hidden: str) -> None:
    (checkout.workspace / "docs" / "new").write_bytes(b"1")
    os.mkfifo(checkout.workspace / "docs" / ".gitignore")
    (checkout.workspace / hidden).chmod(0)
    assert kept(checkout.changeset()) == {"docs/new": ("100644", b"1")}


def test_what_is_unreadable_at_the_end_is_gone_all_the_same(checkout: GitCheckout) -> None:
    (checkout.workspace / "docs").chmod(0)
    (checkout.workspace / ".git").chmod(0o500)
