"""PyGithub's answers are counted as they come, with what is left of GitHub's rate limit where it says so."""

from collections.abc import Iterator

import pytest
from github.Requester import Requester
from tests.contract.github_account import reader
from tests.fakes.events import FakeEvents

from alm.standins.faults import Fault
from alm.standins.github import GitHubStandIn
from orchestrator.adapters.github_traffic import count_github
from orchestrator.errors import TransientError


@pytest.fixture
def events() -> Iterator[FakeEvents]:
    counted = FakeEvents()
    count_github(counted)
    yield counted
    Requester.resetConnectionClasses()


def test_every_answer_counts_as_one_request(github: GitHubStandIn, events: FakeEvents) -> None:
    github.seed({"app.py": b"x = 1\n"})
    github.forget_requests()
    reader(github).plan_branch("fix-DEMO-1")
    assert len(github.requests) > 0
    assert [one for one in events.measured if one[0] == "GitHubRequests"] == [
        ("GitHubRequests", 1, {})
    ] * len(github.requests)


def test_what_is_left_is_told_of_a_refusal_too(github: GitHubStandIn, events: FakeEvents) -> None:
    headers = {"X-RateLimit-Remaining": "0"}
    github.faults.add(Fault(status=429, headers=headers, body={"message": "API rate limit exceeded"}))
    with pytest.raises(TransientError):
        reader(github).plan_branch("fix-DEMO-1")
    assert events.measured == [("GitHubRequests", 1, {}), ("GitHubRateLimitRemaining", 0, {})]
