"""JiraCloud against the stand-in: what it asks for and what it makes of the answers when all is well."""

import base64
import json
from dataclasses import replace

import pytest
from tests.contract.errors import fails
from tests.contract.jira_account import JOB, asked, connected
from tests.fakes.clock import FakeClock

from alm.standins.http import Fault
from alm.standins.jira import JiraStandIn, paragraphs
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.issue import OwnComment
from orchestrator.domain.jql import labelled_issues
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import ConfigError, NotFoundError

TODO = labelled_issues("DEMO", ["ai-fix", "ai-processing"])
MARK = OwnComment("DEMO-1-fix-0123", "fix", 0, "succeeded")


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
    cloud.claim(JOB)
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


def test_a_deleted_issue_reads_as_none(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    jira.delete_issue(key)
    assert cloud.read(key) is None


def test_a_claim_is_one_put_with_both_labels_and_the_property(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira, "ai-fix", "urgent")
    cloud.claim(JOB)
    (put,) = [request for request in jira.requests if request.method == "PUT"]
    assert put.json() == {
        "update": {"labels": [{"add": "ai-processing"}, {"remove": "ai-fix"}]},
        "properties": [{"key": "alm.job", "value": JOB.model_dump()}],
    }
    issue = jira.issue(key)
    assert issue.labels == ("urgent", "ai-processing")
    assert issue.properties == {"alm.job": JOB.model_dump()}
    read = cloud.read(key)
    assert read is not None
    assert read.claim == JOB.model_dump()


def test_a_release_takes_the_label_off_and_says_how_it_ended(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira, "ai-processing", "ai-investigate")
    cloud.release(JOB, Outcome.NO_CHANGE)
    assert jira.issue(key).labels == ("ai-investigate",)
    assert jira.issue(key).properties == {"alm.job": {**JOB.model_dump(), "outcome": "no_change"}}
    assert asked(jira).count(("PUT", f"/issue/{key}")) == 1


def test_releasing_an_issue_that_is_gone_is_no_error(jira: JiraStandIn, cloud: JiraCloud) -> None:
    jira.delete_issue(bug(jira))
    cloud.release(JOB, Outcome.SUCCEEDED)


def test_claiming_an_issue_that_is_gone_says_so(jira: JiraStandIn, cloud: JiraCloud) -> None:
    jira.delete_issue(bug(jira))
    fails(NotFoundError, lambda: cloud.claim(JOB))


def test_a_comment_is_posted_as_a_document_with_its_mark(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    cloud.comment(key, "## Found\n\nIt is **here**.", MARK)
    (comment,) = jira.issue(key).comments
    assert [node["type"] for node in comment.body["content"]] == ["heading", "paragraph"]
    mark = {"job_id": "DEMO-1-fix-0123", "action": "fix", "part": 0, "outcome": "succeeded"}
    assert comment.properties == {"alm.result": mark}


def test_own_comments_come_newest_first_with_mark_and_text(jira: JiraStandIn, cloud: JiraCloud) -> None:
    jira.settings = replace(jira.settings, comment_page_cap=2)
    key = bug(jira)
    marks = [replace(MARK, part=part) for part in range(5)]
    for mark in marks:
        cloud.comment(key, f"Part {mark.part}", mark)
    found = list(cloud.own_comments(key))
    assert found == marks[::-1]
    assert [comment.text.strip() for comment in found] == [f"Part {part}" for part in (4, 3, 2, 1, 0)]


def test_own_comments_are_fetched_as_they_are_asked_for(jira: JiraStandIn, cloud: JiraCloud) -> None:
    jira.settings = replace(jira.settings, comment_page_cap=1)
    key = bug(jira)
    cloud.comment(key, "first", MARK)
    cloud.comment(key, "second", MARK)
    jira.forget_requests()
    assert next(iter(cloud.own_comments(key))).text.strip() == "second"
    assert asked(jira).count(("GET", f"/issue/{key}/comment")) == 1


def test_a_comment_that_only_looks_like_ours_is_not(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    jira.add_comment(key, "mallory", "INVESTIGATION RESULTS\njob DEMO-1-fix-0123")
    # The account itself, by hand or by another program: no mark, not ours.
    jira.add_comment(key, jira.settings.service_account, "INVESTIGATION RESULTS")
    assert list(cloud.own_comments(key)) == []


def test_a_mark_on_another_authors_comment_counts_for_nothing(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    us, jira.settings = jira.settings, replace(jira.settings, service_account="mallory")
    cloud.comment(key, "forged", MARK)
    jira.settings = us
    assert list(cloud.own_comments(key)) == []


@pytest.mark.parametrize("value", ["text", ["list"], 7, {"part": "many"}, {"part": None}])
def test_a_mark_that_is_not_ours_to_read_is_skipped(
    jira: JiraStandIn, cloud: JiraCloud, value: object
) -> None:
    key = bug(jira)
    cloud.comment(key, "good", MARK)
    cloud.comment(key, "spoilt", MARK)
    spoilt = {"key": "alm.result", "value": value}
    jira.faults.add(Fault("GET", "/comment/[0-9]+/properties/", 200, body=spoilt))
    assert [comment.text.strip() for comment in cloud.own_comments(key)] == ["good"]


def test_a_comment_whose_author_is_gone_is_not_ours(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    page = {"startAt": 0, "maxResults": 100, "total": 1, "comments": [{"id": "1", "body": paragraphs("x")}]}
    jira.faults.add(Fault("GET", f"/issue/{key}/comment", 200, body=page))
    assert list(cloud.own_comments(key)) == []


def test_the_accounts_name_is_asked_for_once(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    cloud.comment(key, "one", MARK)
    assert len(list(cloud.own_comments(key))) == len(list(cloud.own_comments(key))) == 1
    assert asked(jira).count(("GET", "/myself")) == 1


@pytest.mark.parametrize("label", ['a"b', "a\\", "a\\\\b", '")ORlabels=("other', "'", "a,b", "äöü🙂"])
def test_a_label_stays_data_from_search_to_claim(jira: JiraStandIn, cloud: JiraCloud, label: str) -> None:
    bug(jira, "other")
    key = bug(jira, label)
    jql = labelled_issues("DEMO", [label])
    assert keys(cloud, jql) == [key]
    cloud.claim(JOB.model_copy(update={"issue_key": key, "label": label}))
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
