"""Chooses the wall: the strongest one that this machine gives and that holds when tried, down to the floor."""

from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.adapters.wall import canary
from orchestrator.adapters.wall.sandbox import Confined, Room, Sandbox, View
from orchestrator.domain.wall import Answer, Probe, Rung, reasons
from orchestrator.errors import SandboxRefused


@dataclass(frozen=True)
class Standing:
    """A wall that was tried just now for this program, and what became of the ones above it."""

    sandbox: Sandbox
    confined: Confined
    probes: tuple[Probe, ...]


@dataclass(frozen=True)
class Ladder:
    """The walls, strongest first. What this machine refuses is asked for once."""

    sandboxes: tuple[Sandbox, ...]
    floor: Rung
    _denied: dict[Rung, Probe] = field(default_factory=dict)

    def choose(self, room: Room, confine: Callable[[View], Confined]) -> Standing:
        """The first wall that stands; SandboxRefused if none does or the one that was built has a hole."""
        probes: tuple[Probe, ...] = ()
        for sandbox in self.sandboxes:
            if not sandbox.rung.is_accepted_by(self.floor):
                break
            confined = confine(sandbox.view(room))
            try:
                probes = (*probes, self._probed(sandbox, confined))
            except SandboxRefused as hole:
                raise SandboxRefused(str(hole), (*probes, *hole.probes)) from None
            if probes[-1].answer is Answer.AVAILABLE:
                return Standing(sandbox, confined, probes)
        raise SandboxRefused(
            f"No wall could be built around the agent ({reasons(probes)}). It was not started.", probes
        )

    def _probed(self, sandbox: Sandbox, confined: Confined) -> Probe:
        if sandbox.rung is Rung.VM_BOUNDARY:
            return Probe(
                rung=sandbox.rung, answer=Answer.AVAILABLE, reason="the deployment accepts it by name"
            )
        if (known := self._denied.get(sandbox.rung)) is not None:
            return known
        probe = canary.probed(sandbox, confined)
        if probe.answer is Answer.DENIED:
            self._denied[sandbox.rung] = probe
        return probe
