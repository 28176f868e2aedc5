"""The control of attacks that are no commands: the CLI itself, as somebody starts it in a repository they trust.

The same CLI makes the same tool calls of the same hostile model, in the same repository, on a disposable machine. It
leaves out what is under test: the sandbox, our settings, the list of tools, and that the repository's own
configuration is not read. The repository leads the CLI to an address of its own for the model, and is followed.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.conformance.attack import Attack, bash
from tests.conformance.control import Controlled, Ground, Said, ground
from tests.conformance.host import planted
from tests.conformance.machine import in_machine
from tests.conformance.play import subagents_turn
from tests.conformance.rows_repository import SUBAGENT
from tests.conformance.transcript import answers

from alm.environment import installed_cli
from alm.standins.model import Conversation, ScriptedModel, ToolCall, Turn
from orchestrator.adapters.agent.claude_command import agent_environment
from orchestrator.adapters.wall.sandbox import machine_view

_TIME_S = 180
# Of the model, until the repository names another one.
_ADDRESS = {"ANTHROPIC_BASE_URL": "http://model.example"}
_TOOLS = "Bash,Read,Write,Grep,WebFetch,WebSearch,Skill,Agent"


@dataclass(frozen=True)
class _Script:
    calls: Sequence[ToolCall]
    words: Mapping[str, str]

    def __call__(self, conversation: Conversation) -> Turn:
        if "Bash" not in conversation.tool_names:
            # A page that was fetched, or a search: the CLI has it read by a model without tools.
            return Turn(text=json.dumps(conversation.body["messages"]))
        if SUBAGENT in json.dumps(conversation.body["messages"][0]):
            return subagents_turn(conversation, self.words)
        if conversation.step < len(self.calls):
            return Turn(tools=(self.calls[conversation.step],))
        return Turn(text="done")


def controlled_by_cli(attacks: Sequence[Attack]) -> Mapping[str, Controlled]:
    """Each attack once, by its name, all in one run of the CLI."""
    return in_machine(lambda: _controlled(attacks))


def _controlled(attacks: Sequence[Attack]) -> Mapping[str, Controlled]:
    with planted(abstract=True) as host, ground(host) as job:
        words = {**job.words, "victim": "1", "supervisor": "1"}
        calls = {attack.name: attack.filled(words) for attack in attacks}
        # Not an attack first: the sub-agent's first call and this one have the same number.
        script = _Script([bash("true"), *(call for made in calls.values() for call in made)], words)
        with ScriptedModel(script) as model:
            host.world.model_url = model.url
            transcript = _transcript(job)
        evidence = host.harm()
        return {name: Controlled(_said(transcript, made), evidence) for name, made in calls.items()}


def _said(transcript: str, calls: Sequence[ToolCall]) -> tuple[Said, ...]:
    return tuple(Said(text, len(text)) for text in answers(transcript, calls))


def _transcript(job: Ground) -> str:
    room = job.room
    environment = {
        name: value
        for name, value in agent_environment(machine_view(room), 1).items()
        if name != "ANTHROPIC_UNIX_SOCKET"
    }
    # Without IS_SANDBOX the CLI refuses to skip permissions as root.
    trusting = {
        **environment,
        **_ADDRESS,
        "IS_SANDBOX": "1",
        "NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt",
    }
    argv = ("--print", "--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions")
    done = subprocess.run(
        (str(installed_cli()), *argv, "--tools", _TOOLS),
        cwd=room.workspace,
        env=trusting,
        input=b"go",
        capture_output=True,
        timeout=_TIME_S,
        check=False,
    )
    return done.stdout.decode(errors="replace")
