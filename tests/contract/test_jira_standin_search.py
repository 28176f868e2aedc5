"""The search of the Jira stand-in page by page, and the poll's search through the real adapter."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
import requests
from tests import builders as make
from tests.contract.jira_client import Client, log_in
from tests.fakes.clock import FakeClock

from alm.standins.jira import JiraStandIn
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.action import Catalogue
from orchestrator.usecases.find_issues import PAGE, FindIssues

TODO = 'project = "DEMO" AND labels in ("ai-fix") ORDER BY created ASC'


@pytest.fixture
def client(jira: JiraStandIn) -> Iterator[Client]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {log_in(jira).json()['access_token']}"
        yield Client(jira, session)


def pages(client: Client, jql: str, **body: Any) -> Iterator[list[str]]:
    """The keys of every page."""
    page = client.search(jql, fields=["key"], **body)
    yield [issue["key"] for issue in page["issues"]]
    while not page["isLast"]:
        page = client.search(jql, fields=["key"], nextPageToken=page["nextPageToken"], **body)
        yield [issue["key"] for issue in page["issues"]]


@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_pages_go_on_where_the_last_one_ended_in_either_direction(
    jira: JiraStandIn, client: Client, clock: FakeClock, order: str
) -> None:
    keys = []
    for number in range(7):
        clock.sleep(number % 2)  # some are created in the same moment
        labels = ("ai-fix", "ai-review")[: 1 + number % 2]
        keys.append(jira.create_issue("Bug", "Broken", labels=labels).key)
    jql = f'project = "DEMO" AND labels in ("ai-review", "ai-fix") ORDER BY created {order}'
    found = list(pages(client, jql, maxResults=3))
    wanted = keys if order == "ASC" else keys[::-1]
    assert found == [wanted[:3], wanted[3:6], wanted[6:]]


def test_one_that_lost_its_label_between_two_pages_is_not_shown(jira: JiraStandIn, client: Client) -> None:
    keys = [jira.create_issue("Bug", "Broken", labels=["ai-fix"]).key for _ in range(5)]
    found = pages(client, TODO, maxResults=2)
    assert next(found) == keys[:2]
    jira.remove_label(keys[1], "ai-fix")  # the one the token points at
    jira.remove_label(keys[2], "ai-fix")
    jira.delete_issue(keys[3])
    assert list(found) == [keys[4:]]


def test_one_that_got_its_label_later_stands_where_it_was_created(jira: JiraStandIn, client: Client) -> None:
    keys = [jira.create_issue("Bug", "Broken").key for _ in range(3)]
    for key in (keys[2], keys[0], keys[1]):
        jira.add_label(key, "ai-fix")
    assert client.found(TODO) == keys


def test_search_without_a_label_shows_those_without_any(jira: JiraStandIn, client: Client) -> None:
    keys = [jira.create_issue("Bug", "Broken", labels=labels).key for labels in ((), ("x",))]
    assert client.found('project = "DEMO" ORDER BY created ASC') == keys


def test_a_project_and_a_type_nobody_configured_exist_where_an_issue_has_them(
    jira: JiraStandIn, client: Client
) -> None:
    key = jira.create_issue("Incident", "Broken", key="SHOP-1").key
    assert client.found('project = "shop" AND issuetype = "incident"') == [key]


def searches(jira: JiraStandIn) -> int:
    return sum(request.path.endswith("/search/jql") for request in jira.requests)


@pytest.fixture
def find(cloud: JiraCloud) -> FindIssues:
    return FindIssues(cloud, Catalogue(actions=(make.fix(),)), "DEMO", turn=lambda _turns: 1)


def backlog(jira: JiraStandIn, count: int) -> list[str]:
    """Tickets with a label of ours on pages as large as Jira's own."""
    jira.settings = replace(jira.settings, page_cap=PAGE)
    return [jira.create_issue("Bug", "Broken", labels=["ai-fix"]).key for _ in range(count)]


def test_a_poll_sends_one_search_for_what_fits_on_a_page(jira: JiraStandIn, find: FindIssues) -> None:
    keys = backlog(jira, PAGE - 1)
    assert [issue.key for issue in find(PAGE)] == keys
    assert searches(jira) == 1


def test_a_poll_of_a_backlog_fetches_the_pages_it_takes_from(jira: JiraStandIn, find: FindIssues) -> None:
    keys = backlog(jira, 5 * PAGE)
    jira.add_label(keys[-1], "ai-processing")
    assert [issue.key for issue in islice(find(3), 5)] == [keys[-1], *keys[:3], keys[-2]]
    assert searches(jira) == 3
    assert [issue.key for issue in find(0)] == [keys[-1]]
    assert searches(jira) == 5
