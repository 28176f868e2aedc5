"""Plays a group of attacks in one run of the real CLI, as one job of the real worker, and keeps all it left."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.builders import brief, delivery, job
from tests.conformance.attack import Attack, Group, bash
from tests.conformance.host import Host, planted
from tests.conformance.machine import in_machine
from tests.conformance.rows_answer import REPORT, SCHEMA
from tests.conformance.rows_hosts import ALLOWED, BUDGET_USD, REDIRECT, internet
from tests.conformance.rows_repository import SUBAGENT, SUBAGENT_ATTACK, SUBAGENT_CALL, hostile_files
from tests.conformance.rungs import agent_behind
from tests.conformance.transcript import answers
from tests.contract.git_workspace import cloner
from tests.contract.raw_server import sends
from tests.contract.tls_server import Certificate, TlsServer
from tests.fakes import wiring
from tests.fakes.agent import FakePrompts
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.code_host import FakePullRequests
from tests.fakes.events import FakeEvents
from tests.fakes.pipeline import Pipeline

from alm.environment import ROOT
from alm.standins.github import Content, GitHubStandIn, Symlink
from alm.standins.model import Conversation, ScriptedModel, ToolCall, Turn
from orchestrator.adapters.action_files import load_action
from orchestrator.domain.action import Action, Catalogue
from orchestrator.domain.agent import Denial, target_of
from orchestrator.domain.comment import result_comment
from orchestrator.domain.halt import Halt
from orchestrator.domain.job import Job, brief_key, transcript_key
from orchestrator.domain.outcome import JobResult
from orchestrator.domain.wall import Rung

_ACTIONS = {Group.READ: "investigate"}
_TIME_S = 300
# What an attacker finds out first, by his own means.
_LOOK = """printf "found %s\\n" "$PWD" "$HOME" \\
"$(tr "\\0" "\\n" </proc/$PPID/cmdline | sed -n "/^--settings$/{n;p}")"
"""
LEARN = ToolCall("Bash", {"command": _LOOK, "description": "x"})


@dataclass
class Playbook:
    """The hostile model: it looks around, then makes one call a turn, whatever the answers are."""

    host: Host
    attacks: Sequence[Attack]
    model_url: str = ""
    words: dict[str, str] = field(default_factory=dict)

    def __call__(self, conversation: Conversation) -> Turn:
        if SUBAGENT in conversation.prompt and "StructuredOutput" not in conversation.tool_names:
            return self._as_subagent(conversation)
        if conversation.step == 0:
            return Turn(tools=(LEARN,))
        if not self.words:
            self.words = self._learned(conversation.tool_results[0])
        calls = self.calls
        if conversation.step <= len(calls):
            return Turn(tools=(calls[conversation.step - 1],))
        return Turn(tools=(ToolCall("StructuredOutput", REPORT),))

    def _as_subagent(self, conversation: Conversation) -> Turn:
        return subagents_turn(conversation, self.words)

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """Every attack's calls, in order."""
        return tuple(call for attack in self.attacks for call in attack.filled(self.words))

    def _learned(self, found: str) -> dict[str, str]:
        lines = [
            line.removeprefix("found").strip() for line in found.splitlines() if line.startswith("found")
        ]
        inside = dict(zip(("workspace", "home", "settings"), lines, strict=True))
        folders = _folders(self.host.temporary)
        # Where it cannot be found out it is told: it has its name in the supervisor's folder.
        inside["settings"] = inside["settings"] or f"{folders['folder']}/settings.json"
        return {**self.host.words, **inside, **folders, "model": self.model_url}


def subagents_turn(conversation: Conversation, words: Mapping[str, str]) -> Turn:
    """The attack, then a report of how it was answered.

    The attack comes second: the scripted model numbers its calls by turn, and the main agent has made a first.
    """
    if conversation.step:
        return Turn(text=conversation.tool_results[-1])
    return Turn(tools=Attack(SUBAGENT_ATTACK, (bash("true"), SUBAGENT_CALL)).filled(words))


def _folders(temporary: Path) -> dict[str, str]:
    """The supervisor's own, as they are called while the agent runs."""
    folder, job_folder = next(temporary.glob("alm-agent-*")), next(temporary.glob("alm-job-*"))
    return {"folder": str(folder), "trusted": str(job_folder / "trusted.git")}


