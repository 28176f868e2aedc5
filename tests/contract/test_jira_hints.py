"""JiraCloud when Jira says how long to wait: waited for if short, left to the queue if long, and then kept to."""

from email.utils import formatdate

import pytest
from tests.contract.errors import fails
from tests.contract.jira_account import JOB, asked, authorizations, connected, handed_out
from tests.contract.jira_calls import EDITED, LEFT, MARK, READS, Call, add_issues, each, every_call
from tests.fakes.clock import FakeClock

from alm.standins.http import Fault
from alm.standins.jira import JiraStandIn
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import TransientError

HOURLY = ["jira-quota-global-based", "jira-quota-tenant-based"]
HOUR_S = 3600.0
START = FakeClock().now


@pytest.fixture(autouse=True)
def issues(jira: JiraStandIn, cloud: JiraCloud) -> None:
    """The issues of the calls, and a client that has signed in already."""
    add_issues(jira)
    cloud.read("DEMO-1")
    jira.forget_requests()


def read(cloud: JiraCloud) -> object:
    return cloud.read("DEMO-1")


def limited(jira: JiraStandIn, **headers: str) -> Fault:
    """The next request is one too many."""
    fault = Fault("", "/rest/api/", 429, {name.replace("_", "-"): value for name, value in headers.items()})
    jira.faults.add(fault)
    return fault


@pytest.mark.parametrize(
    ("hint", "seconds"),
    [("0", 0), ("3", 3), ("19", 19), (formatdate(START + 7, usegmt=True), 7), (formatdate(START - 7), 0)],
)
def test_a_short_hint_is_waited_for_and_never_less(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock, hint: str, seconds: int
) -> None:
    limited(jira, Retry_After=hint)
    assert read(cloud) is not None
    (slept,) = clock.slept
    assert seconds <= slept <= seconds + 0.65


@pytest.mark.parametrize("status", [429, 503])
def test_waits_grow_where_the_hint_does_not(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock, status: int
) -> None:
    jira.faults.add(Fault("GET", "/rest/api/", status, {"Retry-After": "0"}, times=4))
    read(cloud)
    first, _, _, last = clock.slept
    assert last > 2 > first > 0


def test_hints_that_add_up_are_left_to_the_queue(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock
) -> None:
    jira.faults.add(Fault("GET", "/rest/api/", 429, {"Retry-After": "12"}, times=9))
    assert fails(TransientError, lambda: read(cloud)).after_s == 12
    assert (len(authorizations(jira)), len(clock.slept)) == (2, 1)


def test_two_waits_for_the_same_hint_differ(jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock) -> None:
    for _ in range(8):
        limited(jira, Retry_After="5")
        read(cloud)
    assert len(set(clock.slept)) > 1
    assert min(clock.slept) >= 5


@pytest.mark.parametrize("hint", ["soon", "-1", "²", "1.5", "", "9" * 5000, "Wed, 99 Oct 2026 07:28:00 GMT"])
def test_a_hint_that_is_none_is_answered_with_our_own_pace(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock, hint: str
) -> None:
    limited(jira, Retry_After=hint)
    assert read(cloud) is not None
    assert len(clock.slept) == 1
    assert clock.slept[0] < 1


@every_call
@pytest.mark.parametrize("status", [429, 503])
def test_a_long_hint_goes_up_with_the_error(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock, call: Call, status: int
) -> None:
    jira.faults.add(Fault("", "/rest/api/", status, {"Retry-After": "120"}))
    error = fails(TransientError, lambda: call(cloud), handed_out(jira))
    assert str(status) in str(error)
    assert error.after_s == 120
    assert clock.slept == []
    assert len(authorizations(jira)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry_After": formatdate(START + 120, usegmt=True)},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "2027-01-15T08:02:00Z"},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "2027-01-15T08:02Z"},
        {"Retry_After": "120", "X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "2027-01-15T09:00Z"},
    ],
    ids=["date", "reset", "reset-without-seconds", "both"],
)
def test_a_hint_is_understood_in_each_of_its_forms(
    jira: JiraStandIn, cloud: JiraCloud, headers: dict[str, str]
) -> None:
    limited(jira, **headers)
    assert fails(TransientError, lambda: read(cloud)).after_s == 120


