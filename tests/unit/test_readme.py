"""The README is true: its table is the catalogue's, its commands exist, and CI runs all that need no account.

A block that starts with ```sh holds commands CI runs; one that starts with ```sh account needs an account, so only
its command lines are read here.
"""

import re
import shutil
from pathlib import Path

import pytest

from alm.cli import _parser
from orchestrator.bootstrap import catalogue
from orchestrator.domain.action import Action, Produces

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def commands(info: str) -> list[str]:
    """The lines of every fenced block with exactly that info string."""
    blocks = re.findall(rf"^```{info}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def run_by_ci() -> set[str]:
    targets = re.search(r"^for target in (.*); do$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert targets is not None
    return {f"make {target}" for target in targets[1].split()}


def row(action: Action) -> str:
    made = {
        Produces.COMMENT: "comment",
        Produces.PULL_REQUEST: f"pull request, branch `{action.branch_prefix}<key>`",
        Produces.REVIEW: "review of a pull request",
    }[action.produces]
    return f"| `{action.label}` | {', '.join(action.issue_types)} | {made} | {action.header} |"


def test_the_actions_table_is_the_catalogue_in_its_order() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `ai-")]
    assert rows == [row(action) for action in catalogue(ROOT / "prompts").actions]


def test_ci_runs_every_command_that_needs_no_account() -> None:
    assert commands("sh")
    assert set(commands("sh")) <= run_by_ci()


def test_every_fenced_block_says_whether_it_needs_an_account() -> None:
    assert set(re.findall(r"^```(\S.*)$", README, re.MULTILINE)) <= {"sh", "sh account", "json"}


def test_the_permission_rules_it_shows_can_be_used(tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "prompts", tmp_path / "prompts")
    (folder / "fix.json").write_text("\n".join(commands("json")))
    fix = catalogue(folder).named("fix")
    assert fix is not None
    assert "Bash(npm test)" in fix.settings.permissions.allow
    assert "Bash" not in fix.settings.permissions.allow


@pytest.mark.parametrize("command", commands("sh account"))
def test_a_command_that_needs_an_account_is_one_that_exists(command: str) -> None:
    program, *arguments = command.split()
    if program == ".venv/bin/alm":
        assert _parser().parse_args(arguments)
    else:
        assert command == "cp .env.example .env"
        assert (ROOT / ".env.example").is_file()


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"make ([a-z]+)", "\n".join(re.findall(r"`[^`\n]+`", README))))
    assert named <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("page", [README, *(path.read_text() for path in (ROOT / "docs").rglob("*.md"))])
def test_every_file_that_the_documentation_names_exists(page: str) -> None:
    places = (
        ROOT,
        ROOT / "layers" / "core" / "orchestrator",
        ROOT / "infra" / "local" / "alm",
        ROOT / "docs",
    )
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", page)
    for name in {*linked, *re.findall(r"`([\w./]+/[\w.]+\.(?:py|md|json|yaml))[:`]", page)}:
        assert any((place / name).exists() for place in places), name
