"""What a wall is: it runs one argv with a workspace, an environment and one gateway socket, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from typing import IO, Protocol


@dataclass(frozen=True)
class Confined:
    """What runs behind the wall and all it may see. `files` maps a path inside to a read-only one outside."""

    argv: tuple[str, ...]
    workspace: Path
    writable: bool
    socket: Path
    environment: Mapping[str, str]
    files: Mapping[str, Path] = field(default_factory=dict)


class ConfinedProcess(Protocol):
    """A process tree behind a wall."""

    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]

    def wait(self, timeout_s: float) -> int | None:
        """The exit status, None if it still runs after that long."""

    def signal(self, signal: Signals) -> None:
        """Send a signal to the program itself, not to the wall around it."""

    @property
    def crowded(self) -> bool:
        """Whether more processes run behind the wall than any agent needs."""

    def kill(self) -> None:
        """End every process behind the wall now."""


class Sandbox(Protocol):
    """One way to build a wall."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def socket_inside(self) -> str:
        """Where the program finds the gateway's socket."""

    def start(self, confined: Confined) -> ConfinedProcess:
        """Run it."""
