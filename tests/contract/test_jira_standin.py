"""The Jira stand-in over HTTP: what it answers, held against Jira's own contract after every test."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from tests.contract.jira_client import Client, Clock, log_in
from tests.contract.openapi import ContractBroken, contract, known_contract

from alm.standins.http import Fault
from alm.standins.jira import JiraSettings, JiraStandIn, paragraphs

SPEC = ("jira-v3.json", "/ex/jira/[^/]+")
TODO = 'project = "DEMO" AND labels in ("ai-fix") ORDER BY created ASC'


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jira(clock: Clock) -> Iterator[JiraStandIn]:
    with JiraStandIn(clock=clock) as running:
        yield running
        spec = known_contract(*SPEC)
        if spec:
            spec.check_all(running.requests)


@pytest.fixture
def client(jira: JiraStandIn) -> Iterator[Client]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {log_in(jira).json()['access_token']}"
        yield Client(jira, session)


@pytest.mark.parametrize("name", ["client_id", "client_secret", "grant_type", "audience"])
def test_wrong_credentials_are_refused(jira: JiraStandIn, name: str) -> None:
    assert log_in(jira, **{name: "wrong"}).status_code == 401


def test_a_token_is_good_until_it_expires(jira: JiraStandIn, client: Client, clock: Clock) -> None:
    clock.now += jira.settings.expires_in_s - 1
    assert client.send("GET", "/myself").status_code == 200
    clock.now += 1
    assert client.send("GET", "/myself").status_code == 401


def test_revoked_tokens_are_refused_and_a_new_one_works(jira: JiraStandIn, client: Client) -> None:
    jira.revoke_tokens()
    assert client.send("GET", "/myself").status_code == 401
    client.session.headers["Authorization"] = f"Bearer {log_in(jira).json()['access_token']}"
    assert client.send("GET", "/myself").json()["accountId"] == jira.settings.service_account


def test_the_right_site_is_known_by_its_url_only(jira: JiraStandIn, client: Client) -> None:
    sites = client.session.get(f"{jira.url}/oauth/token/accessible-resources", timeout=10).json()
    assert [site["id"] == jira.settings.cloud_id for site in sites] == [False, True, False]
    assert [site["url"] == jira.url for site in sites] == [False, True, False]


def test_the_tenant_is_told_without_a_token_unless_switched_off(jira: JiraStandIn) -> None:
    address = f"{jira.url}/_edge/tenant_info"
    assert requests.get(address, timeout=10).json() == {"cloudId": jira.settings.cloud_id}
    jira.settings = replace(jira.settings, tenant_info=False)
    assert requests.get(address, timeout=10).status_code == 404


def test_another_cloud_id_has_no_site(jira: JiraStandIn, client: Client) -> None:
    address = jira.api.replace(jira.settings.cloud_id, "another")
    assert client.session.get(f"{address}/issue/DEMO-1", timeout=10).status_code == 404


def test_the_removed_search_is_gone(client: Client) -> None:
    address = f"{client.jira.api}/search"
    assert client.session.get(address, timeout=10).status_code == 410
    # Jira's contract no longer knows the operation.
    client.jira.forget_requests()


def test_search_finds_by_project_label_and_type_in_the_order_of_creation(
    jira: JiraStandIn, client: Client
) -> None:
    first = jira.create_issue("Bug", "First", labels=["ai-fix"]).key
    jira.create_issue("Bug", "No label")
    jira.create_issue("Task", "Wrong type", labels=["ai-fix"])
    second = jira.create_issue("Story", "Second", labels=["x", "ai-fix"]).key
    jql = (
        'project = "DEMO" AND issuetype in (bug, "Story") and labels in ("ai-fix", "other") order by created '
    )
    assert client.found(jql + "ASC") == [first, second]
    assert client.found(jql + "DESC") == [second, first]


def test_search_reads_escaped_quotes_and_backslashes(jira: JiraStandIn, client: Client) -> None:
    issue = jira.create_issue("Bug", "Odd", labels=['a"b\\c'])
    assert client.found(r'project = "DEMO" AND labels = "a\"b\\c"') == [issue.key]


@pytest.mark.parametrize(
    "jql",
    [
        "",
        "ORDER BY created ASC",
        'labels = "a" OR labels = "b"',
        'labels != "a"',
        'assignee = "me"',
        'labels in ("a"',
        'labels = "a',
        'labels = "a" ORDER BY rank',
        'project = "NOPE"',
        'issuetype in ("Nope")',
    ],
)
def test_search_refuses_what_it_does_not_understand(client: Client, jql: str) -> None:
    answer = client.send("POST", "/search/jql", {"jql": jql})
    assert (answer.status_code, len(answer.json()["errorMessages"])) == (400, 1)


def test_search_gives_ids_only_unless_fields_are_named(jira: JiraStandIn, client: Client) -> None:
    issue = jira.create_issue("Bug", "Broken", labels=["ai-fix"])
    assert client.search(TODO)["issues"] == [{"id": issue.id}]
    named = client.search(TODO, fields=["labels"], properties=["alm.job"])["issues"][0]
    assert (named["fields"], named["properties"]) == ({"labels": ["ai-fix"]}, {})


def test_a_short_page_is_not_the_last(jira: JiraStandIn, client: Client) -> None:
    keys = [jira.create_issue("Bug", "Broken", labels=["ai-fix"]).key for _ in range(5)]
    jira.settings = replace(jira.settings, page_cap=2)
    pages = [client.search(TODO, fields=["key"], maxResults=50)]
    while not pages[-1]["isLast"]:
        token = pages[-1]["nextPageToken"]
        pages.append(client.search(TODO, fields=["key"], maxResults=50, nextPageToken=token))
    assert [[issue["key"] for issue in page["issues"]] for page in pages] == [keys[:2], keys[2:4], keys[4:]]


def test_the_index_shows_an_edit_late_and_a_reconciled_issue_at_once(
    jira: JiraStandIn, client: Client, clock: Clock
) -> None:
    jira.settings = replace(jira.settings, index_lag_s=5)
    issue = jira.create_issue("Bug", "Broken", labels=["ai-fix"])
    assert client.found(TODO) == []
    clock.now += 5
    jira.remove_label(issue.key, "ai-fix")
    assert client.found(TODO) == [issue.key]
    assert client.search(TODO, reconcileIssues=[int(issue.id)])["issues"] == []
    clock.now += 5
    assert client.found(TODO) == []


def test_an_edit_is_whole_or_not_at_all(jira: JiraStandIn, client: Client) -> None:
    before = jira.create_issue("Bug", "Broken", labels=["ai-fix"])
    bad = {
        "update": {"labels": [{"remove": "ai-fix"}, {"add": "two words"}]},
        "properties": [{"key": "alm.job", "value": 1}],
    }
    assert client.send("PUT", f"/issue/{before.key}", bad).status_code == 400
    assert jira.issue(before.key) == before


def test_one_edit_swaps_labels_and_writes_a_property(jira: JiraStandIn, client: Client) -> None:
    key = jira.create_issue("Bug", "Broken", labels=["ai-fix", "urgent"]).key
    swap = {
        "update": {"labels": [{"add": "ai-processing"}, {"remove": "ai-fix"}]},
        "properties": [{"key": "alm.job", "value": {"id": "j1"}}],
    }
    assert client.send("PUT", f"/issue/{key}", swap).status_code == 204
    issue = jira.issue(key)
    assert issue.labels == ("urgent", "ai-processing")
    last = issue.label_history[-1]
    assert (last.author, last.added, last.removed) == (
        jira.settings.service_account,
        ("ai-processing",),
        ("ai-fix",),
    )
    read = client.send("GET", f"/issue/{key}", fields="labels", properties="alm.job").json()
    assert read["properties"] == {"alm.job": {"id": "j1"}}


def test_an_issue_that_is_deleted_or_never_was_answers_404(jira: JiraStandIn, client: Client) -> None:
    key = jira.create_issue("Bug", "Broken").key
    jira.delete_issue(key)
    for missing in (key, "DEMO-99"):
        answer = client.send("GET", f"/issue/{missing}")
        assert answer.status_code == 404
        assert answer.json()["errorMessages"] == [
            "Issue does not exist or you do not have permission to see it."
        ]


def test_a_property_is_created_replaced_and_deleted(jira: JiraStandIn, client: Client) -> None:
    path = f"/issue/{jira.create_issue('Bug', 'Broken').key}/properties/alm.job"
    assert client.send("PUT", path, {"id": 1}).status_code == 201
    assert client.send("PUT", path, {"id": 2}).status_code == 200
    assert client.send("GET", path).json() == {"key": "alm.job", "value": {"id": 2}}
    assert client.send("PUT", path, "x" * 32_767).status_code == 400
    assert client.send("DELETE", path).status_code == 204
    assert client.send("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("text", "not valid"),
        ({"type": "doc", "version": 2, "content": []}, "not valid"),
        ({"type": "doc", "version": 1, "content": [{"type": "text", "text": ""}]}, "INVALID_INPUT"),
        (paragraphs("x" * 32_768), "CONTENT_LIMIT_EXCEEDED"),
    ],
)
def test_a_comment_that_is_no_adf_or_too_long_is_refused(
    jira: JiraStandIn, client: Client, body: Any, word: str
) -> None:
    key = jira.create_issue("Bug", "Broken").key
    answer = client.send("POST", f"/issue/{key}/comment", {"body": body})
    assert (answer.status_code, word in answer.text) == (400, True)
    assert jira.issue(key).comments == ()


def test_a_comment_carries_properties_that_have_their_own_address(jira: JiraStandIn, client: Client) -> None:
    key = jira.create_issue("Bug", "Broken").key
    body = {"body": paragraphs("x" * 32_767), "properties": [{"key": "alm.job", "value": {"id": "j1"}}]}
    comment = client.send("POST", f"/issue/{key}/comment", body).json()
    path = f"/comment/{comment['id']}/properties"
    assert client.send("GET", f"{path}/alm.job").json()["value"] == {"id": "j1"}
    assert client.send("GET", f"{path}/other").status_code == 404
    edited = client.send("PUT", f"/issue/{key}/comment/{comment['id']}", {"body": paragraphs("new")})
    assert edited.json()["body"] == paragraphs("new")
    assert jira.issue(key).comments[0].properties == {"alm.job": {"id": "j1"}}


def test_comments_come_in_pages_oldest_or_newest_first(jira: JiraStandIn, client: Client) -> None:
    path = f"/issue/{jira.create_issue('Bug', 'Broken').key}/comment"
    for number in range(3):
        jira.add_comment("DEMO-1", "ann", f"comment {number}")
    newest = client.send("GET", path, orderBy="-created", maxResults=2).json()
    assert (newest["total"], [text_of(one) for one in newest["comments"]]) == (3, ["comment 2", "comment 1"])
    rest = client.send("GET", path, startAt=2).json()["comments"]
    assert [(text_of(one), one["author"]["accountId"]) for one in rest] == [("comment 2", "ann")]
    assert client.send("GET", path, orderBy="author").status_code == 400


def text_of(comment: Any) -> str:
    text: str = comment["body"]["content"][0]["content"][0]["text"]
    return text


def test_a_fault_before_leaves_the_issue_alone(jira: JiraStandIn, client: Client) -> None:
    key = jira.create_issue("Bug", "Broken", labels=["ai-fix"]).key
    conflict = {"errorMessages": ["conflict"], "errors": {}}
    jira.faults.add(Fault("PUT", f"/issue/{key}$", 409, {"Retry-After": "1"}, conflict))
    edit = {"update": {"labels": [{"remove": "ai-fix"}]}}
    refused = client.send("PUT", f"/issue/{key}", edit)
    assert (refused.status_code, refused.headers["Retry-After"]) == (409, "1")
    assert jira.issue(key).labels == ("ai-fix",)
    assert client.send("PUT", f"/issue/{key}", edit).status_code == 204


def test_an_answer_can_be_lost_after_the_write(jira: JiraStandIn, client: Client) -> None:
    key = jira.create_issue("Bug", "Broken").key
    jira.faults.add(Fault("POST", "/comment$", when="after", cut=True))
    with pytest.raises(requests.ConnectionError):
        client.send("POST", f"/issue/{key}/comment", {"body": paragraphs("once")})
    assert [comment.text for comment in jira.issue(key).comments] == ["once"]
    assert [(request.method, request.status) for request in jira.requests][-1] == ("POST", 0)
    assert jira.faults.pending() == ()


def test_a_chunked_body_is_read_whole(jira: JiraStandIn, client: Client) -> None:
    jira.create_issue("Bug", "Broken", labels=["ai-fix"])
    chunks = iter([b'{"jql": "labels ', b'= \\"ai-fix\\""}'])
    headers = {"Content-Type": "application/json"}
    answer = client.session.post(f"{jira.api}/search/jql", data=chunks, headers=headers, timeout=10)
    assert len(answer.json()["issues"]) == 1


def test_the_contract_notices_an_unknown_operation_and_a_wrong_answer(
    jira: JiraStandIn, client: Client
) -> None:
    spec = contract(*SPEC)
    jira.create_issue("Bug", "Broken")
    client.send("GET", "/issue/DEMO-1/votes")
    client.send("GET", "/issue/DEMO-1", typo=1)
    jira.faults.add(Fault(when="after", status=200, body={"surprise": 1}))
    client.send("GET", "/issue/DEMO-1")
    for exchange in jira.requests[-3:]:
        with pytest.raises(ContractBroken):
            spec.check(exchange)
    jira.forget_requests()


def test_settings_choose_the_project(clock: Clock) -> None:
    with JiraStandIn(JiraSettings(project_key="SHOP"), clock) as jira:
        assert jira.create_issue("Bug", "Broken").key == "SHOP-1"
        assert jira.environment()["JIRA_PROJECT_KEY"] == "SHOP"
