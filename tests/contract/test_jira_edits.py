"""JiraCloud's two edits of an issue: the claim and the release, with the properties they write."""

import pytest
from tests.contract.errors import fails
from tests.contract.jira_account import JOB, asked
from tests.contract.jira_calls import LATEST

from alm.standins.jira import JiraStandIn
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.job import PastResult
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import NotFoundError

STORED = {"fix": {"job_id": "DEMO-1-fix-0123", "comment_id": "20001"}}


def bug(jira: JiraStandIn, *labels: str) -> str:
    return jira.create_issue("Bug", "Broken", description="It is.", labels=labels or ["ai-fix"]).key


def latest(cloud: JiraCloud, key: str) -> dict[str, PastResult]:
    read = cloud.read(key)
    assert read is not None
    return dict(read.latest)


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


def test_claiming_an_issue_that_is_gone_says_so(jira: JiraStandIn, cloud: JiraCloud) -> None:
    jira.delete_issue(bug(jira))
    fails(NotFoundError, lambda: cloud.claim(JOB))


def test_a_release_is_one_put_with_the_label_the_outcome_and_the_latest_results(
    jira: JiraStandIn, cloud: JiraCloud
) -> None:
    key = bug(jira, "ai-processing", "ai-investigate")
    cloud.release(JOB, Outcome.NO_CHANGE, LATEST)
    (put,) = [request for request in jira.requests if request.method == "PUT"]
    ended = {**JOB.model_dump(), "outcome": "no_change"}
    assert put.json() == {
        "update": {"labels": [{"remove": "ai-processing"}]},
        "properties": [{"key": "alm.job", "value": ended}, {"key": "alm.latest", "value": STORED}],
    }
    assert jira.issue(key).labels == ("ai-investigate",)
    assert jira.issue(key).properties == {"alm.job": ended, "alm.latest": STORED}


def test_an_edit_asks_for_no_right_beyond_editing(jira: JiraStandIn, cloud: JiraCloud) -> None:
    # Leaving out the notification takes an administrator: https://developer.atlassian.com/cloud/jira/platform/rest/v3/
    bug(jira)
    cloud.claim(JOB)
    cloud.release(JOB, Outcome.SUCCEEDED, LATEST)
    assert [request.query for request in jira.requests if request.method == "PUT"] == [{}, {}]


def test_the_latest_results_are_read_as_they_were_written(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    assert latest(cloud, key) == {}
    cloud.release(JOB, Outcome.SUCCEEDED, LATEST)
    assert latest(cloud, key) == LATEST


def test_a_release_replaces_the_latest_results(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    cloud.release(JOB, Outcome.SUCCEEDED, LATEST)
    both = {**LATEST, "investigate": PastResult(job_id="DEMO-1-investigate-4", comment_id="20009")}
    cloud.release(JOB, Outcome.SUCCEEDED, both)
    assert latest(cloud, key) == both


def test_a_claim_leaves_the_latest_results_alone(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    cloud.release(JOB, Outcome.SUCCEEDED, LATEST)
    cloud.claim(JOB)
    assert latest(cloud, key) == LATEST


@pytest.mark.parametrize("value", ["text", 7, True, [], ["fix"], {}, [STORED]])
def test_latest_results_that_are_no_mapping_are_none(
    jira: JiraStandIn, cloud: JiraCloud, value: object
) -> None:
    key = bug(jira)
    jira.put_property(key, "alm.latest", value)
    assert latest(cloud, key) == {}


@pytest.mark.parametrize(
    "value",
    [
        None,
        "DEMO-1-fix-1",
        [],
        {},
        {"job_id": "DEMO-1-fix-1"},
        {"job_id": "../../secrets", "comment_id": "1"},
        {"job_id": 7, "comment_id": "1"},
        {"job_id": "DEMO-1-fix-1", "comment_id": {}},
        {"job_id": "DEMO-1-fix-1", "comment_id": "1", "more": 1},
    ],
)
def test_a_latest_result_that_is_not_ours_to_read_is_left_out(
    jira: JiraStandIn, cloud: JiraCloud, value: object
) -> None:
    key = bug(jira)
    jira.put_property(key, "alm.latest", {"investigate": value, **STORED})
    assert latest(cloud, key) == LATEST


def test_releasing_an_issue_that_is_gone_is_no_error(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    jira.delete_issue(key)
    cloud.release(JOB, Outcome.SUCCEEDED, LATEST)
    assert asked(jira).count(("PUT", f"/issue/{key}")) == 1
