"""The control of an attack: the same commands without a sandbox, where they have to succeed.

The Bash tool of the CLI gives its command to `bash -c` in the workspace, and so does the control: the same words, the
same files, environment and targets, on a disposable machine with the same things planted. It leaves out what is under
test: the sandbox, the user of its own, the limits, the CLI's rules, and the real gateway, in whose place one answers
that allows everything. So it runs as the worker's own user, root, unless the attack is to become root. A command that
does not get through here proves nothing when it is refused elsewhere.
"""

import ctypes
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.conformance.attack import Attack
from tests.conformance.host import Host, planted, victim
from tests.conformance.machine import in_machine
from tests.conformance.open_gateway import open_gateway
from tests.conformance.play import files
from tests.contract.tls_server import Certificate

from alm.standins.github import Symlink
from alm.standins.model import ToolCall
from orchestrator.adapters.agent.claude_command import agent_environment
from orchestrator.adapters.wall.sandbox import Room, machine_view

TIMEOUT_S = 60
KEPT_BYTES = 4096
_USER = 61_063
_KEYS = {"x86_64": (248, 250), "aarch64": (217, 219)}  # add_key, keyctl
_JOIN_SESSION_KEYRING, _SESSION = 1, -3
# Nothing that happens to these reaches another row.
_APART = ("unshare", "--mount", "--uts", "--ipc", "--propagation", "private", "--")


@dataclass(frozen=True)
class Said:
    """What one command printed: its beginning and end, and how many bytes it was."""

    text: str
    size: int


@dataclass(frozen=True)
class Controlled:
    """How the control of an attack ended."""

    said: tuple[Said, ...]
    evidence: tuple[str, ...]

    def got_through(self, attack: Attack) -> bool:
        """Whether each of its commands, or what they left, shows that the attack works."""
        left = any(attack.slug in what for what in self.evidence)
        return left or (bool(self.said) and all(_shows(attack, one) for one in self.said))


def _shows(attack: Attack, said: Said) -> bool:
    return said.size >= attack.floods_bytes if attack.floods_bytes else attack.won_by in said.text


@dataclass(frozen=True)
class Ground:
    """A job's folders, as a worker lays them out, without anything that closes them."""

    host: Host
    room: Room

    @property
    def words(self) -> Mapping[str, str]:
        """What the attacker finds out by looking."""
        room = self.room
        return {
            **self.host.words,
            "workspace": str(room.workspace),
            "home": str(room.home),
            "settings": str(room.settings),
            "folder": str(room.folder),
            "trusted": str(room.workspace.parent / "trusted.git"),
            "model": f"http://127.0.0.1:{self.host.words['port']}",
        }


@contextmanager
def ground(host: Host) -> Iterator[Ground]:
    folder, job = (host.temporary / name for name in ("alm-agent-control", "alm-job-control"))
    room = Room(folder, job / "workspace", writable=True, cli=Path("/nowhere"))
    for made in (room.workspace, room.home / ".aws", room.tmp):
        made.mkdir(parents=True)
    room.settings.write_text("{}")
    (room.home / ".aws" / "credentials").write_text("planted-credentials\n")
    _repository(host, room.workspace)
    _keys(host.mark)
    with open_gateway(room.socket, Certificate.made(folder, "registry.example.org")):
        yield Ground(host, room)


def _repository(host: Host, workspace: Path) -> None:
    for path, content in files(host).items():
        target = workspace / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Symlink):
            # The old root of a sandbox is the machine's own root, where there is no sandbox.
            target.symlink_to(content.target.removeprefix("/oldroot"))
        elif isinstance(content, bytes):
            target.write_bytes(content)
    Path("/oldroot").symlink_to("/")
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    for command in (("init", "--quiet"), ("add", "--all", "--force"), (*who, "commit", "--quiet", "-m", "x")):
        subprocess.run(["git", *command], cwd=workspace, check=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", ".", "../trusted.git"], cwd=workspace, check=True)
    subprocess.run(["git", "-C", "../trusted.git", "repack", "-adq"], cwd=workspace, check=True)


def _keys(mark: str) -> None:
    """A keyring that ends with the machine, with a key of somebody else in it."""
    add_key, keyctl = _KEYS[platform.machine()]
    libc = ctypes.CDLL(None)
    libc.syscall(keyctl, _JOIN_SESSION_KEYRING, None)
    libc.syscall(add_key, b"user", mark.encode(), b"x", 1, _SESSION)


def controlled(attacks: Sequence[Attack]) -> Mapping[str, Controlled]:
    """Each attack once, by its name, on one disposable machine."""
    return in_machine(lambda: dict(_all_controlled(attacks)))


def _all_controlled(attacks: Sequence[Attack]) -> Iterator[tuple[str, Controlled]]:
    with planted(abstract=True) as host, ground(host) as job:
        for attack in attacks:
            # Each has victims of its own, since it may end them.
            with victim(host.secrets["environment"]) as other, victim("") as supervisor:
                words = {**job.words, "victim": str(other.pid), "supervisor": str(supervisor.pid)}
                calls = attack.filled(words)
                said = tuple(_run(call, job, as_user=attack.control_as_user) for call in calls)
            yield attack.name, Controlled(said, host.harm())


def _run(call: ToolCall, job: Ground, *, as_user: bool) -> Said:
    room = job.room
    user = ("setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", "--") if as_user else ()
    command = (*_APART, *user, "/bin/bash", "-c", call.input["command"])
    # A file, not a pipe: what the attack leaves running may hold it open.
    with tempfile.TemporaryFile() as output, Path(job.host.words["secret"]).open("rb") as left_open:
        process = subprocess.Popen(
            command,
            cwd="/" if as_user else room.workspace,
            env=agent_environment(machine_view(room), 1),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(left_open.fileno(),),
            start_new_session=True,
        )
        _wait(process)
        size = output.seek(0, os.SEEK_END)
        return Said(_kept(output, size), size)


def _kept(output: IO[bytes], size: int) -> str:
    """The beginning and the end."""
    output.seek(0)
    beginning = output.read(KEPT_BYTES)
    output.seek(max(output.tell(), size - KEPT_BYTES))
    return (beginning + output.read()).decode(errors="replace")


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
