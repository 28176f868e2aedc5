"""JiraCloud when Jira, the line or the token fails: what is repeated, what is raised, what it says."""

from dataclasses import replace

import pytest
from tests.contract.errors import fails
from tests.contract.jira_account import ASKED, JOB, asked, authorizations, connected, handed_out
from tests.contract.jira_calls import (
    CALLS,
    EDITS,
    LAST,
    MARK,
    WRITES,
    Call,
    add_issues,
    comment,
    each,
    every_call,
    repeatable_calls,
)
from tests.contract.raw_server import RawServer, sends
from tests.fakes.clock import FakeClock

from alm.standins.http import Fault
from alm.standins.jira import JiraStandIn
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.errors import NotFoundError, OrchestratorError, RefusedError, TransientError


@pytest.fixture(autouse=True)
def issues(jira: JiraStandIn, cloud: JiraCloud) -> None:
    """The issues of the calls, and a client that has signed in already."""
    add_issues(jira)
    cloud.read("DEMO-1")
    jira.forget_requests()


@repeatable_calls
@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429),
        Fault(status=500),
        Fault(status=503),
        Fault(status=502, when="after"),
        Fault(cut=True),
        Fault(cut=True, when="after"),
    ],
    ids=["429", "500", "503", "502-after-write", "cut-before-write", "cut-after-write"],
)
def test_what_is_safe_to_repeat_is_repeated(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock, call: Call, fault: Fault
) -> None:
    jira.faults.add(replace(fault, path="/rest/api/", times=2))
    call(cloud)
    assert jira.faults.pending() == ()
    first, second = clock.slept
    assert 0 < first < second < 2


@each(WRITES)
@pytest.mark.parametrize(
    "fault",
    [
        Fault(cut=True),
        Fault(cut=True, when="after"),
        Fault(status=500),
        Fault(status=502, when="after"),
        Fault(status=503, headers={"Retry-After": "1"}),
    ],
    ids=["cut-before", "cut-after", "500", "502-after", "503-with-hint"],
)
def test_a_write_that_may_have_been_carried_out_is_not_sent_again(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock, call: Call, fault: Fault
) -> None:
    jira.faults.add(replace(fault, path="/rest/api/"))
    fails(TransientError, lambda: call(cloud), handed_out(jira))
    assert len(authorizations(jira)) == 1
    assert clock.slept == []


@each(EDITS)
def test_a_write_that_was_not_taken_for_its_rate_is_sent_again(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock, call: Call
) -> None:
    jira.faults.add(Fault("", "/rest/api/", 429, times=4))
    call(cloud)
    assert len(authorizations(jira)) == 5
    assert len(clock.slept) == 4


@each(LAST)
def test_an_edit_of_a_comment_is_sent_once_whatever_becomes_of_it(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock, call: Call
) -> None:
    jira.faults.add(Fault("PUT", "/comment/", 429, {"Retry-After": "1"}))
    assert fails(TransientError, lambda: call(cloud)).after_s == 1
    assert len(authorizations(jira)) == 1
    assert clock.slept == []


def test_a_claim_whose_answer_is_lost_does_not_take_a_label_that_was_put_on_since(
    jira: JiraStandIn, cloud: JiraCloud
) -> None:
    jira.faults.add(Fault("PUT", cut=True, when="after"))
    fails(TransientError, lambda: cloud.claim(JOB, ASKED))
    jira.add_label("DEMO-1", JOB.label)
    assert asked(jira).count(("PUT", "/issue/DEMO-1")) == 1
    assert set(jira.issue("DEMO-1").labels) == {"ai-processing", "ai-fix"}


@pytest.mark.parametrize(
    ("fault", "written"),
    [
        (Fault(cut=True), 0),
        (Fault(cut=True, when="after"), 1),
        (Fault(status=500), 0),
        (Fault(status=502, when="after"), 1),
        (Fault(status=201, body=b'{"id": "1', when="after"), 1),
    ],
    ids=["cut-before", "cut-after", "500", "502-after", "half-after"],
)
def test_a_comment_whose_answer_is_lost_is_not_posted_again(
    jira: JiraStandIn, cloud: JiraCloud, fault: Fault, written: int
) -> None:
    jira.faults.add(replace(fault, method="POST", path="/comment"))
    fails(TransientError, lambda: comment(cloud), handed_out(jira))
    assert asked(jira).count(("POST", "/issue/DEMO-1/comment")) == 1
    assert len(jira.issue("DEMO-1").comments) == len(list(cloud.own_comments("DEMO-1"))) == written
    # Half an answer fits no contract.
    jira.forget_requests()


