"""GitCloner on pull requests: head and merge base are there whatever happened since, and nothing else is."""

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.errors import fails
from tests.contract.git_workspace import cloner, files_below, kept
from tests.contract.github_account import reader

from alm.standins.github import GitHubStandIn
from alm.standins.http import Fault
from orchestrator.domain.pull_request import DIFF_COMMAND, MERGE_BASE_REF, PullState, ReviewSubject
from orchestrator.errors import JobFailed, TransientError


@pytest.fixture(autouse=True)
def temporary(github: GitHubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Clones go here, and nothing may be left of them."""
    github.seed({"app.py": b"x = 1\n", "old.py": b"gone\n"})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def opened(github: GitHubStandIn, branch: str = "work", fork: str = "") -> ReviewSubject:
    """A pull request made by pushing a change."""
    files = {"app.py": b"x = 2\n"}
    if fork:
        github.push_fork_commit(fork, branch, files)
    else:
        github.push_commit(branch, files)
    return subject(github, github.open_pull_request(branch, "Work", fork=fork).number)


def subject(github: GitHubStandIn, number: int) -> ReviewSubject:
    found = reader(github).review_subject(number)
    assert found is not None
    return found


def made_up(head_sha: str, merge_base_sha: str) -> ReviewSubject:
    return ReviewSubject(
        number=1,
        url="https://github.example/acme/shop/pull/1",
        title="Made up",
        body="",
        state=PullState.OPEN,
        head_sha=head_sha,
        merge_base_sha=merge_base_sha,
        changed_files=1,
    )


def asked(workspace: Path, command: str) -> str:
    """What the agent's own git says, with no setting of ours."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C"}
    done = subprocess.run(
        command.split(), cwd=workspace, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_agent_sees_the_diff_of_the_pull_request(github: GitHubStandIn) -> None:
    pull, ends = opened(github), f"git rev-parse HEAD {MERGE_BASE_REF}"
    with cloner(github).clone_review(pull) as checkout:
        assert asked(checkout.workspace, DIFF_COMMAND) == (diff := github.diff(1))
        assert "-x = 1\n+x = 2\n" in diff
        assert asked(checkout.workspace, "git status --porcelain") == ""
        assert asked(checkout.workspace, ends).split() == [pull.head_sha, pull.merge_base_sha]
        assert checkout.repository.text("rev-parse", MERGE_BASE_REF) == pull.merge_base_sha
        assert checkout.base_sha == checkout.repository.text("rev-parse", "HEAD") == pull.head_sha


def test_a_base_that_went_on_does_not_show_in_the_diff(github: GitHubStandIn) -> None:
    opened(github)
    github.push_commit("trunk", {"later.py": b"1\n", "old.py": b"else\n"})
    with cloner(github).clone_review(subject(github, 1)) as checkout:
        assert asked(checkout.workspace, f"{DIFF_COMMAND} --name-only").split() == ["app.py"]


def test_a_forks_pull_request_is_checked_out_and_its_branch_is_not_ours(github: GitHubStandIn) -> None:
    pull = opened(github, fork="stranger/shop")
    assert "work" not in github.branches()
    with cloner(github).clone_review(pull) as checkout:
        assert asked(checkout.workspace, DIFF_COMMAND) == github.diff(pull.number)


def test_a_head_that_moved_meanwhile_is_checked_out_as_it_was(github: GitHubStandIn) -> None:
    pull = opened(github, fork="stranger/shop")
    github.push_fork_commit("stranger/shop", "work", {"app.py": b"x = 3\n"})
    assert github.pull_request(1).head_sha != pull.head_sha
    with cloner(github).clone_review(pull) as checkout:
        assert (checkout.workspace / "app.py").read_bytes() == b"x = 2\n"


def test_a_branch_that_was_deleted_is_still_reviewed(github: GitHubStandIn) -> None:
    pull = opened(github)
    github.repository.git("update-ref", "-d", "refs/heads/work")
    with cloner(github).clone_review(pull) as checkout:
        assert (checkout.workspace / "app.py").read_bytes() == b"x = 2\n"


def test_a_merged_pull_request_has_its_diff(github: GitHubStandIn) -> None:
    opened(github)
    github.merge(1)
    with cloner(github).clone_review(subject(github, 1)) as checkout:
        assert asked(checkout.workspace, f"{DIFF_COMMAND} --name-only").split() == ["app.py"]


def test_a_head_that_deletes_everything_is_an_empty_workspace(github: GitHubStandIn) -> None:
    github.push_commit("empty", {"app.py": None, "old.py": None})
    number = github.open_pull_request("empty", "Delete all").number
    with cloner(github).clone_review(subject(github, number)) as checkout:
        assert [path.name for path in checkout.workspace.iterdir()] == [".git"]
        assert asked(checkout.workspace, f"{DIFF_COMMAND} --name-only").split() == ["app.py", "old.py"]


def test_a_head_without_changes_has_no_diff(github: GitHubStandIn) -> None:
    head = github.branch_head("trunk") or ""
    with cloner(github).clone_review(made_up(head, head)) as checkout:
        assert asked(checkout.workspace, DIFF_COMMAND) == ""


def test_two_commits_are_all_that_is_fetched(github: GitHubStandIn) -> None:
    for number in range(2):
        github.push_commit("trunk", {"app.py": b"y = %d\n" % number})
        github.push_commit("work", {"old.py": b"z = %d\n" % number})
    github.open_pull_request("work", "Work")
    with cloner(github).clone_review(subject(github, 1)) as checkout:
        assert checkout.repository.text("rev-list", "--count", "--all", "HEAD") == "2"
        checkout.repository.run("fsck", "--connectivity-only")


def test_what_the_agent_changes_is_seen_against_the_head(github: GitHubStandIn) -> None:
    with cloner(github).clone_review(opened(github)) as checkout:
        assert kept(checkout.changeset()) == {}
        (checkout.workspace / "app.py").write_bytes(b"x = 3\n")
        (checkout.workspace / ".git" / "HEAD").write_text("nonsense\n")
        assert kept(checkout.changeset()) == {"app.py": ("100644", b"x = 3\n")}


def test_neither_token_nor_address_is_in_what_is_fetched(github: GitHubStandIn) -> None:
    pull, token = opened(github), github.settings.read_token.encode()
    with cloner(github).clone_review(pull) as checkout:
        found = list(files_below(checkout.workspace.parent))
        assert (checkout.workspace / ".git" / "config") in found
        contents = [path.read_bytes() for path in found if not path.is_symlink()]
        assert not [one for one in contents if token in one or github.url.encode() in one]
    assert not [request.target for request in github.requests if token.decode() in request.target]


def test_hooks_and_filters_of_the_head_run_nothing(github: GitHubStandIn, temporary: Path) -> None:
    mark = temporary.parent / "ran"
    config = f'[filter "evil"]\n\tsmudge = touch {mark}\n'.encode()
    github.push_commit("work", {".gitattributes": b"* filter=evil\n", ".gitconfig": config, "a": b"a\n"})
    number = github.open_pull_request("work", "Work").number
    with cloner(github).clone_review(subject(github, number)) as checkout:
        assert (checkout.workspace / "a").read_bytes() == b"a\n"
    assert not mark.exists()


@pytest.mark.parametrize("missing", ["head", "base"])
def test_a_commit_that_is_gone_is_asked_for_anew_by_the_next_delivery(
    github: GitHubStandIn, missing: str
) -> None:
    here, gone = github.branch_head("trunk") or "", "1" * 40
    pull = made_up(gone, here) if missing == "head" else made_up(here, gone)
    error = fails(TransientError, lambda: enter(github, pull))
    assert str(error) == "acme/shop no longer has the commits of the pull request as it was."


def test_an_empty_repository_has_no_such_commits() -> None:
    with GitHubStandIn() as github:
        fails(TransientError, lambda: enter(github, made_up("1" * 40, "2" * 40)))


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_told_to_the_ticket_and_shows_no_token(github: GitHubStandIn, status: int) -> None:
    pull, token = opened(github), "ghs_wrong" if status == 401 else github.settings.read_token
    if status != 401:
        github.faults.add(Fault("GET", "/info/refs", status, times=9))
    error = fails(JobFailed, lambda: enter(github, pull, token), [token])
    assert "token" in str(error)


@pytest.mark.parametrize("fault", [Fault("GET", "/info/refs", 503), Fault("POST", "upload-pack$", cut=True)])
def test_a_server_that_fails_is_tried_again_later(github: GitHubStandIn, fault: Fault) -> None:
    pull = opened(github)
    github.faults.add(replace(fault, times=9))
    fails(TransientError, lambda: enter(github, pull), [github.settings.read_token])


def enter(github: GitHubStandIn, pull: ReviewSubject, token: str = "") -> None:
    with cloner(github, token).clone_review(pull):
        raise AssertionError
