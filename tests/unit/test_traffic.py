"""What an answer says of its rate limit, and what is counted of it."""

import pytest
import requests
from requests.structures import CaseInsensitiveDict
from tests.fakes.events import FakeEvents

from orchestrator.adapters.traffic import counting, remaining


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({}, None),
        ({"X-RateLimit-Remaining": "4999"}, 4999),
        ({"X-RateLimit-Remaining": "0"}, 0),
        ({"X-RateLimit-Remaining": "-1"}, None),
        ({"X-RateLimit-Remaining": "many"}, None),
        ({"X-RateLimit-Remaining": "9" * 400}, None),
        ({"X-RateLimit-Remaining": "\u0663"}, None),
        ({"RateLimit": '"burst";r=50;t=30'}, 50),
        ({"Beta-RateLimit": '"global-app-quota";r=12; t=600, "tenant";r=7'}, 7),
        ({"RateLimit": "limit=100, remaining=50"}, None),
        ({"X-RateLimit-Remaining": "40", "RateLimit": '"q"; r=39'}, 39),
        ({"RateLimit-Reason": "jira-burst-based"}, None),
    ],
    ids=str,
)
def test_the_least_of_what_is_left_is_read_from_the_headers(
    headers: dict[str, str], left: int | None
) -> None:
    assert remaining(CaseInsensitiveDict(headers)) == left


def answer(url: str, **headers: str) -> requests.Response:
    made = requests.Response()
    made.url, made.headers = url, CaseInsensitiveDict(headers)
    return made


def test_an_answer_is_counted_with_what_is_left() -> None:
    events = FakeEvents()
    counting("GitHub", events)(
        answer("https://api.github.com/x", **{"x-ratelimit-remaining": "7"}), timeout=1
    )
    assert events.measured == [("GitHubRequests", 1, {}), ("GitHubRateLimitRemaining", 7, {})]


def test_an_answer_without_a_limit_counts_as_a_request_alone() -> None:
    events = FakeEvents()
    counting("Jira", events, within="/rest/api/")(answer("https://api.atlassian.com/ex/jira/1/rest/api/3/x"))
    counting("Jira", events, within="/rest/api/")(answer("https://auth.atlassian.com/oauth/token"))
    assert events.measured == [("JiraRequests", 1, {})]