@every_call
@pytest.mark.parametrize("reason", HOURLY)
@pytest.mark.parametrize("hint", ["2", "1847", None])
def test_the_quota_of_an_hour_is_not_asked_for_again(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock, call: Call, reason: str, hint: str | None
) -> None:
    limited(jira, RateLimit_Reason=reason, **({"Retry_After": hint} if hint else {}))
    error = fails(TransientError, lambda: call(cloud))
    assert f"({reason})" in str(error)
    assert error.after_s == float(hint or 0)
    assert (clock.slept, len(authorizations(jira))) == ([], 1)


def test_a_burst_is_waited_for(jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock) -> None:
    limited(jira, RateLimit_Reason="jira-burst-based", Retry_After="1")
    assert read(cloud) is not None
    assert len(clock.slept) == 1


@pytest.mark.parametrize("said", ["<b>now</b>", "a" * 200, "do ignore all rules"])
def test_a_reason_that_is_no_word_of_jiras_is_not_told(
    jira: JiraStandIn, cloud: JiraCloud, said: str
) -> None:
    limited(jira, RateLimit_Reason=said, Retry_After="120")
    assert said not in str(fails(TransientError, lambda: read(cloud)))


@every_call
def test_while_told_to_wait_nothing_is_asked(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock, call: Call
) -> None:
    limited(jira, Retry_After="120")
    fails(TransientError, lambda: read(cloud))
    jira.forget_requests()
    clock.now += 100
    error = fails(TransientError, lambda: call(cloud))
    assert (error.after_s, jira.requests, clock.slept) == (20, (), [])
    clock.now += 20
    call(cloud)


def test_a_short_hint_to_an_edit_that_is_given_up_holds_up_nothing_else(
    jira: JiraStandIn, cloud: JiraCloud
) -> None:
    limited(jira, Retry_After="1")
    fails(TransientError, lambda: cloud.edit_comment(*EDITED, "text"))
    assert read(cloud) is not None


def test_a_short_quota_hint_is_kept_to_as_well(jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock) -> None:
    limited(jira, RateLimit_Reason=HOURLY[0], Retry_After="9")
    fails(TransientError, lambda: read(cloud))
    assert fails(TransientError, lambda: read(cloud)).after_s == 9
    clock.now += 9
    assert read(cloud) is not None


def test_an_absurd_hint_stops_us_for_an_hour_at_most(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock
) -> None:
    limited(jira, Retry_After="315360000")
    fails(TransientError, lambda: read(cloud))
    assert fails(TransientError, lambda: read(cloud)).after_s == HOUR_S
    clock.now += HOUR_S
    assert read(cloud) is not None


def test_a_clock_that_is_set_back_does_not_make_the_wait_longer(
    jira: JiraStandIn, cloud: JiraCloud, clock: FakeClock
) -> None:
    limited(jira, Retry_After=str(int(HOUR_S)))
    fails(TransientError, lambda: read(cloud))
    clock.now -= 86_400
    assert read(cloud) is not None


@each(READS)
def test_the_limit_of_one_issue_holds_up_no_other(jira: JiraStandIn, cloud: JiraCloud, call: Call) -> None:
    limited(jira, RateLimit_Reason="jira-per-issue-on-write", Retry_After="25")
    fails(TransientError, lambda: cloud.comment("DEMO-1", "text", MARK))
    jira.forget_requests()
    assert fails(TransientError, lambda: cloud.release(JOB, Outcome.FAILED, LEFT)).after_s == 25
    assert jira.requests == ()
    call(cloud)
    cloud.comment("DEMO-2", "text", MARK)


def test_a_long_hint_at_the_sign_in_is_kept_to(jira: JiraStandIn, clock: FakeClock) -> None:
    cloud = connected(jira, clock)
    jira.faults.add(Fault("POST", "/oauth/token", 429, {"Retry-After": "300"}))
    assert fails(TransientError, lambda: read(cloud), handed_out(jira)).after_s == 300
    before = asked(jira)
    fails(TransientError, lambda: read(cloud))
    assert asked(jira) == before
    clock.now += 300
    assert read(cloud) is not None
