"""Each group of attacks is played once on each level and once without one; the table is printed at the end."""

import shutil
from collections.abc import Callable
from functools import cache

import pytest
from rich.console import Console
from tests.conformance.attack import Attack, Group
from tests.conformance.control import Controlled, controlled
from tests.conformance.control_cli import controlled_by_cli
from tests.conformance.play import Played, play_on_a_machine
from tests.conformance.table import ATTACKS, Line, shown

from alm.environment import installed_cli
from orchestrator.domain.wall import Rung

# A log has no width of its own, and a narrower table tells nothing.
WIDTH = 180
LINES = pytest.StashKey[list[Line]]()
Play = Callable[[Rung, Group], Played]
Controls = Callable[[Attack], Controlled]


@pytest.fixture(autouse=True, scope="session")
def tools_are_installed() -> None:
    missing = [
        tool for tool in ("bwrap", "socat", "git", "ssh", "wget", "node") if shutil.which(tool) is None
    ]
    assert not missing, f"install {', '.join(missing)}: `make setup` does"
    assert installed_cli().is_file(), "the Claude Code CLI is not in .tools: `make setup` installs it"


@pytest.fixture(scope="session")
def played() -> Play:
    """Each group once on each level. Where a socket without a file listens the last one is refused: it has none."""

    @cache
    def once(rung: Rung, group: Group) -> Played:
        attacks = [attack for attack in ATTACKS if attack.group is group]
        return play_on_a_machine(rung, group, attacks, abstract=rung is not Rung.SECCOMP)

    return once


@pytest.fixture(scope="session")
def controls() -> Controls:
    """The control of each attack: those of a group together, and together those that need the CLI."""

    @cache
    def of_commands(group: Group) -> dict[str, Controlled]:
        return dict(controlled([one for one in ATTACKS if one.group is group and one.is_shell]))

    @cache
    def of_the_cli() -> dict[str, Controlled]:
        return dict(controlled_by_cli([one for one in ATTACKS if not one.is_shell]))

    def once(attack: Attack) -> Controlled:
        return (of_commands(attack.group) if attack.is_shell else of_the_cli())[attack.name]

    return once


@pytest.fixture(scope="session")
def lines(pytestconfig: pytest.Config) -> list[Line]:
    """The table as it grows."""
    return pytestconfig.stash.setdefault(LINES, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table below the tests."""
    if found := config.stash.get(LINES, None):
        terminalreporter.section("conformance")
        shown(found, Console(width=WIDTH))
