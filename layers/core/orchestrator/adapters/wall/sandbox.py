"""What a wall is: it runs one program with a workspace, an environment and one gateway socket, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import IO, Protocol

from orchestrator.domain.wall import Rung

SOCKET, SETTINGS, HOME, TMP = "model.sock", "settings.json", "home", "tmp"


@dataclass(frozen=True)
class Room:
    """What one agent may have of the machine. All but workspace and CLI lies in `folder`, the supervisor's own.

    `uid` is the agent's own user and group, None where the worker is not root and has no other to give.
    """

    folder: Path
    workspace: Path
    writable: bool
    cli: Path
    uid: int | None = None

    @property
    def socket(self) -> Path:
        """The gateway's."""
        return self.folder / SOCKET

    @property
    def settings(self) -> Path:
        """Claude Code's settings, which the agent may only read."""
        return self.folder / SETTINGS

    @property
    def home(self) -> Path:
        """The agent's home, where the wall gives it none in memory."""
        return self.folder / HOME

    @property
    def tmp(self) -> Path:
        """Its folder for temporary files, likewise."""
        return self.folder / TMP


@dataclass(frozen=True)
class View:
    """Where the program behind the wall finds what its room holds; `loopback` is whether it has one of its own."""

    workspace: str
    home: str
    tmp: str
    socket: str
    settings: str
    cli: str
    loopback: bool = False


def machine_view(room: Room) -> View:
    """The machine's own paths, where nothing can be put elsewhere."""
    return View(
        workspace=str(room.workspace),
        home=str(room.home),
        tmp=str(room.tmp),
        socket=str(room.socket),
        settings=str(room.settings),
        cli=str(room.cli),
    )


@dataclass(frozen=True)
class Confined:
    """What runs behind the wall: its paths are those of the wall's view."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    room: Room


@dataclass(frozen=True)
class Usage:
    """What runs behind a wall now: processes, and the memory in bytes they hold together."""

    processes: int = 0
    memory_bytes: int = 0


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
    def usage(self) -> Usage:
        """What runs behind the wall now."""

    def kill(self) -> None:
        """End every process behind the wall now."""


class Sandbox(Protocol):
    """One way to build a wall. Raises WallUnavailable where this machine cannot have it."""

    @property
    def rung(self) -> Rung:
        """Its place on the ladder."""

    def view(self, room: Room) -> View:
        """Where the program will find things."""

    def start(self, confined: Confined) -> ConfinedProcess:
        """Run it."""
