"""A structured result laid out by its schema, whatever the agent filled in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import REPORT, SCHEMA

from orchestrator.domain.report import INVALID_TICKET_KEY, render, says_something, with_refusal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _rendered(value: Any) -> str:
    return render({"properties": {"a_field": {"type": "string"}}}, {"a_field": value})


def test_properties_come_in_the_schemas_order_under_their_titles() -> None:
    report = {"confidence": "high", "root_cause": "A `>` too\n\nmuch.", "summary": "Short"}
    assert render(SCHEMA, report) == (
        "**Summary:** Short\n\n### Why\n\nA `>` too\n\nmuch.\n\n**Confidence:** high"
    )


@pytest.mark.parametrize(
    ("value", "markdown"),
    [
        ("short words", "**A field:** short words"),
        (" - a list\n- of two ", "### A field\n\n- a list\n- of two"),
        ("x" * 61, "### A field\n\n" + "x" * 61),
        (["a", "b\nc", 3, True, None, ""], "### A field\n\n- a\n- b c\n- 3\n- yes\n- None\n- (empty)"),
        ([{"path": "a.py", "why": "it is\nwrong"}], "### A field\n\n- **a.py** · it is wrong"),
        ([{"path": "a.py", "why": "", "x": None}], "### A field\n\n- **a.py**"),
        ([{"path": "a.py", "lines": [1, 2]}], "### A field\n\n- **a.py** · 1, 2"),
        (
            [
                {"name": "One", "approach": "a", "pros": ["b", "c"], "hard_cons": []},
                {"name": "Two", "pros": ["d"]},
            ],
            "### A field\n\n- **One** · a · b, c\n- **Two** · d",
        ),
        (
            [{"name": "One", "approach": "a", "pros": ["b", "c"], "hard_cons": ["d\nd"]}],
            "### A field\n\n- **One**\n  - Approach: a\n  - Pros: b; c\n  - Hard cons: d d",
        ),
        ([{}], "### A field\n\n- (empty)"),
        ([["a", "b"]], "### A field\n\n- a, b"),
        ({"before": "a", "after": ["b", False]}, "### A field\n\n- before: a\n- after: b, no"),
        (True, "**A field:** yes"),
        (0, "**A field:** 0"),
        (1.5, "**A field:** 1.5"),
        ("", ""),
        (" \n", ""),
        ([], ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_every_kind_of_value_has_its_form(value: object, markdown: str) -> None:
    assert _rendered(value) == markdown


def test_what_the_schema_does_not_name_is_left_out() -> None:
    assert render(SCHEMA, {"summary": "Short", "extra": "x", INVALID_TICKET_KEY: ""}) == "**Summary:** Short"


@pytest.mark.parametrize("rule", [True, False, {}, {"title": 7}, None])
def test_a_rule_of_any_kind_has_a_title(rule: object) -> None:
    assert render({"properties": {"a": rule}}, {"a": "x"}).endswith(":** x")


@given(value=JSON)
def test_a_value_of_any_type_renders(value: object) -> None:
    assert isinstance(_rendered(value), str)


@pytest.mark.parametrize(
    ("report", "says"),
    [
        (REPORT, True),
        ({"files": ["a"]}, True),
        ({"summary": "", "root_cause": " ", "files": [], "confidence": "low"}, False),
        ({"other": "x"}, False),
        ({}, False),
    ],
)
def test_a_choice_alone_says_nothing(report: dict[str, object], says: bool) -> None:
    assert says_something(SCHEMA, report) is says


def test_every_agent_may_decline_and_none_has_to() -> None:
    schema = {**SCHEMA, "required": ["summary"], "additionalProperties": False}
    offered = with_refusal(schema)
    assert list(offered["properties"]) == [*SCHEMA["properties"], INVALID_TICKET_KEY]
    assert offered["required"] == ["summary"]
    assert INVALID_TICKET_KEY not in schema["properties"]
