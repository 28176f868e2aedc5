"""Each group of attacks is played once on each rung; the table is printed when all tests are through."""

import shutil
from collections.abc import Callable
from functools import cache

import pytest
from rich.console import Console
from tests.conformance.attack import Group
from tests.conformance.host import planted
from tests.conformance.play import Played, play
from tests.conformance.table import ATTACKS, Line, shown

from alm.environment import installed_cli
from orchestrator.domain.wall import Rung

# A log has no width of its own, and a narrower table tells nothing.
WIDTH = 180
LINES = pytest.StashKey[list[Line]]()
Play = Callable[[Rung, Group], Played]


@pytest.fixture(autouse=True, scope="session")
def tools_are_installed() -> None:
    missing = [tool for tool in ("bwrap", "socat", "git") if shutil.which(tool) is None]
    assert not missing, f"install {', '.join(missing)}: `make setup` does"
    assert installed_cli().is_file(), "the Claude Code CLI is not in .tools: `make setup` installs it"


@pytest.fixture(scope="session")
def played() -> Play:
    """Each group once on each rung. Where a socket without a file listens the last rung is refused: it has none."""

    @cache
    def once(rung: Rung, group: Group) -> Played:
        with planted(abstract=rung is not Rung.SECCOMP) as host:
            return play(rung, group, [attack for attack in ATTACKS if attack.group is group], host)

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
