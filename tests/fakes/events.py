"""The structured log and the metrics as lists."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.ports import Events


@dataclass(frozen=True)
class Event:
    """One line of the log."""

    level: str
    name: str
    fields: dict[str, object]


@dataclass
class FakeEvents:
    """Remembers every event."""

    recorded: list[Event] = field(default_factory=list)
    measured: list[tuple[str, float, dict[str, str]]] = field(default_factory=list)

    def info(self, event: str, **fields: object) -> None:
        self.recorded.append(Event("info", event, fields))

    def warning(self, event: str, **fields: object) -> None:
        self.recorded.append(Event("warning", event, fields))

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        self.measured.append((name, value, dimensions))

    def named(self, name: str) -> list[dict[str, object]]:
        """The fields of every event of that name."""
        return [event.fields for event in self.recorded if event.name == name]

    def warnings(self) -> list[str]:
        """The names of the warnings."""
        return [event.name for event in self.recorded if event.level == "warning"]


if TYPE_CHECKING:
    _events: Events = FakeEvents()
