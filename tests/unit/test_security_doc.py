"""docs/security.md is true as far as a machine can tell: what it names as shown is there to show it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.conformance.rungs import RUNGS
from tests.conformance.table import ATTACKS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text()
# `path::name`, or `::name` for one in the file that was named last.
_TEST = re.compile(r"`(tests/[\w/]+\.py)?::(test_\w+)`")
_ANY_NAME = re.compile(r"`[^`\n]*(?:::|tests/)[^`\n]*`")
_FILE = re.compile(r"`tests/[\w/]+\.py`")
_ATTACK = re.compile(r"`attack::([^`]+)`")


def named_tests(text: str) -> Iterator[tuple[str, str]]:
    path = ""
    for found in _TEST.finditer(text):
        path = found[1] or path
        yield path, found[2]


@cache
def held_by(path: str) -> frozenset[str]:
    file = ROOT / path
    parsed = ast.parse(file.read_text()) if file.is_file() else ast.Module([], [])
    return frozenset(part.name for part in parsed.body if isinstance(part, ast.FunctionDef))


@pytest.mark.parametrize(("path", "name"), sorted(set(named_tests(TEXT))))
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert name in held_by(path)


def test_an_attack_that_is_named_is_played() -> None:
    assert set(_ATTACK.findall(TEXT)) - {attack.name for attack in ATTACKS} == {"name"}


def test_what_a_rung_cannot_hold_by_nature_is_told() -> None:
    excused = {attack.name for attack in ATTACKS if attack.by_nature}
    assert excused - set(_ATTACK.findall(TEXT)) == set()


def test_the_numbers_of_attacks_are_those_of_the_table() -> None:
    said = re.search(r"has (\d+) attacks\. By nature, (.*?):", TEXT, re.DOTALL)
    assert said is not None
    levels = [rung for rung in RUNGS if f"`{rung}`" in said[2]]
    told = [int(number) for number in re.findall(r"\b\d+\b", said[2])]
    assert int(said[1]) == len(ATTACKS)
    assert levels == list(RUNGS)
    assert told == [sum(rung in attack.by_nature for attack in ATTACKS) for rung in RUNGS]


def test_what_may_have_no_control_is_told() -> None:
    marked = {attack.name for attack in ATTACKS if attack.no_control}
    assert marked <= set(_ATTACK.findall(TEXT))


def test_nothing_else_looks_like_a_name() -> None:
    """So that no name escapes the tests above by a slip of the pen."""
    known = (_TEST, _FILE, _ATTACK, re.compile(r"`(?:path)?::name`"))
    looks = [found[0] for found in _ANY_NAME.finditer(TEXT)]
    assert [name for name in looks if not any(form.fullmatch(name) for form in known)] == []


def test_a_name_without_a_file_is_in_the_one_before() -> None:
    text = "`tests/unit/test_a.py::test_one`, `::test_two`. `tests/unit/test_b.py::test_one`"
    assert list(named_tests(text)) == [
        ("tests/unit/test_a.py", "test_one"),
        ("tests/unit/test_a.py", "test_two"),
        ("tests/unit/test_b.py", "test_one"),
    ]


def test_a_test_that_is_not_there_is_missed() -> None:
    assert "test_nothing" not in held_by("tests/unit/test_security_doc.py")
    assert held_by("tests/unit/no_such_file.py") == frozenset()
