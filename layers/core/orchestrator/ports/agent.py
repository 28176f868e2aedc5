"""The agent and what it is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from orchestrator.domain.action import Action
from orchestrator.domain.agent import AgentRun
from orchestrator.domain.halt import Halt
from orchestrator.domain.job import Job
from orchestrator.domain.wall import Probe


@dataclass(frozen=True)
class AgentTask:
    """One thing to ask the agent. `halt` ends it early, whoever asks for that and whenever."""

    job: Job
    action: Action
    prompt: str
    workspace: Path
    halt: Halt = field(default_factory=Halt)


class Agent(Protocol):
    """The agent behind its wall."""

    def run(self, task: AgentTask, transcript: Path, tell: Callable[[tuple[Probe, ...]], None]) -> AgentRun:
        """Ask, wait at most the action's time, and say what happened; the stream goes to `transcript`.

        `tell` hears which walls were tried, before the agent is started or refused; what it raises keeps the agent
        from starting.
        """


class PromptRenderer(Protocol):
    """The action's template with the ticket as data."""

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """The prompt."""
