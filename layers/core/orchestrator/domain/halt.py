"""A wish to end a running agent early, from another thread: a person cancelled its job, or its machine goes away."""

from dataclasses import dataclass, field
from threading import Event

from orchestrator.domain.agent import Stop


@dataclass
class Halt:
    """Asked for at most once a job: the first reason stands."""

    reason: Stop | None = None
    _asked: Event = field(default_factory=Event)

    def ask(self, reason: Stop) -> None:
        """Let the agent end soon."""
        if self.reason is None:
            self.reason = reason
        self._asked.set()

    @property
    def is_asked(self) -> bool:
        """Whether somebody has."""
        return self._asked.is_set()
