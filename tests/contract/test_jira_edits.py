"""JiraCloud's two edits of an issue: the claim and the release, with the properties they write."""

import pytest
from tests.contract.errors import fails
from tests.contract.jira_account import ASKED, JOB, asked
from tests.contract.jira_calls import LATEST, LEFT, UNFINISHED

from alm.standins.jira import JiraStandIn
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.issue import Left
from orchestrator.domain.job import PastResult, Unfinished
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import NotFoundError

STORED = {"fix": {"job_id": "DEMO-1-fix-0123", "comment_id": "20001", "signature": ""}}

KEPT = {"action": "investigate", "job_id": "DEMO-1-investigate-4", "draft": True, "signature": ""}


def bug(jira: JiraStandIn, *labels: str) -> str:
    return jira.create_issue("Bug", "Broken", description="It is.", labels=labels or ["ai-fix"]).key


def latest(cloud: JiraCloud, key: str) -> dict[str, PastResult]:
    read = cloud.read(key)
    assert read is not None
    return dict(read.latest)


def test_a_claim_is_one_put_with_both_labels_and_the_property(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira, "ai-fix", "urgent")
    cloud.claim(JOB, ASKED)
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
    fails(NotFoundError, lambda: cloud.claim(JOB, ASKED))


def test_a_claim_takes_off_every_label_it_answers_and_no_other(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira, "ai-retry", "ai-fix", "ai-investigate")
    cloud.claim(JOB, frozenset({"ai-retry", "ai-fix"}))
    assert jira.issue(key).labels == ("ai-investigate", "ai-processing")


def test_a_claim_that_answers_no_label_takes_none_off(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira, "ai-processing", "ai-fix")
    cloud.claim(JOB, frozenset())
    assert jira.issue(key).labels == ("ai-processing", "ai-fix")
    assert jira.issue(key).properties == {"alm.job": JOB.model_dump()}


def test_a_release_is_one_put_with_the_label_the_outcome_and_what_the_ticket_keeps(
    jira: JiraStandIn, cloud: JiraCloud
) -> None:
    key = bug(jira, "ai-processing", "ai-investigate")
    cloud.release(JOB, Outcome.NO_CHANGE, LEFT)
    (put,) = [request for request in jira.requests if request.method == "PUT"]
    ended = {**JOB.model_dump(), "outcome": "no_change"}
    assert put.json() == {
        "update": {"labels": [{"remove": "ai-processing"}]},
        "properties": [
            {"key": "alm.job", "value": ended},
            {"key": "alm.latest", "value": STORED},
            {"key": "alm.unfinished", "value": KEPT},
        ],
    }
    assert jira.issue(key).labels == ("ai-investigate",)
    assert jira.issue(key).properties == {"alm.job": ended, "alm.latest": STORED, "alm.unfinished": KEPT}


def test_an_edit_asks_for_no_right_beyond_editing(jira: JiraStandIn, cloud: JiraCloud) -> None:
    # Leaving out the notification takes an administrator: https://developer.atlassian.com/cloud/jira/platform/rest/v3/
    bug(jira)
    cloud.claim(JOB, ASKED)
    cloud.release(JOB, Outcome.SUCCEEDED, LEFT)
    assert [request.query for request in jira.requests if request.method == "PUT"] == [{}, {}]


def test_the_latest_results_are_read_as_they_were_written(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    assert latest(cloud, key) == {}
    cloud.release(JOB, Outcome.SUCCEEDED, LEFT)
    assert latest(cloud, key) == LATEST


def test_a_release_replaces_the_latest_results(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    cloud.release(JOB, Outcome.SUCCEEDED, LEFT)
    both = {**LATEST, "investigate": PastResult(job_id="DEMO-1-investigate-4", comment_id="20009")}
    cloud.release(JOB, Outcome.SUCCEEDED, Left(both))
    assert latest(cloud, key) == both


def test_a_claim_leaves_the_latest_results_alone(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    cloud.release(JOB, Outcome.SUCCEEDED, LEFT)
    cloud.claim(JOB, ASKED)
    assert latest(cloud, key) == LATEST


def unfinished(cloud: JiraCloud, key: str) -> Unfinished | None:
    read = cloud.read(key)
    assert read is not None
    return read.unfinished


def test_the_unfinished_action_is_read_as_it_was_written(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    assert unfinished(cloud, key) is None
    cloud.release(JOB, Outcome.FAILED, LEFT)
    assert unfinished(cloud, key) == UNFINISHED


def test_a_release_that_leaves_nothing_unfinished_says_so(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    cloud.release(JOB, Outcome.FAILED, LEFT)
    cloud.release(JOB, Outcome.SUCCEEDED, Left(LATEST))
    assert jira.issue(key).properties["alm.unfinished"] == {}
    assert unfinished(cloud, key) is None


@pytest.mark.parametrize(
    "value",
    [
        "investigate",
        7,
        True,
        [],
        {},
        {"action": "investigate"},
        {**KEPT, "job_id": "../../secrets"},
        {**KEPT, "action": "Not A Name"},
        {**KEPT, "draft": "perhaps"},
        [KEPT],
    ],
)
def test_an_unfinished_action_that_is_not_ours_to_read_is_none(
    jira: JiraStandIn, cloud: JiraCloud, value: object
) -> None:
    key = bug(jira)
    jira.put_property(key, "alm.unfinished", value)
    assert unfinished(cloud, key) is None


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
    cloud.release(JOB, Outcome.SUCCEEDED, LEFT)
    assert asked(jira).count(("PUT", f"/issue/{key}")) == 1
