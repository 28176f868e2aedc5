"""The agent: the Claude Code CLI, its whole process behind the wall, the gateway its only way out."""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from orchestrator.adapters import canary
from orchestrator.adapters.gateway import Gateway
from orchestrator.adapters.sandbox import Confined, Sandbox
from orchestrator.adapters.supervision import Supervision
from orchestrator.domain.action import Action, AgentSettings, Workspace
from orchestrator.domain.agent import AgentRun, Stop
from orchestrator.domain.report import with_refusal
from orchestrator.errors import JobFailed, SandboxRefused
from orchestrator.ports import AgentTask

CLI = "/opt/claude/claude"
SETTINGS = "/run/agent/settings.json"
PORT = 8080
# The CLI speaks TCP: socat carries its one address to the gateway's socket, and ends with the namespace.
LAUNCH = (
    'socat "TCP-LISTEN:$0,bind=127.0.0.1,fork,reuseaddr" "UNIX-CONNECT:$1" </dev/null >/dev/null 2>&1 & '
    'shift; exec "$@"'
)
# Has to look like a key and be none.
PLACEHOLDER = "the-gateway-holds-the-credential"
USERS = "root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:1000:1000:agent:/home/agent:/bin/bash\n"
GROUPS = "root:x:0:\nagent:x:1000:\n"


def claude_argv(action: Action, model: str | None) -> tuple[str, ...]:
    """The CLI's command line. The prompt is not in it: it goes through standard input."""
    return (
        *(CLI, "--print", "--output-format", "stream-json", "--verbose"),
        *("--settings", SETTINGS, "--setting-sources", "", "--strict-mcp-config"),
        *("--permission-mode", "dontAsk", "--tools", ",".join(action.tools)),
        *("--max-turns", str(action.max_turns), "--max-budget-usd", f"{action.budget_usd:g}"),
        *("--json-schema", json.dumps(with_refusal(action.result_schema))),
        *("--no-session-persistence", "--disable-slash-commands"),
        *(("--model", model) if model else ()),
    )


def agent_environment(max_retries: int) -> Mapping[str, str]:
    """The agent's whole environment, made from nothing."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/home/agent",
        "USER": "agent",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",  # noqa: S108  # the sandbox's own
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{PORT}",
        "ANTHROPIC_API_KEY": PLACEHOLDER,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": str(max_retries),
        "DISABLE_AUTOUPDATER": "1",
    }


def settings_json(settings: AgentSettings) -> str:
    """The settings file, written from what was validated, not copied from what was read."""
    return settings.model_dump_json()


@dataclass
class ClaudeCode:
    """Runs the CLI once a task. `timeout_s` caps the actions' own times."""

    sandbox: Sandbox
    cli: Path
    base_url: str
    api_key: str = field(repr=False)
    model: str | None = None
    timeout_s: float | None = None
    max_retries: int = 6
    _cancelled: Event = field(default_factory=Event)

    def cancel(self) -> None:
        """End the run under way soon; its cost and result so far survive."""
        self._cancelled.set()

    def run(self, task: AgentTask, transcript: Path) -> AgentRun:
        """Ask, wait at most the action's time, and say what happened."""
        if not self.cli.is_file():
            raise JobFailed("The Claude Code CLI is not installed on the worker.")
        if shutil.which("socat") is None:
            raise JobFailed("The program socat is not installed on the worker.")
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="alm-agent-")))
            gateway = stack.enter_context(Gateway(folder / "model.sock", self.base_url, self.api_key))
            confined = self._confined(task, folder)
            if (refusal := canary.refusal(self.sandbox, confined)) is not None:
                raise SandboxRefused(
                    f"No wall could be built around the agent: {refusal}. It was not started."
                )
            return self._supervised(confined, task, transcript, gateway)

    def _confined(self, task: AgentTask, folder: Path) -> Confined:
        files = {
            SETTINGS: settings_json(task.action.settings.enforced()),
            "/etc/passwd": USERS,
            "/etc/group": GROUPS,
        }
        outside = {inside: folder / inside.rpartition("/")[2] for inside in files}
        for inside, content in files.items():
            outside[inside].write_text(content)
        launch = ("/bin/sh", "-c", LAUNCH, str(PORT), self.sandbox.socket_inside)
        return Confined(
            argv=(*launch, *claude_argv(task.action, self.model)),
            workspace=task.workspace,
            writable=task.action.workspace is Workspace.READ_WRITE,
            socket=folder / "model.sock",
            environment=agent_environment(self.max_retries),
            files={**outside, CLI: self.cli.resolve()},
        )

    def _supervised(
        self, confined: Confined, task: AgentTask, transcript: Path, gateway: Gateway
    ) -> AgentRun:
        limit_s = min(task.action.timeout_s, self.timeout_s or task.action.timeout_s)
        started = time.monotonic()
        with _started(self.sandbox, confined, transcript) as supervision:
            supervision.tell(task.prompt)
            stop = supervision.wait(limit_s, self._cancelled)
            status = supervision.exit_status()
        return self._finished(supervision, gateway, status, (stop, time.monotonic() - started))

    def _finished(
        self, supervision: Supervision, gateway: Gateway, status: int, end: tuple[Stop | None, float]
    ) -> AgentRun:
        read = supervision.transcript
        stop, elapsed_s = end
        return AgentRun(
            exit_status=status,
            result=read.result,
            denials=(*read.denials, *gateway.denials),
            stop=stop,
            model=read.model,
            turns=read.turns,
            duration_ms=round(elapsed_s * 1000),
            upstream_status=gateway.upstream_status,
            offered=read.offered,
            said=read.said,
        )


@contextmanager
def _started(sandbox: Sandbox, confined: Confined, transcript: Path) -> Iterator[Supervision]:
    process = sandbox.start(confined)
    try:
        with transcript.open("wb") as stream:
            yield Supervision(process, stream)
    finally:
        process.kill()
