"""The limits of writes to one issue: as the stand-in holds to them, and as JiraCloud stays below them."""

import pytest
from tests.contract.errors import fails
from tests.contract.jira_account import asked, connected
from tests.contract.jira_calls import EDITED, MARK, add_issues
from tests.contract.jira_client import Client, log_in
from tests.fakes.clock import FakeClock

from alm.standins.jira import JiraStandIn, paragraphs
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.comment_text import split_markdown
from orchestrator.errors import TransientError

PARTS = 60
ROOM = 24_000


@pytest.fixture(autouse=True)
def issues(jira: JiraStandIn, cloud: JiraCloud) -> None:
    add_issues(jira)
    cloud.read("DEMO-1")
    jira.forget_requests()


@pytest.fixture
def client(jira: JiraStandIn, cloud: JiraCloud) -> Client:
    """A client that keeps no pace of its own."""
    made = Client(jira, cloud.session)
    made.session.headers["authorization"] = f"Bearer {log_in(jira).json()['access_token']}"
    return made


def statuses(client: Client, count: int, issue: str = "DEMO-1") -> list[int]:
    body = {"body": paragraphs("text")}
    return [client.send("POST", f"/issue/{issue}/comment", body).status_code for _ in range(count)]


def test_the_standin_takes_twenty_writes_in_two_seconds(client: Client, clock: FakeClock) -> None:
    assert statuses(client, 21) == [201] * 20 + [429]
    refused = client.send("PUT", "/issue/DEMO-1", {"update": {"labels": [{"add": "x"}]}})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert refused.headers["ratelimit-reason"] == "jira-per-issue-on-write"
    assert statuses(client, 1, "DEMO-2") == [201]
    assert client.send("GET", "/issue/DEMO-1").status_code == 200
    clock.now += 2
    assert statuses(client, 1) == [201]


def test_the_standin_takes_a_hundred_writes_in_thirty_seconds(client: Client, clock: FakeClock) -> None:
    for _ in range(5):
        assert statuses(client, 20) == [201] * 20
        clock.now += 2
    refused = client.send("POST", "/issue/DEMO-1/comment", {"body": paragraphs("text")})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "20")
    clock.now += 20
    assert statuses(client, 20) == [201] * 20


def test_what_people_do_counts_for_no_limit_of_ours(jira: JiraStandIn, client: Client) -> None:
    for number in range(50):
        jira.add_label("DEMO-1", f"label-{number}")
    assert statuses(client, 1) == [201]


def test_a_comment_of_sixty_parts_gets_through_without_one_refusal(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock
) -> None:
    parts = split_markdown("A line of some length that goes on.\n\n" * (ROOM * PARTS // 37), ROOM)
    assert len(parts) >= PARTS
    started = clock.now
    for part in parts:
        cloud.comment("DEMO-1", part, MARK)
    assert [request.status for request in jira.requests] == [201] * len(parts)
    assert clock.now - started <= 2 * len(parts) / 15


def test_two_hundred_writes_to_an_issue_stay_below_both_limits(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock
) -> None:
    at = []
    for _ in range(100):
        cloud.edit_comment(*EDITED, "text")
        at.append(clock.now)
        cloud.ask_for(EDITED[0], "ai-fix")
        at.append(clock.now)
    assert {request.status for request in jira.requests} == {200, 204}
    assert all(later - earlier >= 2 for earlier, later in zip(at, at[15:], strict=False))
    assert all(later - earlier >= 30 for earlier, later in zip(at, at[80:], strict=False))


def test_a_few_writes_are_not_held_up(cloud: JiraCloud, clock: FakeClock) -> None:
    for _ in range(15):
        cloud.ask_for("DEMO-1", "ai-fix")
        cloud.ask_for("DEMO-2", "ai-fix")
    assert clock.slept == []


def test_a_write_that_is_sent_again_counts_again(
    jira: JiraStandIn, cloud: JiraCloud, client: Client, clock: FakeClock
) -> None:
    # Somebody else has used the issue's room: the tries that are refused are held to the limit as well.
    statuses(client, 20)
    jira.forget_requests()
    cloud.comment("DEMO-1", "text", MARK)
    assert [request.status for request in jira.requests] == [429, 201]
    assert len(clock.slept) == 1


def test_another_process_that_writes_too_leaves_room_for_both(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock
) -> None:
    other = connected(jira, clock)
    for _ in range(5):
        other.ask_for("DEMO-1", "ai-fix")
    for _ in range(40):
        cloud.ask_for("DEMO-1", "ai-fix")
    assert {request.status for request in jira.requests if "/issue/" in request.path} == {204}
    other.session.close()


def test_where_the_room_stays_taken_the_queue_is_told_how_long(
    jira: JiraStandIn, cloud: JiraCloud, client: Client, clock: FakeClock
) -> None:
    for _ in range(5):
        clock.now += 2
        statuses(client, 20)
    error = fails(TransientError, lambda: cloud.comment("DEMO-1", "text", MARK))
    assert "(jira-per-issue-on-write)" in str(error)
    assert error.after_s == 22
    assert asked(jira)[-1] == ("POST", "/issue/DEMO-1/comment")
