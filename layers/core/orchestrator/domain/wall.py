"""The ladder of walls, and what a worker found when it tried them."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Rung(StrEnum):
    """The walls, strongest first. The last is none at all: the machine itself is the boundary."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"
    VM_BOUNDARY = "vm-boundary"

    def is_accepted_by(self, floor: "Rung") -> bool:
        """Whether a deployment with that floor may run an agent behind this wall."""
        order = list(Rung)
        return order.index(self) <= order.index(floor)


class Answer(StrEnum):
    """What a try found. Only a plain answer is one."""

    AVAILABLE = "available"
    DENIED = "denied"
    UNDETERMINED = "undetermined"


class Probe(BaseModel):
    """What building one wall on this machine came to, and why if it came to nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rung: Rung
    answer: Answer
    reason: str = ""


def standing(probes: tuple[Probe, ...]) -> Rung | None:
    """The wall that was chosen: the one that was available, which ended the search."""
    return next((probe.rung for probe in probes if probe.answer is Answer.AVAILABLE), None)


def reasons(probes: tuple[Probe, ...]) -> str:
    """Why no wall could be built, in words for the ticket."""
    return "; ".join(f"{probe.rung}: {probe.reason}" for probe in probes)


WITHOUT_NETWORK = frozenset({Rung.LANDLOCK, Rung.SECCOMP})


def warning(rung: Rung | None) -> str:
    """What people have to know of the wall an agent ran behind; nothing if it was one."""
    if rung is not Rung.VM_BOUNDARY:
        return ""
    return (
        "No wall stood around the agent: this deployment accepts the machine as the boundary (`vm-boundary`)."
    )
