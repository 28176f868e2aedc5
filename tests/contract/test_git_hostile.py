"""What an agent under an attacker's control leaves in its workspace, and what of it gets into a changeset."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.contract.errors import fails
from tests.contract.git_workspace import MINE, blocked, cloner, files_below, kept, push_raw, with_a_change

from alm.standins.github import GitHubStandIn, Symlink
from orchestrator.adapters import git_cli
from orchestrator.adapters.git_cli import GitCheckout
from orchestrator.domain.changeset import Fault, Ground
from orchestrator.errors import JobFailed

AGENT = 61_000


@pytest.fixture(scope="module")
def cloned() -> Iterator[GitCheckout]:
    """One clone for all these tests, which work on copies."""
    with GitHubStandIn() as github:
        github.seed(
            {
                ".gitignore": b"build/\n",
                "app.py": b"x = 1\n",
                "docs/README.md": b"a\n",
                "docs/old": b"1" * 100,
                "out": Symlink("/etc"),
                "Twin.md": b"1",
                "twin.md": b"2",
            }
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


def named(work: Path, name: bytes) -> Path:
    return Path(os.fsdecode(bytes(work) + b"/" + name))


@pytest.mark.parametrize(
    ("name", "ground", "shown"),
    [
        (b"lat\xefn", "unreadable", "lat\\xefn"),
        (b"new\nline", "unreadable", "new\nline"),
        (b"\x1b[2J", "unreadable", "\x1b[2J"),
        ("\u202egpj.exe".encode(), "unreadable", "\u202egpj.exe"),
        ("a\u200bb".encode(), "unreadable", "a\u200bb"),
        (".g\u200cit".encode(), "git", ".g\u200cit"),
        (b"git~1", "git", "git~1"),
        (b"CON", "unportable", "CON"),
        (b"nul.txt", "unportable", "nul.txt"),
        (b"a:b", "unportable", "a:b"),
        (b"a\\b", "unportable", "a\\b"),
        (b"dot.", "unportable", "dot."),
        (b"space ", "unportable", "space "),
    ],
)
def test_an_odd_name_is_blocked_and_the_rest_is_kept(
    checkout: GitCheckout, work: Path, name: bytes, ground: str, shown: str
) -> None:
    named(work, name).write_text("1")
    changeset = checkout.changeset()
    assert changeset.blocked == (Fault(ground=Ground(ground), path=shown),)
    assert kept(changeset) == MINE


def test_deleting_a_file_whose_name_cannot_be_read_is_blocked(github: GitHubStandIn) -> None:
    github.seed({"app.py": b"x = 1\n"})
    blob = github.repository.git("rev-parse", "trunk:app.py").decode().strip()
    push_raw(github, {b"lat\xefn": ("100644", blob), b"a\nb": ("100644", blob)})
    with cloner(github).clone(None) as checkout:
        assert checkout.changeset().is_empty
        named(checkout.workspace, b"lat\xefn").unlink()
        named(checkout.workspace, b"a\nb").unlink()
        assert sorted(blocked(checkout)) == [("unreadable", "a\nb"), ("unreadable", "lat\\xefn")]


@pytest.mark.parametrize("name", [".GIT", "git~1", ".git.", ".gIt "])
def test_a_git_directory_in_disguise_is_blocked(checkout: GitCheckout, work: Path, name: str) -> None:
    (work / "docs" / name).mkdir()
    (work / "docs" / name / "config").write_text("[core]\n")
    assert blocked(checkout) == [("git", f"docs/{name}/config")]


@pytest.mark.parametrize(
    "name", ["APP.PY", "Docs/new", "docs/readme.md", "docs/old\u0301", "ﬆ", "docs/OLD/x"]
)
def test_a_path_that_is_another_elsewhere_is_blocked(checkout: GitCheckout, work: Path, name: str) -> None:
    (work / "docs" / "ol\u006f\u0301d").write_text("2")
    (work / "docs" / "ol\u00f3d").write_text("2")
    (work / "st").write_text("2")
    (work / "docs" / "OLD\u0301").write_text("1")
    (work / name).parent.mkdir(exist_ok=True, parents=True)
    (work / name).write_text("1")
    assert ("twin", name) in blocked(checkout)


def test_a_path_may_be_written_in_another_case_and_old_twins_be_changed(
    checkout: GitCheckout, work: Path
) -> None:
    (work / "docs" / "README.md").rename(work / "docs" / "readme.md")
    (work / "twin.md").write_text("3")
    changeset = checkout.changeset()
    assert changeset.blocked == ()
    assert kept(changeset).keys() == {"app.py", "docs/README.md", "docs/readme.md", "twin.md"}


@pytest.mark.parametrize("target", ["out/passwd", "docs/../out/passwd", "./out"])
def test_a_link_through_a_link_that_leaves_is_blocked(checkout: GitCheckout, work: Path, target: str) -> None:
    (work / "way").symlink_to(target)
    assert blocked(checkout) == [("link", "way")]


def test_a_hard_link_to_a_file_outside_is_not_opened(
    checkout: GitCheckout, work: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o200)
    (work / "new").hardlink_to(secret)
    (work / "docs" / "old").unlink()
    (work / "docs" / "old").hardlink_to(secret)
    changeset = checkout.changeset()
    assert {(fault.ground, fault.path) for fault in changeset.blocked} == {
        (Ground.HARD_LINK, "docs/old"),
        (Ground.HARD_LINK, "new"),
    }
    assert kept(changeset) == MINE
    assert stat.S_IMODE(secret.stat().st_mode) == 0o200


def test_hard_links_inside_the_workspace_are_files(checkout: GitCheckout, work: Path) -> None:
    (work / "new").hardlink_to(work / "app.py")
    assert kept(checkout.changeset()) == {**MINE, "new": MINE["app.py"]}


def test_the_agents_git_directory_shares_no_file_with_the_trusted_one(cloned: GitCheckout) -> None:
    trusted = {path.lstat().st_ino for path in files_below(cloned.repository.git_dir)}
    assert trusted
    assert not trusted & {path.lstat().st_ino for path in files_below(cloned.workspace)}


@pytest.mark.parametrize(
    "attributes",
    ["* text=auto", "* text eol=crlf", "* ident", "* working-tree-encoding=UTF-16", "* -diff", "* binary"],
)
@pytest.mark.parametrize("place", [".gitattributes", "docs/.gitattributes", ".git/info/attributes"])
def test_what_is_published_is_what_lies_there_byte_by_byte(
    checkout: GitCheckout, work: Path, attributes: str, place: str
) -> None:
    content = b"$Id: x $\r\none\r\ntwo\n"
    (work / place).write_text(attributes)
    (work / "docs" / "new").write_bytes(content)
    changeset = checkout.changeset()
    assert kept(changeset)["docs/new"] == ("100644", content)
    assert kept(changeset)["app.py"] == MINE["app.py"]
    assert "+two\n" in changeset.diff


def git(work: Path, *arguments: str) -> None:
    environment = {"PATH": os.defpath, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *arguments], cwd=work, env=environment, check=True, timeout=20)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda work: git(work, "update-index", "--assume-unchanged", "app.py"),
        lambda work: git(work, "update-index", "--skip-worktree", "app.py"),
        lambda work: git(work, "rm", "-q", "--cached", "app.py"),
        lambda work: git(work, "config", "core.ignoreCase", "true"),
        lambda work: git(work, "config", "core.fileMode", "false"),
        lambda work: git(work, "replace", "HEAD:app.py", "HEAD:docs/old"),
        lambda work: (work / ".git" / "info" / "grafts").write_text("0" * 40),
        lambda work: (work / ".git" / "shallow").write_text("0" * 40),
        lambda work: (work / ".git" / "objects" / "info" / "alternates").write_text("/etc\n"),
        lambda work: (work / ".git" / "info" / "exclude").write_text("*\n"),
        lambda work: (work / ".git").rename(work / "build"),
        lambda work: (shutil.rmtree(work / ".git"), (work / ".git").symlink_to("docs")),
    ],
)
def test_no_trick_with_its_own_git_directory_hides_a_change(
    checkout: GitCheckout, work: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(work)
    assert kept(checkout.changeset()) == MINE


def test_what_git_cannot_read_in_time_is_blocked(
    checkout: GitCheckout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_cli, "COLLECT_TIMEOUT_S", 0)
    assert blocked(checkout) == [("too_slow", "")]


def test_what_cannot_be_looked_at_ends_the_job_and_no_more(
    checkout: GitCheckout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "scandir", refuse)
    fails(JobFailed, checkout.changeset)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another account")
def test_a_workspace_of_another_account_is_read_all_the_same(checkout: GitCheckout, work: Path) -> None:
    (work / "new").write_bytes(b"1")
    (work / "new").chmod(0)
    for path in (work, *work.rglob("*"), *files_below(work)):
        os.chown(path, AGENT, AGENT, follow_symlinks=False)
    changeset = checkout.changeset()
    assert kept(changeset) == {**MINE, "new": ("100644", b"1")}
    assert changeset.blocked == ()
