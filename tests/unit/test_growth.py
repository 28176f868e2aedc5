"""No text can stall a function: the time of each grows about linearly with hostile input, in CPU seconds."""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.growth import FAMILIES, adf_families, fault
from tests.unit.growth_table import ADF, TEXT, Row

ORCHESTRATOR = Path(__file__).parents[2] / "layers" / "core" / "orchestrator"
ROWS = [(module, row) for module, rows in TEXT.items() for row in rows]


@pytest.mark.parametrize(("module", "row"), ROWS, ids=[f"{module}: {row.name}" for module, row in ROWS])
def test_a_function_of_text_takes_about_twice_as_long_for_twice_the_text(module: str, row: Row) -> None:
    assert _faults(row, FAMILIES) == {}, module


@pytest.mark.parametrize("row", ADF, ids=lambda row: row.name)
def test_a_function_of_documents_takes_about_twice_as_long_for_twice_the_nodes(row: Row) -> None:
    assert _faults(row, adf_families()) == {}


def _faults(row: Row, families: Any) -> dict[str, str]:
    found = {name: fault(row.run, family, row.largest) for name, family in families.items()}
    return {name: said for name, said in found.items() if said}


def _imports_re(path: Path) -> bool:
    nodes = ast.walk(ast.parse(path.read_text()))
    plain = any(isinstance(node, ast.Import) and any(a.name == "re" for a in node.names) for node in nodes)
    return plain or "from re import" in path.read_text()


def test_every_module_with_expressions_has_a_row() -> None:
    paths = [path for path in ORCHESTRATOR.rglob("*.py") if _imports_re(path)]
    modules = {".".join(path.relative_to(ORCHESTRATOR).with_suffix("").parts) for path in paths}
    assert len(modules) > 20
    assert not modules - TEXT.keys()


# As they were found, each with a text that stopped its function for seconds or for good.
_SLOW: dict[str, Callable[[str], object]] = {
    "PR, spaces, x": re.compile(r"(?:pull\s+request|pr)\s*:?\s*#?\s*(?P<n>[0-9]{1,9})", re.IGNORECASE).search,
    "fences of tildes": re.compile(
        r"^(?P<in>[ \t]*)(?P<fence>`{3,}|~{3,})[^`\n]*\n(?>(?P=in)[^\n]*\n|[ \t]*\n)*?"
        r"(?P=in)[ ]{0,3}(?P=fence)[`~]*[ \t]*$",
        re.MULTILINE,
    ).findall,
    "bar, then spaces": lambda text: re.compile(
        r"[ ]{0,3}\|?[ ]*:?-+:?[ ]*(?:\|[ ]*:?-+:?[ ]*)*\|?[ ]*"
    ).fullmatch(text.split("\n")[1]),
    "hyphens": re.compile(r"--[\w-]*(?:password|secret|token|key)\s+").findall,
}


@pytest.mark.parametrize("family", _SLOW)
def test_the_measurement_sees_the_expressions_that_stalled_a_function(family: str) -> None:
    assert fault(_SLOW[family], FAMILIES[family], 32_000)


def test_the_measurement_lets_a_linear_function_of_any_speed_pass() -> None:
    assert not fault(lambda text: [ord(char) for _ in range(100) for char in text], FAMILIES["spaces"])
