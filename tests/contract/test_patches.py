"""What `alm show --diff` prints, as git takes it."""

import base64
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.git_workspace import cloner

from alm.patches import patch_of
from alm.standins.github import Executable, GitHubStandIn, Symlink
from orchestrator.adapters.git_cli import GitCheckout, GitRepository
from orchestrator.adapters.git_collect import DIFF_LIMIT
from orchestrator.domain.changeset import Changeset, FileChange, FileMode
from orchestrator.errors import ConfigError, NotFoundError

Change = Callable[[Path], object]
UNICODE_NAME = "grün und \u4e2d.txt"


@pytest.fixture(scope="module")
def cloned() -> Iterator[GitCheckout]:
    with GitHubStandIn() as github:
        github.seed(
            {
                "app.py": b"x = 1\n",
                "crlf.txt": b"a\r\nb\r\n",
                "data.bin": b"\0\1\2" * 100,
                "run.sh": Executable(b"#!/bin/sh\n"),
                "link": Symlink("app.py"),
                "docs/only.md": b"a\n",
                'odd"\\name': b"q\n",
                UNICODE_NAME: b"u\n",
            }
        )
        with cloner(github).clone(None) as made:
            yield made


def a_copy(cloned: GitCheckout, job: Path) -> GitCheckout:
    shutil.copytree(cloned.workspace.parent, job, symlinks=True)
    return replace(cloned, repository=GitRepository(job / "trusted.git", job / "workspace"))


def apply(patch: bytes, folder: Path) -> None:
    """As a person does in a clone."""
    subprocess.run(
        ["git", "-c", f"safe.directory={folder}", "apply", "--whitespace=nowarn"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"},
        input=patch,
        check=True,
    )


def swap(path: Path, link_to: str) -> None:
    path.unlink()
    path.symlink_to(link_to)


def plain(path: Path) -> Path:
    path.chmod(0o644)
    return path


def unlinked(path: Path) -> Path:
    path.unlink()
    return path


CHANGES: dict[str, Change] = {
    "text": lambda work: (work / "app.py").write_bytes(b"x = 2"),
    "line ends": lambda work: (work / "crlf.txt").write_bytes(b"a\nb\r\nc\r"),
    "binary": lambda work: (work / "data.bin").write_bytes(bytes(range(256)) * 9),
    "not utf-8": lambda work: (work / "new.txt").write_bytes(b"caf\xe9\n"),
    "mode": lambda work: (work / "run.sh").chmod(0o644),
    "mode and bytes": lambda work: plain(work / "run.sh").write_bytes(b"\0"),
    "empty": lambda work: (work / "empty").write_bytes(b""),
    "emptied": lambda work: (work / "data.bin").write_bytes(b""),
    "link": lambda work: (work / "to").symlink_to("docs"),
    "link elsewhere": lambda work: swap(work / "link", "crlf.txt"),
    "file to link": lambda work: swap(work / "data.bin", "app.py"),
    "link to file": lambda work: unlinked(work / "link").write_bytes(b"\0now a file"),
    "last of its folder": lambda work: (work / "docs" / "only.md").unlink(),
    "binary gone": lambda work: (work / "data.bin").unlink(),
    "odd name gone": lambda work: (work / 'odd"\\name').unlink(),
    "name in unicode": lambda work: (work / UNICODE_NAME).write_bytes(b"\0\n"),
    "large": lambda work: (work / "large").write_bytes(b"".join(b"%d\n" % n for n in range(60_000))),
}


@pytest.mark.parametrize("form", ["as stored", "in binary"])
@pytest.mark.parametrize("name", CHANGES)
def test_the_printed_patch_makes_the_change_again_to_the_last_byte(
    cloned: GitCheckout, tmp_path: Path, name: str, form: str
) -> None:
    there, here = a_copy(cloned, tmp_path / "there"), a_copy(cloned, tmp_path / "here")
    CHANGES[name](there.workspace)
    kept = there.changeset()
    assert kept.changes
    stored = kept if form == "as stored" else kept.model_copy(update={"diff": ""})
    apply(patch_of(stored), here.workspace)
    assert here.changeset() == kept


def test_a_change_that_is_plain_text_is_printed_for_people(cloned: GitCheckout, tmp_path: Path) -> None:
    there = a_copy(cloned, tmp_path / "there")
    CHANGES["text"](there.workspace)
    assert b"-x = 1\n+x = 2\n" in patch_of(there.changeset())


@pytest.mark.parametrize("diff", ["", "x" * DIFF_LIMIT, "caf\ufffd", "d\nBinary files a/x and b/x differ\n"])
def test_a_diff_that_is_not_whole_is_never_printed_as_if_it_were(diff: str) -> None:
    change = FileChange.written("a", FileMode.REGULAR, b"new\n")
    with pytest.raises(ConfigError, match="not whole"):
        patch_of(Changeset(base_sha="0" * 40, changes=(change,), diff=diff))


def test_a_job_without_changes_has_no_patch() -> None:
    for changeset in (None, Changeset(base_sha="0" * 40, diff="diff")):
        with pytest.raises(NotFoundError, match="kept no changes"):
            patch_of(changeset)


def test_the_binary_form_is_gits_own(tmp_path: Path) -> None:
    change = FileChange.written("a", FileMode.REGULAR, b"\0" * 200, "")
    lines = patch_of(Changeset(base_sha="0" * 40, changes=(change,))).splitlines()
    assert lines[0] == b"diff --git a/a b/a"
    assert lines[1] == b"new file mode 100644"
    assert len(base64.b85decode(lines[5][1:])) % 4 == 0
    folder = tmp_path / "clone"
    folder.mkdir()
    apply(b"\n".join(lines) + b"\n", folder)
    assert (folder / "a").read_bytes() == b"\0" * 200
