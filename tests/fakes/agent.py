"""An agent that does what the test says, and a renderer that shows what it was given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fakes.faults import Faults

from orchestrator.domain.agent import AgentRun
from orchestrator.domain.wall import Probe
from orchestrator.ports import Agent, AgentTask, PromptRenderer


def _nothing(task: AgentTask) -> None:
    del task


@dataclass
class FakeAgent:
    """Ends every task with `answer`; `meanwhile` happens while it works."""

    answer: AgentRun
    stream: bytes = b'{"type": "system"}\n'
    meanwhile: Callable[[AgentTask], None] = _nothing
    tasks: list[AgentTask] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)

    def run(self, task: AgentTask, transcript: Path, tell: Callable[[tuple[Probe, ...]], None]) -> AgentRun:
        self.tasks.append(task)
        tell(self.answer.probes)
        if self.stream:
            transcript.write_bytes(self.stream)
        self.meanwhile(task)
        self.faults.strike("run")
        return self.answer


class FakePrompts:
    """A template followed by the values it got."""

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        return f"{template}{values}"


if TYPE_CHECKING:
    _agent: Agent = FakeAgent(AgentRun(exit_status=0, result=None))
    _prompts: PromptRenderer = FakePrompts()
