"""JiraCloud against the stand-in: how issues are found and read when all is well."""

import base64
import json
from dataclasses import replace

import pytest
import requests
from tests.contract.errors import fails
from tests.contract.jira_account import ASKED, JOB, asked, connected
from tests.fakes.clock import FakeClock

from alm.standins.http import Fault
from alm.standins.jira import JiraStandIn, paragraphs
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.issue import Issue
from orchestrator.domain.jql import labelled_issues
from orchestrator.errors import ConfigError

TODO = labelled_issues("DEMO", ["ai-fix", "ai-processing"])


def keys(cloud: JiraCloud, jql: str = TODO) -> list[str]:
    return [issue.key for issue in cloud.search(jql)]


def bug(jira: JiraStandIn, *labels: str) -> str:
    return jira.create_issue("Bug", "Broken", description="It is.", labels=labels or ["ai-fix"]).key


def test_search_goes_on_after_short_pages_to_the_last(jira: JiraStandIn, cloud: JiraCloud) -> None:
    jira.settings = replace(jira.settings, page_cap=2)
    expected = [bug(jira) for _ in range(5)]
    assert keys(cloud) == expected
    assert asked(jira).count(("POST", "/search/jql")) == 3


def test_search_goes_on_after_an_empty_page(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    start = base64.urlsafe_b64encode(json.dumps([TODO, 0, 0]).encode()).decode()
    empty = {"issues": [], "isLast": False, "nextPageToken": start}
    jira.faults.add(Fault("POST", "/search/jql", 200, body=empty))
    assert keys(cloud) == [key]


def test_search_shows_labels_and_claim(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    cloud.claim(JOB, ASKED)
    (found,) = cloud.search(TODO)
    assert (found.key, found.labels, found.claim) == (key, frozenset({"ai-processing"}), JOB.model_dump())


def test_an_idle_poll_costs_one_request(jira: JiraStandIn, cloud: JiraCloud) -> None:
    assert keys(cloud) == []
    assert asked(jira) == [("GET", "/_edge/tenant_info"), ("POST", "/oauth/token"), ("POST", "/search/jql")]
    jira.forget_requests()
    assert keys(cloud) == []
    assert asked(jira) == [("POST", "/search/jql")]


def test_a_configured_cloud_id_is_not_asked_for(jira: JiraStandIn, clock: FakeClock) -> None:
    cloud = connected(jira, clock, JIRA_CLOUD_ID=jira.settings.cloud_id)
    assert keys(cloud) == []
    assert asked(jira) == [("POST", "/oauth/token"), ("POST", "/search/jql")]


def test_without_tenant_info_the_site_is_found_by_its_url(jira: JiraStandIn, clock: FakeClock) -> None:
    jira.settings = replace(jira.settings, tenant_info=False)
    key = bug(jira)
    cloud = connected(jira, clock, JIRA_URL=f"{jira.url.upper().replace('HTTP', 'http')}/")
    assert keys(cloud) == [key]
    assert asked(jira).count(("GET", "/oauth/token/accessible-resources")) == 1


def test_a_site_the_account_cannot_see_is_a_matter_of_configuration(
    jira: JiraStandIn, clock: FakeClock
) -> None:
    jira.settings = replace(jira.settings, tenant_info=False)
    elsewhere = jira.url.replace("127.0.0.1", "localhost")
    cloud = connected(jira, clock, JIRA_URL=elsewhere)
    error = fails(ConfigError, lambda: keys(cloud))
    assert elsewhere in str(error)
    assert "JIRA_URL" in str(error)


def test_an_issue_is_read_as_it_is_now(jira: JiraStandIn, cloud: JiraCloud) -> None:
    jira.settings = replace(jira.settings, index_lag_s=60)
    issue = jira.create_issue("Story", "Totals", description="a\nb", labels=["ai-fix", "x"])
    read = cloud.read(issue.key)
    assert read is not None
    assert (read.id, read.key, read.issue_type) == (issue.id, issue.key, "Story")
    assert (read.summary, read.labels) == ("Totals", frozenset({"ai-fix", "x"}))
    assert read.description == paragraphs("a", "b")
    assert read.updated
    assert read.claim is None


def test_an_issue_without_description_is_read(jira: JiraStandIn, cloud: JiraCloud) -> None:
    read = cloud.read(jira.create_issue("Bug", "Broken").key)
    assert read is not None
    assert read.description is None


def test_a_read_shows_everybodys_comments_oldest_first(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    made = [jira.add_comment(key, author, f"by {author}").id for author in ("ann", "ben")]
    read = cloud.read(key)
    assert read is not None
    assert [comment.id for comment in read.comments] == made
    assert [comment.text.strip() for comment in read.comments] == ["by ann", "by ben"]
    assert read.has_all_comments


@pytest.mark.parametrize(("shown", "is_whole"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_read_says_whether_it_shows_all_comments(
    jira: JiraStandIn, cloud: JiraCloud, shown: int, is_whole: bool
) -> None:
    jira.settings = replace(jira.settings, shown_comments_cap=shown)
    key = bug(jira)
    for number in range(2):
        jira.add_comment(key, "ann", f"{number}")
    read = cloud.read(key)
    assert read is not None
    assert len(read.comments) == min(shown, 2)
    assert read.has_all_comments is is_whole


def test_what_a_read_does_not_show_the_list_of_comments_does(jira: JiraStandIn, cloud: JiraCloud) -> None:
    jira.settings = replace(jira.settings, shown_comments_cap=1, comment_page_cap=2)
    key = bug(jira)
    made = [jira.add_comment(key, "ann", f"{number}") for number in range(5)]
    listed = list(cloud.comments(key))
    assert [comment.id for comment in listed] == [comment.id for comment in made[::-1]]
    assert [comment.text.strip() for comment in listed] == ["4", "3", "2", "1", "0"]
    assert asked(jira).count(("GET", f"/issue/{key}/comment")) == 3


def test_an_issue_is_read_with_one_request(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    jira.add_comment(key, "ann", "hello")
    cloud.read(key)
    jira.forget_requests()
    cloud.read(key)
    assert asked(jira) == [("GET", f"/issue/{key}")]


def test_a_look_asks_for_labels_and_our_properties_and_no_text(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    jira.add_comment(key, "ann", "hello")
    cloud.claim(JOB, ASKED)
    jira.put_property(key, "alm.latest", {})
    jira.forget_requests()
    seen = cloud.look(key)
    (request,) = jira.requests
    assert request.query == {
        "fields": ("labels,updated",),
        "properties": ("alm.job,alm.latest,alm.unfinished",),
    }
    assert request.answer is not None
    assert set(request.answer.json()["fields"]) == {"labels", "updated"}
    assert seen is not None
    claim = JOB.model_dump(mode="json")
    assert seen == Issue("10001", key, frozenset({"ai-processing"}), updated=seen.updated, claim=claim)
    assert seen.updated


def test_a_property_nested_too_deep_for_python_hides_no_issue_of_the_search(
    jira: JiraStandIn, cloud: JiraCloud
) -> None:
    bug(jira)
    deep = "[" * 16_000 + "]" * 16_000
    page = (
        f'{{"issues": [{{"id": "1", "key": "DEMO-8", "properties": {{"alm.job": {deep}}}}},'
        '{"id": "2", "key": "DEMO-9", "fields": {"labels": ["ai-fix"]}}], "isLast": true}'
    )
    answer = requests.Response()
    answer.status_code, answer._content = 200, page.encode()  # noqa: SLF001  # as requests' own adapter does
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloud.session, "request", lambda *_, **__: answer)
        patch.setattr(cloud.auth, "headers", dict)
        patch.setattr(cloud.auth, "api_url", lambda: "https://jira.example")
        found = list(cloud.search(TODO))
    assert [one.key for one in found] == ["DEMO-8", "DEMO-9"]


def test_a_deleted_issue_reads_as_none(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    jira.delete_issue(key)
    assert cloud.read(key) is None
    assert cloud.look(key) is None


@pytest.mark.parametrize("label", ['a"b', "a\\", "a\\\\b", '")ORlabels=("other', "'", "a,b", "äöü🙂"])
def test_a_label_stays_data_from_search_to_claim(jira: JiraStandIn, cloud: JiraCloud, label: str) -> None:
    bug(jira, "other")
    key = bug(jira, label)
    jql = labelled_issues("DEMO", [label])
    assert keys(cloud, jql) == [key]
    cloud.claim(JOB.model_copy(update={"issue_key": key, "label": label}), frozenset({label}))
    assert jira.issue(key).labels == ("ai-processing",)
    assert keys(cloud, jql) == []


@pytest.mark.parametrize("project", ['A"B', "A\\", '") OR project = ("DEMO', "..%2f", "ÄÖ"])
def test_a_project_key_stays_data_from_search_to_claim(
    jira: JiraStandIn, cloud: JiraCloud, project: str
) -> None:
    bug(jira)
    key = jira.create_issue("Bug", "Broken", labels=["ai-fix"], key=f"{project}-1").key
    assert keys(cloud, labelled_issues(project, ["ai-fix"])) == [key]
    read = cloud.read(key)
    assert read is not None
    assert read.key == key


def test_issue_addresses_are_the_sites_own(jira: JiraStandIn, cloud: JiraCloud) -> None:
    assert cloud.issue_url("DEMO-1") == f"{jira.url}/browse/DEMO-1"
    assert cloud.issue_url("../x y") == f"{jira.url}/browse/..%2Fx%20y"


def test_nothing_printed_of_the_adapter_shows_a_credential(jira: JiraStandIn, cloud: JiraCloud) -> None:
    keys(cloud)
    token = jira.requests[-1].headers["authorization"].removeprefix("Bearer ")
    assert jira.settings.client_secret not in repr(cloud)
    assert token not in repr(cloud)
