"""The attacks, and the table of how each ended. A line can be of any kind of row that has a control and a result."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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


CONTROLLED = "gets through"


class Ending(StrEnum):
    """How a row ended on a level."""

    HELD = "blocked and counted"
    HARMLESS = "without effect, nothing to refuse"
    EXCUSED = "not held by nature, covered otherwise"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Control:
    """How a row ended where nothing is in its way: it gets through, is excused for a reason, or failed."""

    said: str
    failed: bool = False
    excused: bool = False

    @classmethod
    def excused_by(cls, reason: str) -> "Control":
        """One that cannot be had on this machine."""
        return cls(f"none: {reason}", excused=True)


GETS_THROUGH, NOT_EFFECTIVE = Control(CONTROLLED), Control("FAILED, does not get through", failed=True)


@dataclass(frozen=True)
class Line:
    """One line of the table: what was tried, where, how its control ended, and how it ended itself."""

    tried: str
    level: str
    control: Control
    blocked_by: str
    counted_as: str
    ending: Ending

    @property
    def has_failed(self) -> bool:
        """Whether the row holds nothing."""
        return self.control.failed or self.ending is Ending.FAILED


def shown(lines: Iterable[Line], console: Console) -> None:
    """Print the table and its totals."""
    table = Table("attack", "level", "control", "blocked by", "counted as")
    listed = tuple(lines)
    for line in listed:
        cells = (line.tried, line.level, line.control.said, line.blocked_by, line.counted_as)
        table.add_row(*map(escape, cells), style="bold red" if line.has_failed else None)
    console.print(table)
    console.print("\n".join(totals(listed)))


def totals(lines: Sequence[Line]) -> Iterator[str]:
    """One line for the controls, each counted once, and one for each level."""
    controls = {line.tried: line.control for line in lines}.values()
    excused, failed = sum(one.excused for one in controls), sum(one.failed for one in controls)
    yield f"controls: {len(controls) - excused - failed} get through, {excused} excused, {failed} FAILED"
    counted = Counter((line.level, line.ending) for line in lines)
    for level in dict.fromkeys(line.level for line in lines):
        yield f"{level}: " + ", ".join(f"{counted[level, ending]} {ending}" for ending in Ending)
