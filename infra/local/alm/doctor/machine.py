"""This machine: the tools that jobs need, and every rung of the ladder of walls, tried with a canary."""

import ctypes
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alm.doctor.finding import Finding, fault, ok, warning
from alm.environment import ROOT, installed_cli, machine_environment
from orchestrator.adapters.agent.claude_command import agent_environment
from orchestrator.adapters.wall import canary, own_user
from orchestrator.adapters.wall.bubblewrap import Bubblewrap
from orchestrator.adapters.wall.sandbox import Confined, Room, Sandbox
from orchestrator.adapters.wall.without_namespaces import Landlock, Seccomp
from orchestrator.domain.wall import Answer, Probe, Rung
from orchestrator.errors import SandboxRefused

SANDBOXES: tuple[Sandbox, ...] = (Bubblewrap(), Landlock(), Seccomp())
# Before it a symlink of a repository could lead bubblewrap out of the wall (CVE-2026-87766).
SAFE_BUBBLEWRAP = (0, 12, 0)
PACKAGES = {"git": "git", "socat": "socat", "bwrap": "bubblewrap"}
LIBSECCOMP = "libseccomp.so.2"
TOOL_LIMIT_S = 10


def tools() -> Iterator[Finding]:
    """The programs and the library that jobs need."""
    for program, package in PACKAGES.items():
        path = shutil.which(program)
        if path is None:
            yield fault(program, "is not installed", f"apt-get install {package}")
        elif program == "bwrap":
            yield bubblewrap(said((path, "--version")))
        else:
            yield ok(program, path)
    yield library(LIBSECCOMP)
    yield claude(installed_cli(), pinned_version())


def bubblewrap(version: str) -> Finding:
    """Whether this bubblewrap keeps what is inside inside."""
    number = re.search(r"(\d+)\.(\d+)\.(\d+)", version)
    if number and tuple(map(int, number.groups())) >= SAFE_BUBBLEWRAP:
        return ok("bwrap", number[0])
    return warning(
        "bwrap",
        f"{version or 'no version'}: releases before 0.12.0 can be led out of the wall (CVE-2026-87766)",
        "Use bubblewrap 0.12.0 or newer, as in Debian 13.",
    )


def library(name: str) -> Finding:
    """Whether the library can be loaded."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return warning(
            name, "is not there: the rungs below bubblewrap need it", "apt-get install libseccomp2"
        )
    return ok(name, "is there")


def claude(cli: Path, pinned: str) -> Finding:
    """Whether the Claude Code CLI is there, in the version that was tested."""
    if not cli.is_file():
        return fault("claude", "the Claude Code CLI is not installed", "make setup")
    version = said((str(cli), "--version"))
    if version.split(" ")[0] != pinned:
        return warning("claude", f"is {version or 'silent'}, not the tested {pinned}", "make setup")
    return ok("claude", version)


def pinned_version() -> str:
    """The CLI's version that infra/claude-code.pin names."""
    lines = (ROOT / "infra" / "claude-code.pin").read_text().splitlines()
    return next(line.removeprefix("version ") for line in lines if line.startswith("version "))


def said(argv: Sequence[str]) -> str:
    """The first line a program prints; nothing if it fails or does not end."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            timeout=TOOL_LIMIT_S,
            check=True,
            env=machine_environment(),
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace").partition("\n")[0].strip()


def walls(floor: Rung) -> Iterator[Finding]:
    """Each rung, tried with a canary, and whether one that stands is accepted."""
    probes = tuple(map(probed, SANDBOXES))
    yield from map(rung, probes)
    yield accepted(probes, floor)


def probed(sandbox: Sandbox) -> Probe:
    """What building this wall here came to; a hole is a denial that says which."""
    try:
        with _room() as room:
            view = sandbox.view(room)
            environment = agent_environment(view, max_retries=0)
            return canary.probed(sandbox, Confined((), environment, room))
    except SandboxRefused as refused:
        return next(iter(refused.probes), Probe(rung=sandbox.rung, answer=Answer.DENIED, reason=str(refused)))


def rung(probe: Probe) -> Finding:
    """What a rung came to. A hole is worse than a wall that cannot be built."""
    topic = f"wall {probe.rung}"
    if probe.answer is Answer.AVAILABLE:
        return ok(topic, "was built and held against the canary")
    return warning(topic, f"{probe.answer}: {probe.reason}", 'See docs/security.md, "On which computer".')


def accepted(probes: tuple[Probe, ...], floor: Rung) -> Finding:
    """Which wall an agent would get here; the ladder ends at the first one with a hole."""
    standing = next((probe.rung for probe in probes if probe.answer is Answer.AVAILABLE), None)
    if standing is not None and standing.is_accepted_by(floor):
        return ok("wall", f"agents here run behind {standing}")
    if floor is Rung.VM_BOUNDARY:
        return warning(
            "wall", "none: SANDBOX_FLOOR=vm-boundary accepts this machine as the boundary", "Raise it."
        )
    return fault(
        "wall",
        f"none that SANDBOX_FLOOR={floor} accepts: agents are refused here",
        "Allow user namespaces, or run as root with libseccomp and SANDBOX_FLOOR=seccomp.",
    )


@contextmanager
def _room() -> Iterator[Room]:
    """A room as an agent has one, with nobody at the gateway's socket but a listener."""
    with (
        tempfile.TemporaryDirectory(prefix="alm-agent-") as folder,
        tempfile.TemporaryDirectory(prefix="alm-") as outer,
        own_user.own_user() as uid,
        socket.socket(socket.AF_UNIX) as gateway,
    ):
        workspace = Path(outer, "workspace")
        workspace.mkdir()
        room = Room(Path(folder), workspace, writable=True, cli=installed_cli().resolve(), uid=uid)
        room.settings.write_text("{}")
        gateway.bind(str(room.socket))
        gateway.listen()
        own_user.hand_over(room)
        yield room
