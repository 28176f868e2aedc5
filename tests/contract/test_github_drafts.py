"""Draft pull requests and files of the repository, against the GitHub stand-in."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.contract.github_account import CHANGE, NEXT_JOB, proposal, writer

from alm.standins.github import Executable, GitHubSettings, GitHubStandIn, Symlink
from orchestrator.adapters.github_api import connect
from orchestrator.adapters.github_files import GitHubFiles
from orchestrator.config import GitHubSettings as Settings
from orchestrator.errors import JobFailed

BIG = b"x" * 1_500_000


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn() as running:
        running.seed({"app.py": b"x = 1\n", "run.sh": Executable(b"#!/bin/sh\n"), "link": Symlink("app.py")})
        yield running


@pytest.fixture
def draftless() -> Iterator[GitHubStandIn]:
    with GitHubStandIn(GitHubSettings(has_drafts=False)) as running:
        running.seed({"app.py": b"x = 1\n"})
        yield running


def files(github: GitHubStandIn) -> GitHubFiles:
    settings = Settings.read({**github.environment(), "GITHUB_SECRET": "unused"})
    return GitHubFiles(connect(settings, github.settings.write_token))


def test_a_sensitive_change_is_proposed_as_a_draft_and_another_is_not(github: GitHubStandIn) -> None:
    writer(github).propose(proposal(github))
    writer(github).propose(replace(proposal(github), branch="fix-DEMO-2", job=NEXT_JOB, draft=True))
    assert [pull.draft for pull in github.pull_requests()] == [False, True]


def test_an_open_pull_request_becomes_a_draft_before_the_commit_is_there(github: GitHubStandIn) -> None:
    writer(github).propose(proposal(github))
    more = proposal(github, CHANGE.model_copy(update={"path": "b.py"}), job=NEXT_JOB, base="fix-DEMO-1")
    writer(github).propose(replace(more, draft=True))
    (pull,) = github.pull_requests()
    assert pull.draft
    paths = [request.path for request in github.requests if request.method in {"POST", "PATCH"}]
    assert (
        paths.index("/api/graphql") < [i for i, path in enumerate(paths) if path.endswith("/git/commits")][-1]
    )


def test_a_draft_stays_one_and_is_not_converted_again(github: GitHubStandIn) -> None:
    writer(github).propose(replace(proposal(github), draft=True))
    more = proposal(github, CHANGE.model_copy(update={"path": "b.py"}), job=NEXT_JOB, base="fix-DEMO-1")
    writer(github).propose(replace(more, draft=True))
    assert github.pull_requests()[0].draft
    assert not [request for request in github.requests if request.path == "/api/graphql"]


def test_where_a_repository_has_no_drafts_nothing_is_published_and_the_branch_is_gone(
    draftless: GitHubStandIn,
) -> None:
    with pytest.raises(JobFailed, match="no drafts in this repository"):
        writer(draftless).propose(replace(proposal(draftless), draft=True))
    assert (draftless.pull_requests(), set(draftless.branches())) == ((), {"trunk"})


def test_a_branch_that_stood_there_goes_back_to_where_it_was(draftless: GitHubStandIn) -> None:
    before = draftless.push_commit("fix-DEMO-1", {"app.py": b"x = 9\n"})
    asked = replace(proposal(draftless, base="fix-DEMO-1"), draft=True)
    with pytest.raises(JobFailed, match="no drafts in this repository"):
        writer(draftless).propose(asked)
    assert draftless.branches()["fix-DEMO-1"] == before


def test_an_open_pull_request_that_cannot_become_a_draft_gets_no_commit(draftless: GitHubStandIn) -> None:
    writer(draftless).propose(proposal(draftless))
    before = draftless.branches()
    more = proposal(draftless, CHANGE.model_copy(update={"path": "b.py"}), job=NEXT_JOB, base="fix-DEMO-1")
    with pytest.raises(JobFailed, match="could not be made a draft"):
        writer(draftless).propose(replace(more, draft=True))
    assert draftless.branches() == before


def test_a_file_is_read_at_a_commit_and_on_the_default_branch(github: GitHubStandIn) -> None:
    first = github.branch_head("trunk")
    github.push_commit("trunk", {"app.py": b"x = 2\n", "big.txt": BIG, "a folder/ä#.txt": b"y"})
    found = files(github)
    assert (found.content("app.py", first), found.content("app.py")) == (b"x = 1\n", b"x = 2\n")
    assert found.content("big.txt") == BIG
    assert found.content("a folder/ä#.txt") == b"y"


@pytest.mark.parametrize("path", ["missing.py", "a", "link", "../../user", "", "x/../app.py"])
def test_what_is_no_file_is_none(github: GitHubStandIn, path: str) -> None:
    github.push_commit("trunk", {"a/b.py": b"x"})
    assert files(github).content(path) is None


def test_the_executables_of_a_commit_are_told_from_the_others(github: GitHubStandIn) -> None:
    head = github.branch_head("trunk")
    assert head is not None
    assert files(github).executables(head) == {"run.sh"}
    assert files(github).executables("0" * 40) == frozenset()
