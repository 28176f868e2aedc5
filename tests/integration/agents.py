"""A task for the agent adapter, and a ClaudeCode around the real CLI or a script that plays it."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from alm.environment import ROOT, installed_cli
from alm.standins.model import Conversation, Script, ScriptedModel, ToolCall, Turn
from orchestrator.adapters.action_files import load_action
from orchestrator.adapters.agent.claude_code import ClaudeCode, furnish
from orchestrator.adapters.gateway.anthropic import AnthropicModel
from orchestrator.adapters.gateway.patience import HOLD_S, Patience
from orchestrator.adapters.gateway.server import Gateway
from orchestrator.adapters.wall.bubblewrap import Bubblewrap
from orchestrator.adapters.wall.ladder import Ladder
from orchestrator.adapters.wall.own_user import own_user
from orchestrator.adapters.wall.sandbox import Confined, Room, Sandbox
from orchestrator.adapters.wall.without_namespaces import Landlock, Seccomp
from orchestrator.domain.action import Workspace
from orchestrator.domain.agent import AgentRun
from orchestrator.domain.job import Job
from orchestrator.domain.wall import Probe, Rung
from orchestrator.ports import AgentTask

KEY = "sk-ant-test-the-real-key"
REPORT = {"summary": "s", "root_cause": "r", "files": [], "evidence": ["e"], "confidence": "low"}
JOB = Job(
    job_id="DEMO-1-investigate-1",
    issue_id="1",
    issue_key="DEMO-1",
    action="investigate",
    label="ai-investigate",
)


@dataclass(frozen=True)
class Ran:
    """What a run left: its value, the stream as text, the model's requests."""

    run: AgentRun
    transcript: str
    requests: list[tuple[dict[str, str], dict[str, object]]]


def claude(base_url: str, cli: Path | None = None, sandbox: Sandbox | None = None) -> ClaudeCode:
    """The adapter as bootstrap makes it, patient with nothing, on a ladder of one rung."""
    return ClaudeCode(
        Ladder((sandbox or Bubblewrap(),), Rung.SECCOMP),
        cli or installed_cli(),
        AnthropicModel(base_url, KEY),
        timeout_s=HOLD_S,
        max_retries=1,
        patience=lambda: Patience(hold_s=0),
    )


def task(
    workspace: Path, action: str = "investigate", prompt: str = "Find it.", **changes: object
) -> AgentTask:
    """One of our own actions, with front matter changed by keyword."""
    loaded = load_action(ROOT / "prompts" / f"{action}.md").model_copy(update=changes)
    return AgentTask(replace_action(JOB, action), loaded, prompt, workspace)


def replace_action(job: Job, action: str) -> Job:
    """The job for another action."""
    return job.model_copy(update={"action": action})


def ask(
    script: Script,
    agent_task: AgentTask,
    cli: Path | None = None,
    sandbox: Sandbox | None = None,
    **options: object,
) -> Ran:
    """Run the task against a scripted model."""
    with tempfile.TemporaryDirectory() as folder, ScriptedModel(script) as model:
        transcript = Path(folder) / "transcript.jsonl"
        agent = replace(claude(model.url, cli, sandbox), **options)  # type: ignore[arg-type]  # the adapter's own fields
        run = agent.run(agent_task, transcript, nobody)
        return Ran(run, transcript.read_text(), model.requests)


RUNGS: Mapping[str, Sandbox] = {"bubblewrap": Bubblewrap(), "landlock": Landlock(), "seccomp": Seccomp()}


@contextmanager
def a_room(
    workspace: Path, action: str = "fix", user: Callable[[], AbstractContextManager[int | None]] = own_user
) -> Iterator[Room]:
    """A room as the adapter makes one, with a gateway in it."""
    with (
        tempfile.TemporaryDirectory(prefix="alm-agent-") as folder,
        user() as uid,
        Gateway(Path(folder, "model.sock"), AnthropicModel("http://127.0.0.1:9", KEY)),
    ):
        asked = task(workspace, action).action
        room = Room(
            Path(folder), workspace, asked.workspace is Workspace.READ_WRITE, installed_cli().resolve(), uid
        )
        furnish(room, asked)
        yield room


def confined_in(room: Room, sandbox: Sandbox) -> Confined:
    """What the adapter would start behind that wall."""
    return claude("http://127.0.0.1:9").confined(task(room.workspace), room, sandbox.view(room))


def nobody(probes: tuple[Probe, ...]) -> None:
    """Hears which walls were tried and does nothing."""
    del probes


def turns(*said: Turn) -> Script:
    """A script that says these in order, the last one again and again."""

    def script(conversation: Conversation) -> Turn:
        return said[min(conversation.step, len(said) - 1)]

    return script


def reports(report: Mapping[str, object]) -> Turn:
    """The turn that gives the structured result."""
    return Turn(tools=(ToolCall("StructuredOutput", report),))


def bash(command: str) -> Turn:
    """A turn that runs a command."""
    return Turn(tools=(ToolCall("Bash", {"command": command, "description": "x"}),))


def script_cli(folder: Path, body: str) -> Path:
    """A program in the CLI's place."""
    path = folder / "claude"
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)
    return path


def descendants(pid: int) -> dict[int, str]:
    """Every process that comes from that one, itself left out: pid to command line."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    found: dict[int, str] = {}
    generation = {pid}
    while generation:
        children = {int(row[0]): row[2] for row in rows if int(row[1]) in generation}
        found |= children
        generation = set(children)
    return found


def still_running(processes: dict[int, str]) -> list[str]:
    """Those of the processes that have not ended."""
    return [args for pid, args in processes.items() if Path(f"/proc/{pid}").exists()]


def processes_with(word: str) -> list[str]:
    """Command lines on this machine that contain the word."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if word in line and "ps -eo" not in line]
