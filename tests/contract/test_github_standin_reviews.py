"""The GitHub stand-in's reviews over REST: what it refuses, and in which words."""

from pathlib import Path
from typing import Any

import pytest
import requests
from tests.contract.github_client import Client, git
from tests.contract.review_pull import seeded

from alm.standins.github import GitHubSettings, GitHubStandIn

BESIDE = {"path": "app.py", "line": 15, "side": "RIGHT", "body": "?"}
NEVER = "Pull request review thread line must be part of the diff"


@pytest.fixture
def client(github: GitHubStandIn) -> Client:
    seeded(github)
    return Client(github, github.settings.write_token)


def test_reviews_are_refused_in_githubs_words(github: GitHubStandIn, client: Client) -> None:
    github.push_commit("mine", {"app.py": b"x = 2\n"})
    client.create("/pulls", {"title": "Mine", "head": "mine", "base": "trunk"})
    cases: list[tuple[int, dict[str, Any], str]] = [
        (1, {"event": "COMMENT"}, "Body can't be blank"),
        (1, {"event": "REQUEST_CHANGES", "body": ""}, "Body can't be blank"),
        (1, {"event": "COMMENT", "comments": [BESIDE, {**BESIDE, "line": 1}]}, NEVER),
        (1, {"event": "COMMENT", "comments": [{**BESIDE, "side": "LEFT", "line": 25}]}, NEVER),
        (1, {"event": "COMMENT", "comments": [{**BESIDE, "path": "no.py"}]}, "Path could not be resolved"),
        (1, {"event": "COMMENT", "body": "b" * 65_537}, "Body is too long (maximum is 65536 characters)"),
        (1, {"event": "COMMENT", "body": "b", "commit_id": github.branch_head("trunk")}, "commit_id is not"),
        (2, {"event": "APPROVE"}, "Can not approve your own pull request"),
        (2, {"event": "REQUEST_CHANGES", "body": "b"}, "Can not request changes on your own pull request"),
    ]
    for number, body, words in cases:
        answer = client.send("POST", f"/pulls/{number}/reviews", body)
        assert (answer.status_code, answer.json()["message"]) == (422, "Unprocessable Entity")
        assert answer.json()["errors"][0].startswith(words)
    assert (github.reviews(1), github.review_comments(1), github.reviews(2)) == ((), (), ())


def test_a_review_may_stand_at_a_deleted_line(client: Client) -> None:
    body = {"event": "APPROVE", "comments": [{**BESIDE, "side": "LEFT"}]}
    assert client.send("POST", "/pulls/1/reviews", body).json()["state"] == "APPROVED"
    (written,) = client.send("GET", "/pulls/1/comments").json()
    assert (written["line"], written["side"]) == (15, "LEFT")
    assert written["diff_hunk"].endswith("-line 15")
    assert client.send("GET", "/pulls/1").json()["review_comments"] == 1


@pytest.mark.parametrize(("token", "status"), [("ghs_1", 403), ("github_pat_1", 200)])
def test_only_a_persons_token_may_ask_who_it_is(token: str, status: int) -> None:
    with GitHubStandIn(GitHubSettings(write_token=token)) as github:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{github.api}/user", headers=headers, timeout=10)
        assert answer.status_code == status
        assert answer.json().get("login", "alm-bot") == "alm-bot"
        assert requests.get(f"{github.api}/user", timeout=10).status_code == 401


def test_git_shows_a_forks_pull_request_but_not_the_fork(
    github: GitHubStandIn, client: Client, tmp_path: Path
) -> None:
    sha = github.push_fork_commit("stranger/shop", "work", {"app.py": b"x = 2\n"})
    github.open_pull_request("work", "From afar", fork="stranger/shop")
    shown = git(tmp_path, github.settings.read_token, "ls-remote", github.clone_url).stdout
    assert f"{sha}\trefs/pull/2/head" in shown
    assert "refs/forks" not in shown
    head = client.send("GET", "/pulls/2").json()["head"]
    assert (head["label"], head["repo"]["full_name"]) == ("stranger:work", "stranger/shop")
    found = client.send("GET", "/pulls", head="stranger:work").json()
    assert [pull["number"] for pull in found] == [2]
