"""Reviews when GitHub, the line or the token fails: what is repeated, what is raised, what it says."""

from dataclasses import replace
from functools import partial

import pytest
from tests.contract.errors import fails
from tests.contract.github_account import reader, writer, writes
from tests.contract.review_pull import post, seeded

from alm.standins.github import GitHubStandIn
from alm.standins.http import Fault
from orchestrator.errors import NotFoundError, OrchestratorError, RefusedError, TransientError

RATE = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
LOST = [Fault(cut=True, when="after"), Fault(status=502, when="after"), Fault(status=502)]


@pytest.fixture(autouse=True)
def head(github: GitHubStandIn) -> str:
    return seeded(github)


def subject(github: GitHubStandIn) -> object:
    return reader(github).review_subject(1)


def ground(github: GitHubStandIn) -> object:
    return writer(github).review_ground(1)


def review(github: GitHubStandIn) -> object:
    return writer(github).post_review(post(github.pull_request(1).head_sha))


def secrets(github: GitHubStandIn) -> list[str]:
    return [github.settings.read_token, github.settings.write_token]


@pytest.mark.parametrize("fault", LOST, ids=["cut-after", "502-after", "502-before"])
def test_a_review_whose_answer_is_lost_is_posted_once(github: GitHubStandIn, head: str, fault: Fault) -> None:
    github.faults.add(replace(fault, method="POST", path="/reviews$"))
    asked = post(head)
    fails(TransientError, lambda: writer(github).post_review(asked), [github.settings.write_token])
    assert len(writes(github)) == 1
    assert writer(github).post_review(asked).startswith(f"{github.url}/acme/shop/pull/1#")
    assert len(github.reviews(1)) == 1


@pytest.mark.parametrize(
    ("status", "message", "kind", "words"),
    [
        (401, "Bad credentials", RefusedError, "has to be renewed"),
        (403, "Resource not accessible by integration", RefusedError, "contents and pull requests"),
        (403, RATE, TransientError, "limiting"),
        (429, "Too many", TransientError, "limiting"),
    ],
)
def test_a_refusal_is_said_in_words_for_the_ticket(
    github: GitHubStandIn, status: int, message: str, kind: type[OrchestratorError], words: str
) -> None:
    for call in (subject, ground, review):
        github.faults.add(Fault("GET", status=status, body={"message": message}))
        error = fails(kind, partial(call, github), secrets(github))
        assert words in str(error)
        assert github.faults.pending() == ()
    github.forget_requests()


def test_a_server_that_fails_is_tried_again_later(github: GitHubStandIn) -> None:
    github.faults.add(Fault("GET", "/files$", 503, times=9))
    error = fails(TransientError, lambda: ground(github), secrets(github))
    assert str(error) == "GitHub answered 503."


@pytest.mark.parametrize("body", [b"<html>", b"[1]"])
def test_an_answer_that_is_not_githubs_is_tried_again_later(github: GitHubStandIn, body: bytes) -> None:
    github.add_review(1, "person", "So that our own account has to be known.")
    for path in ("/compare/", "/files$", "/reviews$", "/comments$", "/user$"):
        github.faults.add(Fault("GET", path, 200, {"Content-Type": "application/json"}, body))
        fails(TransientError, partial(subject if path == "/compare/" else ground, github), secrets(github))
    github.forget_requests()


def test_a_pull_request_that_is_gone_is_told(github: GitHubStandIn) -> None:
    missing = {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}
    for call in (ground, review):
        github.faults.add(Fault("GET", "/pulls/1/", 404, body=missing))
        error = fails(NotFoundError, partial(call, github), secrets(github))
        assert "may not see it" in str(error)
    github.forget_requests()


def test_what_github_never_takes_is_said_in_its_words(github: GitHubStandIn) -> None:
    refused = {"message": "Unprocessable Entity", "errors": ["Something odd"], "documentation_url": "x"}
    github.faults.add(Fault("POST", "/reviews$", 422, body=refused, times=99))
    error = fails(RefusedError, lambda: review(github), secrets(github))
    assert str(error) == "GitHub did not take the change (422): Unprocessable Entity: Something odd"
    # As it was, without comments, without the commit.
    assert len(writes(github)) == 3


def test_a_read_token_cannot_review(github: GitHubStandIn, head: str) -> None:
    asked = writer(github, github.settings.read_token)
    error = fails(RefusedError, lambda: asked.post_review(post(head)), secrets(github))
    assert error.status == 403
    assert github.reviews(1) == ()