def test_a_document_jira_does_not_take_is_posted_as_a_code_block(jira: JiraStandIn, cloud: JiraCloud) -> None:
    jira.faults.add(Fault("POST", "/comment", 400, body={"errorMessages": ["INVALID_INPUT"], "errors": {}}))
    cloud.comment("DEMO-1", "## A *title*", MARK)
    (comment,) = jira.issue("DEMO-1").comments
    (block,) = comment.body["content"]
    assert (block["type"], block["content"][0]["text"]) == ("codeBlock", "## A *title*")
    assert list(cloud.own_comments("DEMO-1")) == [MARK]


def test_a_code_block_jira_does_not_take_either_is_refused_in_its_words(
    jira: JiraStandIn, cloud: JiraCloud
) -> None:
    said = {"errorMessages": ["CONTENT_LIMIT_EXCEEDED"], "errors": {"comment": "is too long"}}
    jira.faults.add(Fault("POST", "/comment", 400, body=said, times=2))
    error = fails(RefusedError, lambda: comment(cloud), handed_out(jira))
    assert error.status == 400
    assert "CONTENT_LIMIT_EXCEEDED is too long" in str(error)


@repeatable_calls
@pytest.mark.parametrize(("status", "cut"), [(429, False), (500, False), (200, True)])
def test_after_four_more_tries_the_queue_takes_over(
    jira: JiraStandIn, cloud: JiraCloud, call: Call, status: int, cut: bool
) -> None:
    jira.faults.add(Fault("", "/rest/api/", status, times=99, cut=cut))
    fails(TransientError, lambda: call(cloud), handed_out(jira))
    assert len(authorizations(jira)) == 5


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, RefusedError, "(400): no reason given"),
        (403, RefusedError, "project role"),
        (404, NotFoundError, "may not see it"),
        (409, TransientError, "409"),
        (410, RefusedError, "(410)"),
        (413, RefusedError, "(413)"),
    ],
)
def test_a_refusal_says_what_a_person_can_do(
    jira: JiraStandIn, cloud: JiraCloud, status: int, kind: type[OrchestratorError], words: str
) -> None:
    jira.faults.add(Fault("PUT", "/issue/", status))
    error = fails(kind, lambda: cloud.claim(JOB, ASKED), handed_out(jira))
    assert words in str(error)
    # Jira's document does not know every status there is.
    jira.forget_requests()


@every_call
@pytest.mark.parametrize("body", [b"<html>", b'{"issues": [', b""], ids=["html", "half", "nothing"])
def test_an_answer_that_is_not_json_is_tried_again_later(
    jira: JiraStandIn, cloud: JiraCloud, call: Call, body: bytes
) -> None:
    jira.faults.add(Fault("", "/rest/api/", 200, body=body))
    fails(TransientError, lambda: call(cloud), handed_out(jira))
    # Answers like these fit no contract; the same holds below.
    jira.forget_requests()


@pytest.mark.parametrize("name", ["search", "read", "own_comments", "comments"])
@pytest.mark.parametrize("body", [b"null", [], {}, {"issues": [{"fields": 1}], "comments": [1], "total": 1}])
def test_json_that_is_not_jiras_is_tried_again_later(
    jira: JiraStandIn, cloud: JiraCloud, name: str, body: object
) -> None:
    jira.faults.add(Fault("", "/rest/api/", 200, body=body))
    fails(TransientError, lambda: CALLS[name](cloud), handed_out(jira))
    jira.forget_requests()


@every_call
def test_a_redirect_is_no_answer_and_the_token_does_not_follow_it(
    jira: JiraStandIn, cloud: JiraCloud, call: Call
) -> None:
    with RawServer(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as elsewhere:
        jira.faults.add(Fault("", "/rest/api/", 302, {"Location": elsewhere.url}))
        fails(TransientError, lambda: call(cloud), handed_out(jira))
        assert elsewhere.requests == []
    jira.forget_requests()


@repeatable_calls
def test_an_answer_that_breaks_off_is_asked_for_again(
    jira: JiraStandIn, clock: FakeClock, call: Call
) -> None:
    half = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"issues": ['
    with RawServer(sends(half)) as server:
        cloud = connected(jira, clock, ATLASSIAN_API_URL_PATTERN=f"{server.url}/{{cloud_id}}")
        fails(TransientError, lambda: call(cloud), handed_out(jira))
        assert len(server.requests) == 5


def test_nobody_listening_is_tried_again_later(jira: JiraStandIn, clock: FakeClock) -> None:
    with RawServer(sends(b"")) as server:
        address = server.url
    cloud = connected(jira, clock, ATLASSIAN_API_URL_PATTERN=f"{address}/{{cloud_id}}")
    fails(TransientError, lambda: cloud.read("DEMO-1"), handed_out(jira))
