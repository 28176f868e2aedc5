"""The word that time or money is nearly over: when it is said, how, and where in the request it stands."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.model_wrap_up import Allowance, with_notice

TOOLS = [{"name": "Read", "input_schema": {}}]
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "x", "cache_control": {"type": "ephemeral"}}
WORD = {"type": "text", "text": "soon"}


def _notice(elapsed_s: float = 0.0, spent_usd: float = 0.0, limit_s: float = 1200.0) -> str | None:
    return Allowance(limit_s, elapsed_s, 2.0, spent_usd).notice()


def _asked(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m", "tools": TOOLS, "messages": list(messages), **more}


def _user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_before_nine_tenths_of_either_nothing_is_said() -> None:
    assert _notice(1079.9, 1.79) is None


@pytest.mark.parametrize(
    ("elapsed_s", "words"),
    [
        (1080, "about 2 minutes are left"),
        (1130, "about a minute is left"),
        (1141, "less than a minute is left"),
        (1300, "less than a minute is left"),
    ],
)
def test_from_nine_tenths_of_the_time_on_the_agent_hears_how_much_is_left(
    elapsed_s: float, words: str
) -> None:
    said = _notice(elapsed_s)
    assert said is not None
    assert said.startswith(f"Your time is nearly over: {words}.")


def test_from_nine_tenths_of_the_budget_on_the_agent_hears_it() -> None:
    said = _notice(spent_usd=1.8)
    assert said is not None
    assert said.startswith("Your budget is nearly used up: 90% of it is spent.")


def test_either_word_asks_for_the_final_answer_and_what_is_undone() -> None:
    for said in (_notice(1100), _notice(spent_usd=1.9)):
        assert said is not None
        assert "final answer in the form you were asked for" in said
        assert "left undone" in said


def test_a_budget_without_end_or_of_nothing_is_never_nearly_used_up() -> None:
    assert Allowance(1200, 0, float("inf"), 99.0).notice() is None
    assert Allowance(1200, 0, 0.0, 0.0).notice() is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("hi", [{"type": "text", "text": "hi"}, WORD]),
        ([RESULT], [RESULT, WORD]),
        ([RESULT, {"type": "text", "text": "a"}], [RESULT, {"type": "text", "text": "a"}, WORD]),
    ],
)
def test_the_word_stands_at_the_very_end_and_nothing_else_moves(content: Any, told: Any) -> None:
    first = [_user("one"), {"role": "assistant", "content": "two"}]
    request = _asked(*first, _user(content), max_tokens=5)
    before = json.dumps(request)
    assert with_notice(request, "soon") == _asked(*first, _user(told), max_tokens=5)
    assert json.dumps(request) == before


def test_the_clis_own_remarks_stay_behind_the_word() -> None:
    remark = {"role": "system", "content": "USD budget: $1"}
    asked = _asked(_user("one"), {"role": "assistant", "content": "two"}, _user([RESULT]), remark)
    told = _asked(_user("one"), {"role": "assistant", "content": "two"}, _user([RESULT, WORD]), remark)
    assert with_notice(asked, "soon") == told


@pytest.mark.parametrize(
    "request_",
    [
        {"model": "m", "messages": [_user("hi")]},
        _asked(_user("hi"), tools=[]),
        _asked(_user("hi"), {"role": "assistant", "content": "{"}),
        _asked(_user("hi"), {"role": "assistant", "content": "{"}, {"role": "system", "content": "x"}),
        _asked({"role": "system", "content": "x"}),
        _asked(_user("")),
        _asked(_user([])),
        _asked(_user(None)),
        _asked(),
        {"tools": TOOLS, "messages": "hi"},
        {"tools": TOOLS, "messages": ["hi"]},
        {"tools": TOOLS},
    ],
)
def test_a_call_that_asks_no_agent_to_go_on_stays_as_it_is(request_: dict[str, Any]) -> None:
    assert with_notice(request_, "soon") is request_


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(_JSON, _JSON)
def test_no_request_is_too_odd_to_be_told(messages: Any, content: Any) -> None:
    with_notice({"tools": TOOLS, "messages": messages}, "soon")
    with_notice({"tools": TOOLS, "messages": [{"role": "user", "content": content}]}, "soon")
