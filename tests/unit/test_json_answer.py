"""JSON of strangers that is nested deeper than Python reads."""

import json
from typing import Any

import pytest
import requests

from orchestrator.adapters.json_answer import DEEPEST, json_of

DEEP = 16_000  # what fits into an issue property


def _answer(text: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer._content = 200, text.encode()  # noqa: SLF001  # as requests' own adapter does
    return answer


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list | dict) and value:
        value, depth = next(iter(value.values() if isinstance(value, dict) else value)), depth + 1
    return depth


def test_the_python_of_today_does_not_read_it() -> None:
    with pytest.raises(RecursionError):
        json.loads("[" * DEEP + "]" * DEEP)


@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}"), ('[{"a]}":', "}]")])
def test_what_is_nested_too_deep_becomes_null_and_all_else_is_read(start: str, end: str) -> None:
    deep = start * DEEP + "1" + end * DEEP
    value = json_of(_answer(f'{{"a": "]}} \\" {{[", "deep": {deep}, "z": [1, "é\\\\"]}}'))
    assert (value["a"], value["z"]) == (']} " {[', [1, "é\\"])
    assert _depth(value["deep"]) == DEEPEST - 1


def test_what_python_reads_stays_as_it_is() -> None:
    text = json.dumps({"a": [[[{"b": None}]]]})
    assert json_of(_answer(text)) == json.loads(text)


@pytest.mark.parametrize("text", ["", "[", "{]", "[" * DEEP, '"' + "[" * DEEP])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        json_of(_answer(text))
