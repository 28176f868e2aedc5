"""The attacks, and the table of how each ended."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tests.conformance import rows_files, rows_hosts, rows_kernel, rows_limits, rows_network, rows_repository
from tests.conformance.attack import Attack, Group, grouped

# In this order within a group: what fills up or is large comes last.
ATTACKS: tuple[Attack, ...] = (
    *rows_files.READING,
    *rows_files.WRITING,
    *rows_kernel.PROCESSES,
    *rows_kernel.NAMESPACES,
    *rows_kernel.CALLS,
    *grouped(
        Group.NETWORK, *rows_network.CLOUD, *rows_network.HOST, *rows_network.WORLD, *rows_network.GATEWAY
    ),
    *rows_hosts.HOSTS,
    *rows_hosts.BUDGET,
    *grouped(
        Group.REPOSITORY,
        *rows_repository.CONFIGURATION,
        *rows_repository.GIT,
        *rows_limits.LIMITS,
        *rows_limits.LEFTOVERS,
    ),
)
LONGEST_REASON = 60


class Ending(StrEnum):
    """How an attack ended on a rung."""

    HELD = "blocked and counted"
    HARMLESS = "without effect, nothing to refuse"
    EXCUSED = "not held by nature, covered otherwise"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    attack: str
    rung: str
    blocked_by: str
    counted_as: str
    ending: Ending


def shown(lines: Iterable[Line], console: Console) -> None:
    """Print the table and its totals."""
    table = Table("attack", "rung", "blocked by", "counted as")
    listed = tuple(lines)
    for line in listed:
        cells = map(escape, (line.attack, line.rung, line.blocked_by, line.counted_as))
        table.add_row(*cells, style="bold red" if line.ending is Ending.FAILED else None)
    console.print(table)
    totals = Counter((line.rung, line.ending) for line in listed)
    for rung in dict.fromkeys(line.rung for line in listed):
        console.print(f"{rung}: " + ", ".join(f"{totals[rung, ending]} {ending}" for ending in Ending))
