"""The GitHub stand-in as git sees it: clone and fetch with a token, never push."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tests.contract.github_client import git

from alm.standins.github import Executable, GitHubStandIn, Symlink


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn() as running:
        running.seed({"app.py": b"x = 1\n", "run.sh": Executable(b"#!/bin/sh\n"), "link": Symlink("app.py")})
        yield running


def test_git_clones_with_the_read_token_and_stores_it_nowhere(github: GitHubStandIn, tmp_path: Path) -> None:
    token = github.settings.read_token
    done = git(tmp_path, token, "clone", "--depth=1", github.clone_url, "work")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "work/app.py").read_bytes() == b"x = 1\n"
    assert (tmp_path / "work/run.sh").stat().st_mode & 0o111
    assert (tmp_path / "work/link").readlink() == Path("app.py")
    assert token not in (tmp_path / "work/.git/config").read_text()


@pytest.mark.parametrize("token", ["", "wrong"])
def test_git_without_a_known_token_gets_nothing(github: GitHubStandIn, tmp_path: Path, token: str) -> None:
    assert git(tmp_path, token, "clone", github.clone_url, "work").returncode != 0
    assert not (tmp_path / "work").exists()
    assert {request.status for request in github.requests} == {401}


def test_a_push_is_refused_whatever_the_token(github: GitHubStandIn, tmp_path: Path) -> None:
    token = github.settings.write_token
    assert git(tmp_path, token, "clone", github.clone_url, "work").returncode == 0
    pushed = git(tmp_path / "work", token, "push", "origin", "HEAD:refs/heads/mine")
    assert (pushed.returncode != 0, "403" in pushed.stderr) == (True, True)
    assert set(github.branches()) == {"trunk"}


def test_git_takes_zipped_chunked_requests_of_protocol_2(github: GitHubStandIn) -> None:
    listing = gzip.compress(b"0014command=ls-refs\n0000")
    headers = {
        "Content-Type": "application/x-git-upload-pack-request",
        "Content-Encoding": "gzip",
        "Git-Protocol": "version=2",
    }
    answer = requests.post(
        f"{github.clone_url}/git-upload-pack",
        data=iter([listing[:9], listing[9:]]),
        headers=headers,
        auth=("x-access-token", github.settings.read_token),
        timeout=10,
    )
    assert (answer.status_code, b"refs/heads/trunk" in answer.content) == (200, True)


def test_the_head_of_a_pull_request_can_be_fetched(github: GitHubStandIn, tmp_path: Path) -> None:
    head = github.push_commit("fix-1", {"app.py": b"x = 2\n"})
    github.open_pull_request("fix-1", "Fix")
    token = github.settings.read_token
    git(tmp_path, token, "clone", github.clone_url, "work")
    assert git(tmp_path / "work", token, "fetch", "origin", "refs/pull/1/head").returncode == 0
    assert git(tmp_path / "work", token, "rev-parse", "FETCH_HEAD").stdout.strip() == head
