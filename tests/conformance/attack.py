"""What an attack is: the tool calls of a hostile model, and how it has to end. Nothing is run here."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from alm.standins.model import ToolCall
from orchestrator.domain.agent import Source

# What an attack prints once it has what it wanted; as a command writes it, the word itself is not in the command.
WON = "got-through"
SHELL_WON = "echo got-thr''ough"
_COULD_WIN = re.compile(r"got-thr[\\'\"]+ough")  # however often it was quoted
PYTHON_WON = "print('got-thr' + 'ough', flush=True)"


class Group(StrEnum):
    """Attacks of one group share one run of the CLI, of which at most a hundred refusals by the kernel count."""

    CHANGE = "change"  # an action that may write its workspace; so may those of the next two
    NETWORK = "network"
    REPOSITORY = "repository"
    READ = "read"  # one that may not
    HOSTS = "hosts"  # one that may reach a host
    BUDGET = "budget"  # one that may spend little
    CROWD = "crowd"  # ends the run it is in
    SUBAGENT = "subagent"  # one that has been given the Agent tool


@dataclass(frozen=True)
class Attack:
    """One row of the table. `@words@` in its calls are filled from the machine it is played on.

    `refusal` is the pattern of what each refused command prints, by level where they differ. An answer has to hold
    it as often as the call has commands, or as `refusals` says. `counted_as` is the target of the denial, `*` for the
    rest of it, where that is not the call itself; `refused_tool` is its tool, where that is not the call's.
    `why_uncounted` is for what is not refused, only cut or cleared away. `by_nature` maps a level that cannot hold
    the attack to the reason.

    The control has to show `won_by`, or print as many bytes as `floods_bytes`, or leave something with the row's
    name. `no_control` says why an attack has none on this machine, where its control prints `no_control_says`.
    """

    name: str
    calls: tuple[ToolCall, ...]
    source: Source | None = Source.KERNEL
    group: Group = Group.CHANGE
    counted_as: str = ""
    why_uncounted: str = ""
    by_nature: Mapping[str, str] = field(default_factory=dict)
    refusal: str | Mapping[str, str] = ""
    won_by: str = WON
    floods_bytes: int = 0
    control_as_user: bool = False
    no_control: str = ""
    no_control_says: str = ""
    refusals: int | None = None
    refused_tool: str = ""
    needs_cli: bool = False

    def refusals_in(self, call: ToolCall) -> int:
        """How many refusals an answer to the call has to hold: one for each time it could have got through."""
        if self.refusals is not None:
            return self.refusals
        return max(1, len(_COULD_WIN.findall(str(call.input.get("command", "")))))

    def refusal_on(self, level: str) -> str:
        """The pattern of the refusal on that level."""
        return self.refusal if isinstance(self.refusal, str) else self.refusal[level]

    def shown_in(self, output: str) -> bool:
        """Whether what a call printed shows that it got through."""
        return not self.floods_bytes and self.won_by in output

    @property
    def is_stopped(self) -> bool:
        """Whether the supervisor ends the run for it, so that the call itself gets no answer."""
        return self.group is Group.CROWD

    @property
    def is_shell(self) -> bool:
        """Whether the control needs no CLI: all its calls are commands."""
        return not self.needs_cli and all(call.name == "Bash" for call in self.calls)

    @property
    def ends_the_run(self) -> bool:
        """Whether the wall may end the agent for it, so that no answer comes."""
        return self.group in {Group.CROWD, Group.BUDGET}

    @property
    def slug(self) -> str:
        """The name in a file's name."""
        return re.sub(r"\W+", "-", self.name).strip("-").lower()

    def filled(self, words: Mapping[str, str]) -> tuple[ToolCall, ...]:
        """The calls as they are made, each like no other row's."""
        known = {**words, "slug": self.slug}
        return tuple(ToolCall(call.name, _filled(call.input, known)) for call in self.calls)


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(inner, words) for name, inner in value.items()}
    return re.sub(r"@(\w+)@", lambda found: words[found[1]], value) if isinstance(value, str) else value


def grouped(group: Group, *attacks: Attack) -> tuple[Attack, ...]:
    """These attacks in that group, unless they ask for another themselves."""
    return tuple(replace(one, group=group) if one.group is Group.CHANGE else one for one in attacks)


def bash(command: str, **options: Any) -> ToolCall:
    """A shell command."""
    return ToolCall("Bash", {"command": f": @slug@; {command}", "description": "x", **options})


def wins(*commands: str) -> ToolCall:
    """Shell commands, any of which may not succeed."""
    return bash("; ".join(f"{command} && {SHELL_WON}" for command in commands))


def around(*commands: str) -> ToolCall:
    """The same out of the CLI's sight, which asks before commands that touch certain paths."""
    program = "; ".join(f"{command} && {SHELL_WON}" for command in commands)
    return hidden(program)


def hidden(program: str) -> ToolCall:
    """A shell program that the CLI does not take apart."""
    started = f"import os; os.execv('/bin/sh', ('sh', '-c', {program!r}))"
    return bash(f"/usr/bin/python3 -c {shlex.quote(started)}")


def python(*statements: str) -> ToolCall:
    """A Python program whose last statement may not be reached."""
    program = "\n".join((*statements, PYTHON_WON))
    return bash(f"timeout 20 /usr/bin/python3 -c {shlex.quote(program)}")


SYSTEM_CALLS = """
import ctypes, os, platform, sys
numbers = {"x86_64": 0, "aarch64": 1}
libc = ctypes.CDLL(None, use_errno=True)
def call(x86_64, aarch64, *arguments):
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    answer = libc.syscall((x86_64, aarch64)[numbers[platform.machine()]], *words)
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer
"""


def system_call(x86_64: int, aarch64: int, arguments: str) -> ToolCall:
    """A system call by its numbers, as no library offers it."""
    return python(SYSTEM_CALLS, f"call({x86_64}, {aarch64}, {arguments})")
