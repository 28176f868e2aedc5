"""How long a call waits for a service that is overloaded."""

from collections.abc import Mapping

import pytest

from orchestrator.domain.model_overload import (
    LEAST_PAUSE_S,
    MOST_SPREAD_S,
    hint_s,
    is_overloaded,
    pause_s,
)

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT


@pytest.mark.parametrize(
    ("status", "headers", "overloaded"),
    [
        (429, {}, True),
        (503, {}, True),
        (529, {"x-should-retry": "true"}, True),
        (429, {"x-should-retry": "False"}, False),
        (200, {}, False),
        (400, {"x-should-retry": "true"}, False),
        (500, {}, False),
        (502, {}, False),
    ],
)
def test_what_may_go_well_later_is_known_by_its_status(
    status: int, headers: Mapping[str, str], overloaded: bool
) -> None:
    assert is_overloaded(status, headers) is overloaded


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60.0),
        ("Sun, 06 Nov 1994 08:50:37 -0000", 60.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", None),
        ("0", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("soon", None),
        ("", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
        ("9" * 400, None),
    ],
)
def test_a_hint_is_read_in_either_form_and_no_nonsense_is_one(said: str, hint: float | None) -> None:
    assert hint_s({"retry-after": said}, NOW) == hint


def test_a_service_that_does_not_say_gives_no_hint() -> None:
    assert hint_s({}, NOW) is None


def test_without_a_hint_the_waits_double_from_a_second_to_a_minute() -> None:
    assert [pause_s(None, refusals, 0) for refusals in range(7)] == [1, 2, 4, 8, 16, 32, 48]
    assert [pause_s(None, refusals, 1) for refusals in (0, 6, 9999)] == [1.25, 60, 60]


@pytest.mark.parametrize("hint", [0.1, 1.0, 30.0, 86_400.0])
@pytest.mark.parametrize("refusals", [0, 3, 9999])
@pytest.mark.parametrize("chance", [0.0, 0.99])
def test_no_wait_is_shorter_than_the_hint_nor_much_longer(hint: float, refusals: int, chance: float) -> None:
    pause = pause_s(hint, refusals, chance)
    assert max(hint, 1.0) <= pause <= max(hint, LEAST_PAUSE_S) + MOST_SPREAD_S


def test_a_tiny_hint_given_again_and_again_is_no_hammer() -> None:
    assert pause_s(0.001, 8, 0) == LEAST_PAUSE_S


def test_two_callers_with_one_hint_come_back_apart() -> None:
    assert pause_s(20.0, 0, 0.9) - pause_s(20.0, 0, 0.1) == pytest.approx(4)
