"""GitHub's adapters when GitHub, the line or the token fails: what is repeated, what is raised, what it says."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.contract.errors import fails
from tests.contract.github_account import (
    CHANGE,
    JOB,
    NEXT_JOB,
    proposal,
    reader,
    tree,
    writer,
    writes,
)

from alm.standins.github import GitHubStandIn
from alm.standins.http import Fault
from orchestrator.domain.changeset import FileChange, FileMode
from orchestrator.errors import NotFoundError, OrchestratorError, RefusedError, TransientError

LOST = [
    pytest.param(Fault(cut=True), id="cut-before"),
    pytest.param(Fault(cut=True, when="after"), id="cut-after"),
    pytest.param(Fault(status=502), id="502"),
    pytest.param(Fault(status=502, when="after"), id="502-after"),
]
RATE = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
Call = Callable[[GitHubStandIn], object]


def plan(github: GitHubStandIn) -> object:
    return reader(github).plan_branch("fix-DEMO-1")


def propose(github: GitHubStandIn) -> object:
    return writer(github).propose(proposal(github))


@pytest.fixture(autouse=True)
def seeded(github: GitHubStandIn) -> str:
    return github.seed({"app.py": b"x = 1\n"})


def secrets(github: GitHubStandIn) -> list[str]:
    return [github.settings.read_token, github.settings.write_token]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("path", ["/git/trees", "/git/refs", "/pulls"])
def test_a_write_whose_answer_is_lost_is_finished_by_the_next_delivery(
    github: GitHubStandIn, path: str, fault: Fault
) -> None:
    github.faults.add(replace(fault, method="POST", path=f"{path}$"))
    asked = proposal(github)
    fails(TransientError, lambda: writer(github).propose(asked), secrets(github))
    assert [write for _, write in writes(github)].count(path) == 1
    assert writer(github).propose(asked) == f"{github.url}/acme/shop/pull/1"
    assert len(github.pull_requests()) == 1
    assert github.comments(1) == ()
    assert len(github.repository.between("trunk", "fix-DEMO-1")) == 1
    assert tree(github, "fix-DEMO-1") == {"app.py": ("100644", b"x = 2\n")}


@pytest.mark.parametrize("fault", LOST)
def test_a_comment_whose_answer_is_lost_is_said_once(github: GitHubStandIn, fault: Fault) -> None:
    propose(github)
    change = FileChange.written("app.py", FileMode.REGULAR, b"x = 3\n")
    asked = proposal(github, change, job=NEXT_JOB, base="fix-DEMO-1")
    github.faults.add(replace(fault, method="POST", path="/comments$"))
    fails(TransientError, lambda: writer(github).propose(asked), secrets(github))
    writer(github).propose(asked)
    assert len(github.comments(1)) == 1
    assert len(github.repository.between("trunk", "fix-DEMO-1")) == 2


@pytest.mark.parametrize("fault", LOST)
def test_a_branch_moved_by_a_request_whose_answer_is_lost_is_moved_once(
    github: GitHubStandIn, fault: Fault
) -> None:
    propose(github)
    change = FileChange.written("app.py", FileMode.REGULAR, b"x = 3\n")
    asked = proposal(github, change, job=NEXT_JOB, base="fix-DEMO-1")
    github.faults.add(replace(fault, method="PATCH", path="/git/refs/"))
    writer(github).propose(asked)
    assert github.faults.pending() == ()
    assert len(github.repository.between("trunk", "fix-DEMO-1")) == 2


@pytest.mark.parametrize("fault", [LOST[0], LOST[2]])
def test_reading_is_repeated(github: GitHubStandIn, fault: Fault) -> None:
    github.faults.add(replace(fault, method="GET"))
    plan(github)
    assert github.faults.pending() == ()


def test_reading_is_not_repeated_for_ever(github: GitHubStandIn) -> None:
    github.faults.add(Fault("GET", status=503, times=99))
    error = fails(TransientError, lambda: plan(github), secrets(github))
    assert str(error) == "GitHub answered 503."
    assert len(github.requests) == 3


def test_nobody_listening_is_tried_again_later(github: GitHubStandIn) -> None:
    adapter, asked = writer(github), proposal(github)
    github.stop()
    fails(TransientError, lambda: adapter.propose(asked), secrets(github))


@pytest.mark.parametrize("call", [plan, propose])
@pytest.mark.parametrize(
    ("status", "message", "kind", "words"),
    [
        (401, "Bad credentials", RefusedError, "has to be renewed"),
        (403, "Resource not accessible by integration", RefusedError, "contents and pull requests"),
        (404, "Not Found", NotFoundError, "may not see it"),
        (422, "Validation Failed", RefusedError, "(422): Validation Failed"),
        (429, "Too many", TransientError, "limiting"),
        (403, RATE, TransientError, "limiting"),
        (403, "API rate limit exceeded for installation ID 1.", TransientError, "limiting"),
    ],
)
def test_a_refusal_is_said_in_words_for_the_ticket(
    github: GitHubStandIn, call: Call, status: int, message: str, kind: type[OrchestratorError], words: str
) -> None:
    method = "GET" if call is plan else "POST"
    github.faults.add(Fault(method, status=status, body={"message": message}, times=9))
    error = fails(kind, lambda: call(github), secrets(github))
    assert words in str(error)
    assert [request.method for request in github.requests].count(method) == 1
    # Answers this bare, and some of these statuses, fit no contract.
    github.forget_requests()


@pytest.mark.parametrize(("call", "status"), [(plan, 403), (plan, 429), (propose, 403), (propose, 503)])
def test_a_long_retry_after_is_left_to_the_queue(github: GitHubStandIn, call: Call, status: int) -> None:
    hints = {"Retry-After": "3600", "X-RateLimit-Reset": "9999999999", "X-RateLimit-Remaining": "0"}
    method = "GET" if call is plan else "POST"
    github.faults.add(Fault(method, status=status, headers=hints, body={"message": RATE}, times=9))
    fails(TransientError, lambda: call(github), secrets(github))
    github.forget_requests()


@pytest.mark.parametrize("call", [plan, propose])
@pytest.mark.parametrize("body", [b"<html>", b'[{"ref": ', b"[1]"])
def test_an_answer_that_is_not_githubs_is_tried_again_later(
    github: GitHubStandIn, call: Call, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    github.faults.add(Fault("", "/git/", 200, headers, body, times=9))
    fails(TransientError, lambda: call(github), secrets(github))
    github.forget_requests()


def test_a_read_token_cannot_propose(github: GitHubStandIn) -> None:
    asked = writer(github, github.settings.read_token)
    error = fails(RefusedError, lambda: asked.propose(proposal(github)), secrets(github))
    assert error.status == 403
    assert set(github.branches()) == {"trunk"}


def test_a_wrong_token_is_refused_and_not_shown(github: GitHubStandIn) -> None:
    wrong = "ghs_wrong"
    fails(RefusedError, lambda: reader(github, wrong).plan_branch("fix-DEMO-1"), [wrong])


def test_a_change_github_does_not_take_leaves_no_branch(github: GitHubStandIn) -> None:
    outside = FileChange.written("../outside", FileMode.REGULAR, b"1")
    error = fails(RefusedError, lambda: writer(github).propose(proposal(github, CHANGE, outside)))
    assert error.status == 422
    assert "malformed path" in str(error)
    assert set(github.branches()) == {"trunk"}
    assert JOB.job_id not in str(error)
