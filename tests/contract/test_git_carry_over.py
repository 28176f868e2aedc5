"""An unfinished run's changes put into a fresh clone: all of them or none."""

import os
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.contract.git_drafts import LINK, RUNS, a_copy, draft, in_wait, refused, seen, written
from tests.contract.git_workspace import DELETED, cloner, kept, push_raw

from alm.standins.github import GitHubStandIn
from orchestrator.adapters.git_cli import GitCheckout, GitRepository
from orchestrator.adapters.wall import own_user
from orchestrator.domain.changeset import Changeset, FileChange
from orchestrator.errors import JobFailed, TransientError

BINARY = bytes(range(256)) * 8


@pytest.fixture(scope="module")
def github() -> Iterator[GitHubStandIn]:
    with in_wait() as running:
        yield running


def test_everything_a_change_can_be_is_carried_over_and_is_a_change_again(
    fresh: GitCheckout, tmp_path: Path, cloned: GitCheckout
) -> None:
    work = fresh.workspace
    (work / "app.py").write_bytes(b"x = 2\n")
    (work / "crlf.txt").write_bytes(b"a\r\nb\nc\r\n")
    (work / "run.sh").chmod(0o644)
    (work / "deep" / "er").mkdir(parents=True)
    (work / "deep" / "er" / "new.bin").write_bytes(BINARY)
    (work / "empty").write_bytes(b"")
    (work / "tool").write_bytes(b"#!/bin/sh\n")
    (work / "tool").chmod(0o755)
    (work / "to").symlink_to("deep/er")
    (work / "docs" / "only.md").unlink()
    (work / "with space \u00e9").write_bytes(b"\xff not text\n")
    unfinished = fresh.changeset()
    again = a_copy(cloned, tmp_path / "again")
    assert again.carry_over(Changeset.model_validate_json(unfinished.model_dump_json()))
    assert again.changeset() == unfinished
    assert len(unfinished.changes) == 9
    assert seen(again.workspace / "deep") == seen(work / "deep")
    assert (again.workspace / "tool").stat().st_mode & 0o111
    assert not (again.workspace / "docs").exists()


def test_what_the_agent_does_on_top_is_one_change_with_the_draft(fresh: GitCheckout) -> None:
    assert fresh.carry_over(draft(fresh, written("app.py", b"x = 2\n"), written("new.py")))
    (fresh.workspace / "app.py").write_bytes(b"x = 3\n")
    (fresh.workspace / "new.py").unlink()
    (fresh.workspace / "more.py").write_bytes(b"y\n")
    assert kept(fresh.changeset()) == {"app.py": ("100644", b"x = 3\n"), "more.py": ("100644", b"y\n")}


def test_the_agents_own_git_shows_the_draft_as_uncommitted_changes(fresh: GitCheckout) -> None:
    assert fresh.carry_over(draft(fresh, written("app.py", b"x = 2\n"), written("new.py")))
    status = subprocess.run(
        ["git", "-c", f"safe.directory={fresh.workspace}", "status", "--porcelain"],
        cwd=fresh.workspace,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        capture_output=True,
        check=True,
    )
    assert {b" M app.py", b"?? new.py"} <= set(status.stdout.splitlines())


def test_a_file_takes_the_place_of_a_folder_and_a_folder_of_a_file_or_link(fresh: GitCheckout) -> None:
    changes = (
        FileChange.deleted("tree/one"),
        FileChange.deleted("tree/two"),
        written("tree"),
        FileChange.deleted("app.py"),
        written("app.py/inner"),
        FileChange.deleted("out"),
        written("out/inner"),
    )
    assert fresh.carry_over(draft(fresh, *changes))
    assert (fresh.workspace / "tree").read_bytes() == b"new\n"
    assert (fresh.workspace / "app.py" / "inner").read_bytes() == b"new\n"
    assert not (fresh.workspace / "out").is_symlink()
    assert {change.path: change.mode for change in fresh.changeset().changes} == {
        change.path: change.mode for change in changes
    }


def test_on_another_commit_a_draft_fits_if_what_it_changes_stands_there_as_before(
    github: GitHubStandIn, fresh: GitCheckout
) -> None:
    (fresh.workspace / "app.py").write_bytes(b"x = 2\n")
    (fresh.workspace / "new.py").write_bytes(b"new\n")
    (fresh.workspace / "tree" / "one").unlink()
    unfinished = fresh.changeset()
    theirs = push_branch(github, "moved-elsewhere", {b"docs/only.md": b"theirs\n"})
    with cloner(github).clone(theirs) as later:
        assert later.base_sha != unfinished.base_sha
        assert later.carry_over(unfinished)
        assert kept(later.changeset()) == kept(unfinished)
        assert kept(unfinished)["tree/one"] == DELETED
        assert (later.workspace / "docs" / "only.md").read_bytes() == b"theirs\n"


