"""The agent: the Claude Code CLI, its whole process behind the wall, the gateway its only way out."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.adapters.agent.claude_command import (
    agent_environment,
    claude_argv,
    proxy_environment,
    retries,
    settings_json,
    with_proxy,
)
from orchestrator.adapters.agent.supervision import Supervision
from orchestrator.adapters.gateway.budget import Budget
from orchestrator.adapters.gateway.egress import Egress
from orchestrator.adapters.gateway.patience import HOLD_S, Patience
from orchestrator.adapters.gateway.provider import ModelProvider
from orchestrator.adapters.gateway.server import Gateway
from orchestrator.adapters.wall import own_user
from orchestrator.adapters.wall.ladder import Ladder, Standing
from orchestrator.adapters.wall.limits import Disk
from orchestrator.adapters.wall.sandbox import Confined, Room, View
from orchestrator.domain.action import Action, Workspace
from orchestrator.domain.agent import AgentRun, Denial, Source, Stop
from orchestrator.domain.halt import Halt
from orchestrator.domain.ledger import Ledger, Spent
from orchestrator.domain.model_rules import ModelRules
from orchestrator.domain.wall import Probe
from orchestrator.errors import JobFailed, SandboxRefused
from orchestrator.ports import AgentTask


@dataclass
class ClaudeCode:
    """Runs the CLI once a task. `timeout_s` caps the actions' own times."""

    ladder: Ladder
    cli: Path
    provider: ModelProvider
    model: str | None = None
    timeout_s: float | None = None
    max_retries: int = 6
    rules: ModelRules = field(default_factory=ModelRules)
    tunnels: Callable[[tuple[str, ...]], Egress] = Egress
    patience: Callable[[], Patience] = Patience
    clock: Callable[[], float] = time.monotonic

    def run(self, task: AgentTask, transcript: Path, tell: Callable[[tuple[Probe, ...]], None]) -> AgentRun:
        """Ask, wait at most the action's time, and say what happened; `tell` hears which walls were tried."""
        if not self.cli.is_file():
            raise JobFailed("The Claude Code CLI is not installed on the worker.")
        if task.halt.is_asked:
            return _not_started(task.halt, transcript)
        return self._walled(task, transcript, tell)

    def _walled(
        self, task: AgentTask, transcript: Path, tell: Callable[[tuple[Probe, ...]], None]
    ) -> AgentRun:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="alm-agent-")))
            uid = stack.enter_context(own_user.own_user())
            room = Room(folder, task.workspace, _writable(task), self.cli.resolve(), uid)
            gateway = stack.enter_context(self._gateway(room, task.action))
            furnish(room, task.action)
            standing = self._wall(room, task, tell)
            if task.halt.is_asked:
                return _not_started(task.halt, transcript, standing.probes)
            return self._supervised(standing, task, transcript, gateway)

    def _gateway(self, room: Room, action: Action) -> Gateway:
        budget = Budget(Ledger(action.budget_usd))
        tunnels, patience = self.tunnels(action.network), self.patience()
        return Gateway(
            room.socket, self.provider, self.rules, tunnels, budget, patience=patience, clock=self.clock
        )

    def _wall(self, room: Room, task: AgentTask, tell: Callable[[tuple[Probe, ...]], None]) -> Standing:
        try:
            standing = self.ladder.choose(room, lambda view: self.confined(task, room, view))
        except SandboxRefused as refused:
            tell(refused.probes)
            raise
        tell(standing.probes)
        return standing

    def confined(self, task: AgentTask, room: Room, view: View) -> Confined:
        """The CLI with this task, as it is started behind a wall with that view."""
        argv = claude_argv(task.action, self.model, view)
        tries = retries(self.max_retries, self._limit_s(task.action), HOLD_S)
        environment = agent_environment(view, tries)
        if not view.loopback:
            return Confined(argv, environment, room)
        # Without a network too: what asks the gateway is counted, whatever it prints.
        return Confined(with_proxy(argv, view), {**environment, **proxy_environment()}, room)

    def _supervised(
        self, standing: Standing, task: AgentTask, transcript: Path, gateway: Gateway
    ) -> AgentRun:
        limit_s = self._limit_s(task.action)
        started = time.monotonic()
        gateway.begin(limit_s)
        with _started(standing, transcript, self.clock) as supervision:
            supervision.tell(task.prompt)
            stop = supervision.wait(limit_s, task.halt)
            status = supervision.exit_status()
        run = self._finished(supervision, gateway, status, (stop, time.monotonic() - started))
        return replace(
            run, probes=standing.probes, capped_s=None if limit_s == task.action.timeout_s else limit_s
        )

    def _limit_s(self, action: Action) -> float:
        return min(action.timeout_s, self.timeout_s or action.timeout_s)

    def _finished(
        self, supervision: Supervision, gateway: Gateway, status: int, end: tuple[Stop | None, float]
    ) -> AgentRun:
        read = supervision.transcript
        stop, elapsed_s = end
        gateway.patience.end()
        return AgentRun(
            exit_status=status,
            result=read.result,
            denials=(*read.denials, *gateway.denials, *_bombs(supervision.excess)),
            stop=stop,
            model=read.model,
            turns=read.turns,
            duration_ms=round(elapsed_s * 1000),
            upstream_status=gateway.upstream_status,
            offered=read.offered,
            said=read.said,
            excess=supervision.excess,
            spent=gateway.budget.final(),
        )


def _not_started(halt: Halt, transcript: Path, probes: tuple[Probe, ...] = ()) -> AgentRun:
    """Somebody wanted it to end before it began: there is nothing to read and nothing to pay."""
    transcript.touch()
    return AgentRun(exit_status=-1, result=None, stop=halt.reason, probes=probes, spent=Spent())


def _bombs(excess: str | None) -> tuple[Denial, ...]:
    """To be ended for using too much is to be denied it."""
    return () if excess is None else (Denial(tool="agent", source=Source.KERNEL, target=excess),)


def _writable(task: AgentTask) -> bool:
    return task.action.workspace is Workspace.READ_WRITE


def furnish(room: Room, action: Action) -> None:
    """Lay the settings out and open the room to the agent's user, who may reach nothing else of it."""
    room.settings.write_text(settings_json(action.settings.enforced()))
    if room.uid is not None:
        _check_way("Claude Code CLI", room.cli.parent)
        _check_way("worker's temporary files", room.folder.parent, room.workspace.parent.parent)
    own_user.hand_over(room)


def _check_way(what: str, *folders: Path) -> None:
    if any(own_user.is_closed(folder) for folder in folders):
        raise JobFailed(
            f"The agent runs as a user of its own and cannot reach the folder of the {what}: it is closed to "
            "other users. Open it and those above it to them (chmod o+x), or choose another one."
        )


@contextmanager
def _started(standing: Standing, transcript: Path, clock: Callable[[], float]) -> Iterator[Supervision]:
    process = standing.sandbox.start(standing.confined)
    try:
        with transcript.open("wb") as stream:
            yield Supervision(process, stream, Disk(standing.confined.room.workspace), clock)
    finally:
        process.kill()
