"""The layout's rules that ruff's banned-api cannot say: which way imports point, and sizes."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.bootstrap import catalogue

ROOT = Path(__file__).parents[2]
ORCHESTRATOR = ROOT / "layers" / "core" / "orchestrator"
SOURCE_FOLDERS = (ROOT / "layers" / "core", ROOT / "functions", ROOT / "infra" / "local")
# pathspec holds what a pattern of `.gitignore` means: text in, answer out, like `re`.
PURE = sys.stdlib_module_names | {"pydantic", "pathspec"}
LONGEST_FILE = 300
LONGEST_HANDLER = 60
# Beside these, which parts of ours each part may import.
MAY_IMPORT = {
    "domain": {"domain", "errors"},
    "usecases": {"domain", "errors", "ports", "usecases"},
    "ports": {"domain", "ports"},
    "adapters": {"domain", "errors", "ports", "config", "secret_values", "adapters"},
}


def python_files(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def imports_of(path: Path) -> Iterator[str]:
    """Every module the file names, those under TYPE_CHECKING included."""
    for node in ast.walk(ast.parse(path.read_text())):
        yield from imports_in(node)


def imports_in(node: ast.AST) -> Iterator[str]:
    """What one statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{node.module}: imports are absolute"
        yield from _members(node)


def _members(node: ast.ImportFrom) -> Iterator[str]:
    """`from orchestrator import ports` names orchestrator.ports; from any other module, the module itself."""
    if node.module == "orchestrator":
        yield from (f"orchestrator.{alias.name}" for alias in node.names)
    else:
        yield str(node.module)


def foreign(path: Path, part: str) -> set[str]:
    """What the file imports and its part of the orchestrator may not."""
    own = {f"orchestrator.{name}" for name in MAY_IMPORT[part]}
    return {
        name
        for name in imports_of(path)
        if name.partition(".")[0] not in PURE and ".".join(name.split(".")[:2]) not in own
    }


@pytest.mark.parametrize("path", python_files(ORCHESTRATOR / "domain"), ids=lambda path: path.name)
def test_the_domain_knows_pure_libraries_and_itself(path: Path) -> None:
    assert not foreign(path, "domain")


@pytest.mark.parametrize("path", python_files(ORCHESTRATOR / "usecases"), ids=lambda path: path.name)
def test_use_cases_reach_the_world_through_ports(path: Path) -> None:
    assert not foreign(path, "usecases")


@pytest.mark.parametrize("path", python_files(ORCHESTRATOR / "adapters"), ids=lambda path: path.name)
def test_adapters_know_no_use_case(path: Path) -> None:
    assert not {name for name in foreign(path, "adapters") if name.startswith("orchestrator")}


@pytest.mark.parametrize("path", python_files(ORCHESTRATOR / "ports"), ids=lambda path: path.name)
def test_ports_name_only_the_domain(path: Path) -> None:
    assert not foreign(path, "ports")


def importers_of(part: str) -> set[str]:
    """The parts of the orchestrator, and other folders, that name this part of it."""
    return {
        path.relative_to(folder).parts[0 if folder != SOURCE_FOLDERS[0] else 1].removesuffix(".py")
        for folder in SOURCE_FOLDERS
        for path in python_files(folder)
        if any(f"{name}.".startswith(f"orchestrator.{part}.") for name in imports_of(path))
    }


def test_only_bootstrap_and_the_local_stack_name_adapters() -> None:
    assert importers_of("adapters") == {"adapters", "bootstrap", "alm"}


def test_nothing_but_the_functions_and_the_local_stack_is_put_together_by_bootstrap() -> None:
    assert importers_of("bootstrap") <= {
        *("bootstrap", "poll_jira", "publish_result", "run_job", "track_job", "alm")
    }


@pytest.mark.parametrize("path", python_files(ORCHESTRATOR / "bootstrap"), ids=lambda path: path.name)
def test_bootstrap_names_adapters_only_where_they_are_used(path: Path) -> None:
    """Importing it has no effects: what it needs of an adapter's module is imported in the function that needs it."""
    for node in ast.parse(path.read_text()).body:
        assert not [name for name in imports_in(node) if name.startswith(("orchestrator.adapters", "boto3"))]


def test_a_task_of_its_own_names_bootstrap_and_why_it_may_be_stopped() -> None:
    of_ours = {name for name in imports_of(ROOT / "functions" / "run_job" / "__main__.py") if "." in name}
    assert of_ours == {"orchestrator.bootstrap", "orchestrator.domain.agent"}


@pytest.mark.parametrize("path", sorted((ROOT / "functions").glob("*/handler.py")), ids=str)
def test_a_handler_parses_calls_one_use_case_and_returns(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_HANDLER
    assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Try | ast.If)]
    assert set(imports_of(path)) <= {"typing", "orchestrator.bootstrap"}


def test_no_python_file_is_over_its_budget() -> None:
    files = python_files(*SOURCE_FOLDERS, ROOT / "tests")
    long = {str(path.relative_to(ROOT)): lines for path in files if (lines := _lines(path)) > LONGEST_FILE}
    assert not long


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_the_shipped_actions_load() -> None:
    assert catalogue(ROOT / "prompts").labels


def test_the_clis_pinned_version_is_exact_and_checked_for_both_architectures() -> None:
    pin = (ROOT / "infra" / "claude-code.pin").read_text()
    assert re.search(r"^version \d+\.\d+\.\d+$", pin, re.MULTILINE)
    assert len(re.findall(r"^(?:x64|arm64) sha512-[A-Za-z0-9+/]{86}==$", pin, re.MULTILINE)) == 2
