"""GitHub's limits: what they look like, how long they ask us to wait, and that nothing is asked again before."""

from email.utils import formatdate

import pytest
from github import GithubException
from tests.contract.errors import fails
from tests.contract.github_account import proposal, reader, writer

from alm.standins.github import GitHubStandIn
from alm.standins.http import Fault
from orchestrator.adapters.backoff import asked_s
from orchestrator.adapters.github_errors import UNSAID_S, explained
from orchestrator.errors import OrchestratorError, RefusedError, TransientError

NOW = 1_800_000_000.0
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
PRIMARY = "API rate limit exceeded for installation ID 1."
NO_RIGHT = "Resource not accessible by integration"
USED_UP = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) + 1200)}
LEFT = {"X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": str(int(NOW) + 1200)}


def told(status: int, message: str, headers: dict[str, str] | None = None) -> OrchestratorError:
    return explained(GithubException(status, {"message": message}, headers), NOW)


@pytest.mark.parametrize(
    ("status", "message", "headers", "seconds"),
    [
        (403, PRIMARY, USED_UP, 1200),
        (429, PRIMARY, USED_UP, 1200),
        (403, SECONDARY, {"Retry-After": "90"}, 90),
        (403, SECONDARY, {"Retry-After": "90", **USED_UP}, 90),
        (429, SECONDARY, {"Retry-After": formatdate(NOW + 90, usegmt=True)}, 90),
        (403, SECONDARY, LEFT, UNSAID_S),
        (403, SECONDARY, None, UNSAID_S),
        (429, "Too many", {}, UNSAID_S),
        (403, "You have triggered an abuse detection mechanism.", {}, UNSAID_S),
        (403, "Something new", {"Retry-After": "5"}, 5),
        (403, "Something new", USED_UP, 1200),
        (503, "Down", {"Retry-After": "300"}, 300),
        (502, "Down", {}, 0),
        (503, "Down", LEFT, 0),
    ],
)
def test_an_error_that_passes_says_after_how_long(
    status: int, message: str, headers: dict[str, str] | None, seconds: float
) -> None:
    error = told(status, message, headers)
    assert isinstance(error, TransientError)
    assert error.after_s == seconds


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, "Bad credentials"), (403, NO_RIGHT), (409, "Conflict"), (422, "Validation Failed"), (451, "Law")],
)
def test_what_no_waiting_mends_is_told_at_once(status: int, message: str) -> None:
    assert isinstance(told(status, message, LEFT), RefusedError)


def test_a_404_is_no_limit_whatever_it_hints() -> None:
    assert not isinstance(told(404, "Not Found", {"Retry-After": "60"}), TransientError)


@pytest.mark.parametrize("reset", ["soon", "", "-5", "9" * 5000])
def test_a_reset_that_is_no_time_is_none(reset: str) -> None:
    assert asked_s({"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}, NOW) is None


def test_a_reset_that_is_over_wants_no_wait() -> None:
    assert asked_s({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000000"}, NOW) == 0


@pytest.mark.parametrize(
    ("status", "method"), [(403, "GET"), (429, "GET"), (503, "GET"), (403, "POST"), (503, "POST")]
)
def test_an_answer_that_names_a_time_goes_up_with_it_and_is_not_asked_for_again(
    github: GitHubStandIn, status: int, method: str
) -> None:
    github.seed({"app.py": b"x = 1\n"})
    asked = proposal(github)
    github.faults.add(Fault(method, "", status, {"Retry-After": "90"}, {"message": SECONDARY}, times=9))
    error = fails(TransientError, lambda: writer(github).propose(asked), [github.settings.write_token])
    assert error.after_s == 90
    assert [request.method for request in github.requests].count(method) == 1
    github.forget_requests()


def test_a_move_of_a_branch_that_is_limited_is_not_repeated(github: GitHubStandIn) -> None:
    github.seed({"app.py": b"x = 1\n"})
    writer(github).propose(proposal(github))
    asked = proposal(
        github, job=proposal(github).job.model_copy(update={"job_id": "DEMO-1-fix-9"}), base="fix-DEMO-1"
    )
    github.forget_requests()
    github.faults.add(Fault("PATCH", "", 403, {"Retry-After": "90"}, {"message": SECONDARY}, times=9))
    assert fails(TransientError, lambda: writer(github).propose(asked)).after_s == 90
    assert [request.method for request in github.requests].count("PATCH") == 1
    github.forget_requests()


def test_the_worker_hears_of_a_limit_too(github: GitHubStandIn) -> None:
    github.seed({"app.py": b"x = 1\n"})
    github.faults.add(Fault("GET", "", 403, body={"message": SECONDARY}))
    assert fails(TransientError, lambda: reader(github).plan_branch("fix-DEMO-1")).after_s == UNSAID_S
    github.forget_requests()
