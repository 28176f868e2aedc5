"""The GitHub stand-in over REST, held against GitHub's own contract after every test."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from github import InputGitTreeElement
from tests.contract.github_client import Client, pygithub
from tests.contract.openapi import contract, known_contract

from alm.standins.github import Content, Executable, GitHubSettings, GitHubStandIn, Rejected, Symlink
from alm.standins.http import Fault

SPEC = ("github.json", "/api/v3")
NO_PULL = {"title": "Fix", "head": "none", "base": "trunk"}
FILES: dict[str, Content] = {
    "app.py": b"x = 1\n",
    "run.sh": Executable(b"#!/bin/sh\n"),
    "link": Symlink("app.py"),
}


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn() as running:
        running.seed(FILES)
        yield running
        spec = known_contract(*SPEC)
        if spec:
            spec.check_all(running.requests)


@pytest.fixture
def client(github: GitHubStandIn) -> Client:
    return Client(github, github.settings.write_token)


@pytest.fixture
def reader(github: GitHubStandIn) -> Client:
    return Client(github, github.settings.read_token)


@pytest.mark.parametrize(
    ("token", "method", "status", "message"),
    [
        ("", "GET", 401, "Requires authentication"),
        ("wrong", "GET", 401, "Bad credentials"),
        ("read", "GET", 200, None),
        ("read", "POST", 403, "Resource not accessible by integration"),
        ("write", "POST", 422, "Validation Failed"),
    ],
)
def test_a_token_opens_what_it_may(
    github: GitHubStandIn, token: str, method: str, status: int, message: str | None
) -> None:
    known = {"read": github.settings.read_token, "write": github.settings.write_token}
    answer = Client(github, known.get(token, token)).send(
        method, "/pulls", NO_PULL if method == "POST" else None
    )
    said = answer.json()
    assert (answer.status_code, said["message"] if isinstance(said, dict) else None) == (status, message)


def test_another_repository_is_not_found(github: GitHubStandIn) -> None:
    headers = {"Authorization": f"token {github.settings.write_token}"}
    assert requests.get(f"{github.api}/repos/acme/other", headers=headers, timeout=10).status_code == 404


def test_the_default_branch_is_what_the_settings_say() -> None:
    with GitHubStandIn(GitHubSettings(owner="o", name="r", default_branch="dev/next")) as github:
        sha = github.seed({"a": b"1"})
        repository = pygithub(github)
        assert repository.default_branch == "dev/next"
        assert repository.get_branch("dev/next").commit.sha == sha
        assert github.environment()["GITHUB_REPO"] == "o/r"


def test_pygithub_writes_a_branch_in_three_calls_and_opens_a_pull_request(github: GitHubStandIn) -> None:
    repository = pygithub(github)
    base = repository.get_git_ref("heads/trunk").object.sha
    changes = [
        InputGitTreeElement("app.py", "100644", "blob", content="x = 2\n"),
        InputGitTreeElement("bin/é", "100755", "blob", content="#!/bin/sh\n"),
        InputGitTreeElement("new", "120000", "blob", content="run.sh"),
        InputGitTreeElement("link", "120000", "blob", sha=None),
    ]
    parent = repository.get_git_commit(base)
    tree = repository.create_git_tree(changes, parent.tree)
    commit = repository.create_git_commit("Fix it\n\nJob: j1", tree, [parent])
    repository.create_git_ref("refs/heads/fix-DEMO-1", commit.sha)
    pull = repository.create_pull(base="trunk", head="fix-DEMO-1", title="Fix", body="Why", draft=True)
    assert github.file("fix-DEMO-1", "app.py") == b"x = 2\n"
    assert github.file("fix-DEMO-1", "bin/é") == Executable(b"#!/bin/sh\n")
    assert github.file("fix-DEMO-1", "new") == Symlink("run.sh")
    assert github.file("fix-DEMO-1", "link") is None
    assert github.commit_message("fix-DEMO-1") == "Fix it\n\nJob: j1"
    assert {file.filename: file.status for file in pull.get_files()} == {
        "app.py": "modified",
        "bin/é": "added",
        "link": "removed",
        "new": "added",
    }
    assert "+x = 2" in github.diff(pull.number)
    assert repository.compare("trunk", "fix-DEMO-1").ahead_by == 1


@pytest.mark.parametrize(
    "entry",
    [
        {"path": "a", "mode": "040000", "type": "tree", "sha": "0" * 40},
        {"path": "a", "mode": "100644", "type": "blob"},
        {"path": "a", "mode": "100644", "type": "blob", "sha": "1" * 40},
        {"path": "a", "mode": "100644", "type": "blob", "sha": "1" * 40, "content": "x"},
        {"path": "missing", "mode": "100644", "type": "blob", "sha": None},
        {"path": "../out", "mode": "100644", "type": "blob", "content": "x"},
        {"path": ".git/config", "mode": "100644", "type": "blob", "content": "x"},
        {"path": "", "mode": "100644", "type": "blob", "content": "x"},
    ],
)
def test_a_bad_tree_entry_is_refused(github: GitHubStandIn, client: Client, entry: Any) -> None:
    base = github.repository.show("trunk").tree
    assert client.send("POST", "/git/trees", {"base_tree": base, "tree": [entry]}).status_code == 422


def test_trees_and_blobs_read_back(client: Client, reader: Client) -> None:
    content = bytes(range(256))
    encoded = base64.b64encode(content).decode()
    blob = client.create("/git/blobs", {"content": encoded, "encoding": "base64"})["sha"]
    assert base64.b64decode(reader.send("GET", f"/git/blobs/{blob}").json()["content"]) == content
    entry = {"path": "d/data", "mode": "100644", "type": "blob", "sha": blob}
    tree = client.create("/git/trees", {"tree": [entry]})["sha"]
    paths = [one["path"] for one in reader.send("GET", f"/git/trees/{tree}", recursive=1).json()["tree"]]
    assert paths == ["d", "d/data"]
    assert reader.send("GET", f"/git/blobs/{'1' * 40}").status_code == 404


def test_a_ref_is_created_once_and_moves_forward_unless_forced(github: GitHubStandIn, client: Client) -> None:
    first, second = github.branch_head("trunk"), github.push_commit("trunk", {"b": b"2"})
    new = {"ref": "refs/heads/fix/1", "sha": second}
    client.create("/git/refs", new)
    again = client.send("POST", "/git/refs", new)
    assert (again.status_code, again.json()["message"]) == (422, "Reference already exists")
    back = client.send("PATCH", "/git/refs/heads/fix/1", {"sha": first})
    assert (back.status_code, back.json()["message"]) == (422, "Update is not a fast forward")
    assert client.send("PATCH", "/git/refs/heads/fix/1", {"sha": first, "force": True}).status_code == 200
    assert github.branch_head("fix/1") == first
    assert client.send("PATCH", "/git/refs/heads/none", {"sha": first}).status_code == 422
    assert client.send("POST", "/git/refs", {"ref": "refs/heads/x", "sha": "1" * 40}).status_code == 422


def test_refs_are_found_exactly_or_by_their_beginning(github: GitHubStandIn, reader: Client) -> None:
    for branch in ("fix-1", "fix-10"):
        github.push_commit(branch, {"a": b"1"})
    assert reader.send("GET", "/git/ref/heads/fix").status_code == 404
    matching = reader.send("GET", "/git/matching-refs/heads/fix-1").json()
    assert [one["ref"] for one in matching] == ["refs/heads/fix-1", "refs/heads/fix-10"]
    assert reader.send("GET", "/git/matching-refs/heads/none").json() == []
    assert reader.send("GET", "/branches/none").json()["message"] == "Branch not found"


def test_a_pull_request_needs_two_branches_that_differ_and_no_twin(
    github: GitHubStandIn, client: Client
) -> None:
    github.push_commit("fix", {"app.py": b"x = 2\n"})
    body = {"title": "Fix", "head": "fix", "base": "trunk"}
    client.create("/pulls", body)
    said = [
        client.send("POST", "/pulls", body | change).json()["errors"][0]
        for change in ({}, {"head": "none"}, {"base": "none"}, {"head": "trunk"})
    ]
    assert said[0]["message"] == "A pull request already exists for acme:fix."
    assert [error.get("field") for error in said[1:3]] == ["head", "base"]
    assert said[3]["message"] == "No commits between trunk and trunk"


def test_pull_requests_are_listed_by_state_and_qualified_head(github: GitHubStandIn, reader: Client) -> None:
    for branch in ("one", "two"):
        github.push_commit(branch, {branch: b"1"})
        github.open_pull_request(branch, branch)
    github.close(2)

    def listed(**query: str) -> list[int]:
        return [pull["number"] for pull in reader.send("GET", "/pulls", **query).json()]

    assert (listed(), listed(state="closed"), listed(state="all")) == ([1], [2], [2, 1])
    assert (listed(head="acme:one"), listed(head="acme:none"), listed(head="other:one")) == ([1], [], [])
    # GitHub ignores a head without an owner.
    assert listed(head="none") == [1]


def test_a_pull_request_follows_its_branch_and_can_be_edited_closed_and_reopened(
    github: GitHubStandIn, client: Client
) -> None:
    github.push_commit("fix", {"app.py": b"x = 2\n"})
    github.open_pull_request("fix", "Fix")
    head = github.push_commit("fix", {"app.py": b"x = 3\n"})
    assert client.send("GET", "/pulls/1").json()["head"]["sha"] == head
    edited = client.send("PATCH", "/pulls/1", {"body": "new", "state": "closed"}).json()
    assert (edited["body"], edited["state"]) == ("new", "closed")
    assert client.send("PATCH", "/pulls/1", {"state": "open"}).json()["state"] == "open"
    assert client.send("GET", "/pulls/9").status_code == 404


def test_a_merged_pull_request_keeps_its_diff_and_stays_closed(github: GitHubStandIn, client: Client) -> None:
    github.push_commit("fix", {"app.py": b"x = 2\n"})
    github.open_pull_request("fix", "Fix")
    github.merge(1)
    merged = client.send("GET", "/pulls/1").json()
    assert (merged["merged"], merged["state"], merged["changed_files"]) == (True, "closed", 1)
    assert github.file("trunk", "app.py") == b"x = 2\n"
    assert client.send("PATCH", "/pulls/1", {"state": "open"}).status_code == 422


def test_a_conflict_cannot_be_merged(github: GitHubStandIn, reader: Client) -> None:
    github.push_commit("fix", {"app.py": b"x = 2\n"})
    github.push_commit("trunk", {"app.py": b"x = 3\n"})
    github.open_pull_request("fix", "Fix")
    assert reader.send("GET", "/pulls/1").json()["mergeable"] is False
    with pytest.raises(Rejected):
        github.merge(1)


def test_changed_files_tell_renames_and_have_no_patch_for_binaries(
    github: GitHubStandIn, reader: Client
) -> None:
    github.push_commit(
        "fix", {"app.py": None, "main.py": b"x = 1\n", "logo": b"\0\1", "run.sh": b"#!/bin/sh\n"}
    )
    github.open_pull_request("fix", "Fix")
    files = {file["filename"]: file for file in reader.send("GET", "/pulls/1/files").json()}
    assert {name: file["status"] for name, file in files.items()} == {
        "logo": "added",
        "main.py": "renamed",
        "run.sh": "modified",
    }
    assert files["main.py"]["previous_filename"] == "app.py"
    assert "patch" not in files["logo"]


def test_comments_come_in_linked_pages(github: GitHubStandIn, client: Client) -> None:
    github.push_commit("fix", {"app.py": b"x = 2\n"})
    github.open_pull_request("fix", "Fix")
    github.add_comment(1, "ann", "first")
    client.create("/issues/1/comments", {"body": "second"})
    page = client.send("GET", "/issues/1/comments", per_page=1)
    assert [(one["user"]["login"], one["body"]) for one in page.json()] == [("ann", "first")]
    assert page.links["next"]["url"].endswith("/issues/1/comments?per_page=1&page=2")
    last = client.send("GET", "/issues/1/comments", per_page=1, page=2)
    assert (last.json()[0]["body"], last.links) == ("second", {})


def test_branches_compare_from_where_they_parted(github: GitHubStandIn, reader: Client) -> None:
    github.push_commit("fix/1", {"a": b"1"})
    github.push_commit("trunk", {"b": b"1"})
    compared = reader.send("GET", "/compare/trunk...fix/1").json()
    assert (compared["status"], compared["ahead_by"], compared["behind_by"]) == ("diverged", 1, 1)
    assert [file["filename"] for file in compared["files"]] == ["a"]
    assert reader.send("GET", "/compare/trunk...none").status_code == 404


def test_a_ref_can_exist_though_its_answer_was_lost(github: GitHubStandIn, client: Client) -> None:
    github.faults.add(Fault("POST", "/git/refs$", when="after", cut=True))
    new = {"ref": "refs/heads/fix", "sha": github.branch_head("trunk")}
    with pytest.raises(requests.ConnectionError):
        client.send("POST", "/git/refs", new)
    assert "fix" in github.branches()


def test_there_is_a_contract_to_hold_the_answers_against(github: GitHubStandIn, reader: Client) -> None:
    spec = contract(*SPEC)
    reader.send("GET", "")
    assert spec.check_all(github.requests) == 1