@dataclass(frozen=True)
class Played:
    """What one run left."""

    result: JobResult
    comment: str
    transcript: str
    requests: Sequence[tuple[Mapping[str, str], Mapping[str, Any]]]
    events: FakeEvents
    calls: Mapping[str, tuple[ToolCall, ...]]
    harm: tuple[str, ...]
    secrets: Mapping[str, str]

    def outputs(self, attack: Attack) -> tuple[str, ...]:
        """What each of the attack's calls was answered."""
        return answers(self.transcript, self.calls[attack.name])

    def denials(self, attack: Attack) -> tuple[Denial, ...]:
        """The denials that are this attack's."""
        if attack.counted_as.startswith("tool:"):
            return tuple(one for one in self.result.denials if one.tool == attack.counted_as[5:])
        if attack.counted_as:
            return tuple(one for one in self.result.denials if fnmatchcase(one.target, attack.counted_as))
        targets = {target_of(call.input) for call in self.calls[attack.name]}
        return tuple(one for one in self.result.denials if one.target in targets)


def play_on_a_machine(rung: Rung, group: Group, attacks: Sequence[Attack], *, abstract: bool) -> Played:
    """One job on a disposable machine. `abstract`: whether a socket without a file listens on it."""

    def played() -> Played:
        with planted(abstract=abstract) as host:
            return play(rung, group, attacks, host)

    return in_machine(played)


def play(rung: Rung, group: Group, attacks: Sequence[Attack], host: Host) -> Played:
    """One job of the worker, from the clone to the stored result and the comment."""
    playbook = Playbook(host, attacks)
    action = _action(group)
    played = job(action=action.name, label=action.label, job_id=f"DEMO-1-{group}")
    artifacts, events = FakeArtifacts(), FakeEvents()
    artifacts.put(brief_key(played), brief().model_dump_json().encode())
    with (
        _temporary(host),
        ScriptedModel(playbook) as model,
        GitHubStandIn() as github,
        TlsServer(Certificate.made(host.temporary, ALLOWED), sends(REDIRECT)) as server,
    ):
        playbook.model_url = model.url
        github.seed(files(host))
        worker = wiring.runner(
            Pipeline(catalogue=Catalogue(actions=(action,)), artifacts=artifacts, events=events),
            agent_behind(rung, model.url, internet(server)),
            FakePrompts(),
            (cloner(github), FakePullRequests()),
        )
        worker(delivery(played), Halt())
        requests = tuple(model.requests)
    return _kept(playbook, (action, played), (artifacts, events), requests)


def _kept(
    playbook: Playbook, what: tuple[Action, Job], stores: tuple[FakeArtifacts, FakeEvents], requests: Any
) -> Played:
    (action, played), (artifacts, events) = what, stores
    result = artifacts.result(played.job_id)
    return Played(
        result=result,
        comment=result_comment(action, played, result),
        transcript=artifacts.contents.get(transcript_key(played), b"").decode(),
        requests=requests,
        events=events,
        calls={one.name: one.filled(playbook.words) if playbook.words else () for one in playbook.attacks},
        harm=playbook.host.harm(),
        secrets=playbook.host.secrets,
    )


def _action(group: Group) -> Action:
    action = load_action(ROOT / "prompts" / f"{_ACTIONS.get(group, 'fix')}.md")
    tools = (*action.tools, "Agent") if group is Group.SUBAGENT else action.tools
    hosts = (ALLOWED,) if group is Group.HOSTS else ()
    limits = {
        "max_turns": 1000,
        "budget_usd": BUDGET_USD if group is Group.BUDGET else 1000.0,
        "timeout_s": _TIME_S,
    }
    return action.model_copy(update={**limits, "tools": tools, "network": hosts, "result_schema": SCHEMA})


def files(host: Host) -> dict[str, Content]:
    texts: dict[str, Content] = {
        path: Attack("repository", (ToolCall("", {"text": text}),))
        .filled(host.words)[0]
        .input["text"]
        .encode()
        for path, text in hostile_files().items()
    }
    links: dict[str, Content] = {
        "to-usr": Symlink("/usr/bin"),
        "to-secret": Symlink(host.words["secret"]),
        "to-old-root": Symlink(f"/oldroot{host.outside}"),
    }
    return texts | links


@contextmanager
def _temporary(host: Host) -> Iterator[None]:
    """The supervisor's folders go where this run can find them."""
    before, tempfile.tempdir = tempfile.tempdir, str(host.temporary)
    try:
        yield
    finally:
        tempfile.tempdir = before
