"""JiraCloud's comments: posted with a mark, edited in place, found again among everybody's."""

from dataclasses import replace

import pytest
from tests.contract.errors import fails
from tests.contract.jira_account import asked
from tests.contract.jira_calls import MARK

from alm.standins.http import Fault
from alm.standins.jira import JiraStandIn, paragraphs
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.status import STATUS_PART
from orchestrator.errors import NotFoundError, TransientError

STATUS = replace(MARK, part=STATUS_PART, outcome="")
REFUSED = {"errorMessages": ["INVALID_INPUT"], "errors": {}}


def bug(jira: JiraStandIn, *labels: str) -> str:
    return jira.create_issue("Bug", "Broken", description="It is.", labels=labels or ["ai-fix"]).key


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


def test_a_comments_id_is_the_one_it_has_on_the_ticket(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    made = [cloud.comment(key, text, MARK) for text in ("one", "two")]
    assert made == [comment.id for comment in jira.issue(key).comments]
    assert [comment.id for comment in cloud.own_comments(key)] == made[::-1]


def test_a_comment_posted_as_a_code_block_has_its_id_too(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    jira.faults.add(Fault("POST", "/comment", 400, body=REFUSED))
    made = cloud.comment(key, "text", MARK)
    assert [comment.id for comment in jira.issue(key).comments] == [made]


@pytest.mark.parametrize("body", [{}, [], {"self": "…"}])
def test_a_posted_comment_without_an_id_is_looked_for_by_the_next_delivery(
    jira: JiraStandIn, cloud: JiraCloud, body: object
) -> None:
    key = bug(jira)
    jira.faults.add(Fault("POST", "/comment", 201, body=body, when="after"))
    fails(TransientError, lambda: cloud.comment(key, "text", MARK))
    # Such an answer fits no contract.
    jira.forget_requests()
    assert list(cloud.own_comments(key)) == [MARK]


def test_a_comment_is_edited_in_place_and_keeps_its_mark(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    made = cloud.comment(key, "queued", STATUS)
    cloud.comment(key, "another", MARK)
    before = jira.issue(key).comments
    cloud.edit_comment(key, made, "**running**")
    after = jira.issue(key).comments
    assert [comment.id for comment in after] == [comment.id for comment in before]
    assert (after[0].text, after[0].created) == ("running", before[0].created)
    assert after[0].properties == before[0].properties
    assert after[1] == before[1]


def test_an_edit_is_one_request(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    made = cloud.comment(key, "queued", STATUS)
    jira.forget_requests()
    cloud.edit_comment(key, made, "running")
    assert asked(jira) == [("PUT", f"/issue/{key}/comment/{made}")]


def test_editing_a_comment_that_was_deleted_is_no_error_and_makes_no_new_one(
    jira: JiraStandIn, cloud: JiraCloud
) -> None:
    key = bug(jira)
    made = cloud.comment(key, "queued", STATUS)
    jira.delete_comment(key, made)
    cloud.edit_comment(key, made, "running")
    assert jira.issue(key).comments == ()


def test_editing_a_comment_of_an_issue_that_is_gone_is_no_error(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    made = cloud.comment(key, "queued", STATUS)
    jira.delete_issue(key)
    cloud.edit_comment(key, made, "running")


def test_an_edit_jira_does_not_take_as_a_document_becomes_a_code_block(
    jira: JiraStandIn, cloud: JiraCloud
) -> None:
    key = bug(jira)
    made = cloud.comment(key, "queued", STATUS)
    jira.faults.add(Fault("PUT", "/comment/", 400, body=REFUSED))
    cloud.edit_comment(key, made, "**running**")
    (block,) = jira.issue(key).comments[0].body["content"]
    assert (block["type"], block["content"][0]["text"]) == ("codeBlock", "**running**")


def test_a_status_comment_is_found_by_its_mark_among_results(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    made = cloud.comment(key, "queued", STATUS)
    cloud.comment(key, "result", MARK)
    jira.add_comment(key, "ann", "thanks")
    cloud.edit_comment(key, made, "done")
    found = [comment for comment in cloud.own_comments(key) if comment.part == STATUS_PART]
    assert found == [STATUS]
    assert [(comment.id, comment.text.strip()) for comment in found] == [(made, "done")]


def test_commenting_on_an_issue_that_is_gone_says_so(jira: JiraStandIn, cloud: JiraCloud) -> None:
    key = bug(jira)
    jira.delete_issue(key)
    fails(NotFoundError, lambda: cloud.comment(key, "text", MARK))