@pytest.mark.parametrize(
    "theirs",
    [
        {b"app.py": b"x = 9\n"},
        {b"new.py": b"theirs\n"},
        {b"tree/one": None},
        {b"tree/one": b"9\n"},
        {b"new.py/inner": b"theirs\n"},
        {b"NEW.py": b"theirs\n"},
    ],
    ids=str,
)
def test_on_another_commit_a_draft_that_others_got_in_the_way_of_is_left_out_as_a_whole(
    github: GitHubStandIn, fresh: GitCheckout, tmp_path: Path, theirs: dict[bytes, bytes | None]
) -> None:
    (fresh.workspace / "app.py").write_bytes(b"x = 2\n")
    (fresh.workspace / "new.py").write_bytes(b"new\n")
    (fresh.workspace / "tree" / "one").unlink()
    unfinished = fresh.changeset()
    name = push_branch(github, "way-" + "-".join(map(repr, theirs)).encode().hex(), theirs)
    with cloner(github).clone(name) as later:
        assert refused(a_copy(later, tmp_path / "later" / "job"), unfinished)


def test_a_draft_that_does_not_say_what_stood_there_fits_its_own_commit_only(
    github: GitHubStandIn, fresh: GitCheckout, tmp_path: Path
) -> None:
    old = draft(fresh, written("brand-new"))
    name = push_branch(github, "unsaid", {b"docs/only.md": b"theirs\n"})
    with cloner(github).clone(name) as later:
        assert refused(a_copy(later, tmp_path / "later" / "job"), old)
    assert fresh.carry_over(old)


def push_branch(github: GitHubStandIn, name: str, files: dict[bytes, bytes | None]) -> str:
    """A branch of that name on which others have changed these files; None takes one away."""
    repository = github.repository
    repository.git("update-ref", f"refs/heads/{name}", "trunk")
    entries = {
        path: ("0", "0" * 40)
        if content is None
        else ("100644", repository.git("hash-object", "-w", "--stdin", stdin=content).decode().strip())
        for path, content in files.items()
    }
    push_raw(github, entries, name)
    return name


@dataclass(frozen=True)
class HalfWay(GitRepository):
    """Git that writes the files it is asked to check out, and is ended before it has written its index."""

    fails: int = 1

    def run(self, *arguments: str, stdin: bytes = b"", may_find_nothing: bool = False) -> bytes:
        index = (self.git_dir / "index").read_bytes()
        answer = super().run(*arguments, stdin=stdin, may_find_nothing=may_find_nothing)
        if "--reset" in arguments:
            done = len(list(self.git_dir.glob("done-*")))
            (self.git_dir / f"done-{done}").touch()
            if done < self.fails:
                (self.git_dir / "index.lock").touch()
                (self.git_dir / "index").write_bytes(index)
                raise JobFailed
        return answer


def half_way(checkout: GitCheckout, fails: int) -> GitCheckout:
    of = checkout.repository
    return replace(checkout, repository=HalfWay(of.git_dir, of.workspace, fails=fails))


def test_what_was_written_half_way_is_taken_back(fresh: GitCheckout) -> None:
    changes = (written("app.py"), written("deep/new"), written("a.log"), FileChange.deleted("docs/only.md"))
    assert refused(half_way(fresh, 1), draft(fresh, *changes))
    assert fresh.changeset().is_empty


def test_a_workspace_that_cannot_be_mended_is_made_anew_by_another_attempt(fresh: GitCheckout) -> None:
    with pytest.raises(TransientError, match="could not be prepared"):
        half_way(fresh, 2).carry_over(draft(fresh, written("app.py")))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_is_carried_over_is_handed_over_with_the_rest(fresh: GitCheckout) -> None:
    assert fresh.carry_over(
        draft(fresh, written("deep/new"), written("tool", b"x", RUNS), written("to", b"docs", LINK))
    )
    own_user._give(fresh.workspace, own_user.UIDS[0], writable=True)  # noqa: SLF001  # the walk itself
    work = fresh.workspace
    for name, mode in (("deep", 0o750), ("deep/new", 0o640), ("tool", 0o750)):
        assert (work / name).stat().st_uid == own_user.UIDS[0]
        assert stat.S_IMODE((work / name).stat().st_mode) == mode
    assert (work / "to").lstat().st_uid == own_user.UIDS[0]
    assert (work / "docs").stat().st_uid == own_user.UIDS[0]
