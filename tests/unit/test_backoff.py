"""How long a service asks us to wait, read from its headers."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.backoff import asked_s, reason

NOW = 1_800_000_000.0
# The same moment plus 120 s, as the headers' several authors write it.
LATER = [
    "Fri, 15 Jan 2027 08:02:00 GMT",
    "Fri, 15 Jan 2027 08:02:00 -0000",
    "Fri, 15 Jan 2027 10:02:00 +0200",
]
RESETS = [
    "1800000120",
    "2027-01-15T08:02:00Z",
    "2027-01-15T08:02Z",
    "2027-01-15T10:02+02:00",
    "2027-01-15T08:02",
]


@pytest.fixture(params=["UTC", "Asia/Tokyo"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in that zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("said", ["120", *LATER])
def test_a_wait_is_the_same_in_each_of_its_forms_and_in_every_time_zone(said: str) -> None:
    assert asked_s({"retry-after": said}, NOW) == 120


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("said", RESETS)
def test_a_reset_is_the_same_in_each_of_its_forms_and_in_every_time_zone(said: str) -> None:
    assert asked_s({"x-ratelimit-remaining": "0", "x-ratelimit-reset": said}, NOW) == 120


def test_a_reset_says_nothing_while_something_is_left() -> None:
    assert asked_s({"x-ratelimit-remaining": "1", "x-ratelimit-reset": RESETS[0]}, NOW) is None


# Nearly dates: an offset of twenty digits once ended in an OverflowError.
DATES = st.text(" ,:+-0123456789.TZ", max_size=40).map("Fri, 15 Jan 2027{}".format) | st.text()


@given(DATES, DATES)
def test_no_header_makes_an_error_or_a_wait_below_zero(after: str, reset: str) -> None:
    headers = {"retry-after": after, "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    asked = asked_s(headers, NOW)
    assert asked is None or asked >= 0


@pytest.mark.parametrize(
    "said",
    [
        "Fri, 15 Jan 0000 08:02:00 GMT",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "1 Jan 1 1:1:1 +9999",
        "Fri, 15 Jan 2027 08:02:00 +99999999999999999999",
        "0001-01-01T00:00+23:59",
        "9999-12-31T23:59-23:59",
    ],
)
def test_a_date_that_no_calendar_has_makes_no_error(said: str) -> None:
    for headers in ({"retry-after": said}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": said}):
        asked = asked_s(headers, NOW)
        assert asked is None or asked >= 0


@pytest.mark.parametrize("said", ["", "two words", "<b>", "a" * 81, "JIRA"])
def test_a_reason_is_a_word_of_the_service_or_nothing(said: str) -> None:
    assert reason({"ratelimit-reason": said}) == ""
