"""JiraCloud's token and site: renewed in time and once, found by address, refused in clear words."""

from dataclasses import replace

import pytest
from tests.contract.errors import fails
from tests.contract.jira_account import asked, authorizations, connected, handed_out
from tests.contract.jira_calls import Call, add_issues, every_call
from tests.fakes.clock import FakeClock

from alm.standins.http import Fault
from alm.standins.jira import JiraStandIn
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.errors import ConfigError, TransientError


@pytest.fixture(autouse=True)
def issues(jira: JiraStandIn, cloud: JiraCloud) -> None:
    """The issues of the calls, and a client that has signed in already."""
    add_issues(jira)
    cloud.read("DEMO-1")
    jira.forget_requests()


@every_call
def test_a_revoked_token_is_renewed_once_and_the_new_one_reaches_the_next_request(
    jira: JiraStandIn, cloud: JiraCloud, call: Call
) -> None:
    jira.revoke_tokens()
    call(cloud)
    assert asked(jira).count(("POST", "/oauth/token")) == 1
    refused, *accepted = authorizations(jira)
    assert [request.status for request in jira.requests].count(401) == 1
    assert len(set(accepted)) == 1
    assert refused not in accepted


def test_a_token_near_its_end_is_renewed_before_use(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock
) -> None:
    clock.now += jira.settings.expires_in_s - 30
    cloud.read("DEMO-1")
    assert asked(jira) == [("POST", "/oauth/token"), ("GET", "/issue/DEMO-1")]


def test_a_token_is_kept_while_it_is_good(jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock) -> None:
    clock.now += jira.settings.expires_in_s - 120
    cloud.read("DEMO-1")
    assert asked(jira) == [("GET", "/issue/DEMO-1")]


@every_call
def test_a_fresh_token_that_is_refused_is_a_matter_of_configuration(
    jira: JiraStandIn, cloud: JiraCloud, call: Call
) -> None:
    jira.faults.add(Fault("", "/rest/api/", 401, times=9))
    error = fails(ConfigError, lambda: call(cloud), handed_out(jira))
    assert "401" in str(error)
    assert "scopes" in str(error)
    assert asked(jira).count(("POST", "/oauth/token")) == 1


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_are_named_and_not_shown(
    jira: JiraStandIn, clock: FakeClock, status: int
) -> None:
    wrong = "a-wrong-secret"
    cloud = connected(jira, clock, JIRA_CLIENT_SECRET=wrong)
    jira.faults.add(Fault("POST", "/oauth/token", status))
    error = fails(ConfigError, lambda: cloud.read("DEMO-1"), [wrong])
    assert "JIRA_CLIENT_ID and JIRA_CLIENT_SECRET" in str(error)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", "/oauth/token", 429),
        Fault("POST", "/oauth/token", 503),
        Fault("POST", "/oauth/token", cut=True),
        Fault("POST", "/oauth/token", 200, body=b"<html>"),
        Fault("POST", "/oauth/token", 200, body={}),
        Fault("POST", "/oauth/token", 200, body=["token"]),
        Fault("POST", "/oauth/token", 200, body={"access_token": "t", "expires_in": "soon"}),
    ],
)
def test_a_sign_in_that_fails_is_tried_again_later(jira: JiraStandIn, clock: FakeClock, fault: Fault) -> None:
    cloud = connected(jira, clock)
    jira.faults.add(fault)
    fails(TransientError, lambda: cloud.read("DEMO-1"), handed_out(jira))
    assert cloud.read("DEMO-1") is not None


@pytest.mark.parametrize("fault", [Fault(status=429), Fault(status=503), Fault(cut=True), Fault(status=200)])
def test_sites_that_cannot_be_listed_now_are_asked_for_later(
    jira: JiraStandIn, clock: FakeClock, fault: Fault
) -> None:
    jira.settings = replace(jira.settings, tenant_info=False)
    cloud = connected(jira, clock)
    jira.faults.add(replace(fault, path="accessible-resources", body=b"<html>"))
    fails(TransientError, lambda: cloud.read("DEMO-1"), handed_out(jira))
    assert cloud.read("DEMO-1") is not None
