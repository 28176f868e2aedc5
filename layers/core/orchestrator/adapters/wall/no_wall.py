"""No wall at all: the machine is the boundary, and a deployment has said so by name. Only limits hold."""

import ctypes
import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from signal import SIGKILL
from typing import ClassVar

from orchestrator.adapters.wall import limits
from orchestrator.adapters.wall.launched import Launched, launch, processes
from orchestrator.adapters.wall.sandbox import Confined, ConfinedProcess, Room, Usage, View, machine_view
from orchestrator.domain.wall import Rung

END_WITHIN_S = 10.0
LOOK_AGAIN_S = 0.005
_PR_SET_CHILD_SUBREAPER = 36


class Unconfined(Launched):
    """A program that runs beside the supervisor."""

    def __init__(self, process: "subprocess.Popen[bytes]", before: frozenset[int]) -> None:
        super().__init__(process)
        self._before = before

    @property
    def usage(self) -> Usage:
        """What runs now that did not before."""
        return Usage(len(self._left()))

    def kill(self) -> None:
        """End it and all that comes from it. What lost its parent has become the worker's child."""
        self.process.kill()
        self.process.wait()
        deadline = time.monotonic() + END_WITHIN_S
        while (left := self._left()) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, SIGKILL)
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(LOOK_AGAIN_S)
        # Who adopts has to bury: from here on that is init's again.
        _adopt_orphans(adopt=False)

    def _left(self) -> list[int]:
        return [pid for pid in descendants(os.getpid()) if pid not in self._before]


def descendants(pid: int) -> frozenset[int]:
    """Every process that comes from that one."""
    parents = {child: parent for child, parent, _ in processes()}
    found: set[int] = set()
    generation = {pid}
    while generation := {child for child, parent in parents.items() if parent in generation} - found:
        found |= generation
    return frozenset(found)


def _adopt_orphans(*, adopt: bool) -> None:
    """Whether a process that loses its parent becomes this one's child; see prctl(2)."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0)


@dataclass(frozen=True)
class NoWall:
    """Starts the program as it is, under limits. Never chosen unless the deployment's floor names it."""

    rung: ClassVar[Rung] = Rung.VM_BOUNDARY

    def view(self, room: Room) -> View:
        """The machine's own paths."""
        return machine_view(room)

    def start(self, confined: Confined) -> ConfinedProcess:
        """Run it in a session and a process group of its own, as the agent's user where there is one."""
        _adopt_orphans(adopt=True)
        before = descendants(os.getpid())
        room = confined.room
        process = launch(
            limits.limited(confined.argv), confined.environment, uid=room.uid, folder=room.workspace
        )
        return Unconfined(process, before)
