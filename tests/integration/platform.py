"""A machine that lacks what a wall stands on: run by path, it takes it away from itself, then builds an agent's wall.

Prints the probes as JSON lines. Fargate answers ENOSPC to new user namespaces; an old kernel has no Landlock.
"""

import errno
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.integration.agents import REPORT, RUNGS, claude, nobody, reports, task, turns

from alm.standins.model import ScriptedModel
from orchestrator.adapters.wall.confine import filter_calls
from orchestrator.adapters.wall.ladder import Ladder
from orchestrator.adapters.wall.libseccomp import filtering, has_flag
from orchestrator.adapters.wall.no_wall import NoWall
from orchestrator.domain.wall import Probe, Rung
from orchestrator.errors import SandboxRefused

LANDLOCK_CALLS = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
NEW_USER_NAMESPACE = 0x10000000
NOT_ROOT = 61_999


def take_away(lacks: list[str]) -> None:
    """From this process and its children; what is missing answers as it does there."""
    with filtering() as calls:
        if "namespaces" in lacks:
            for call in ("clone", "unshare"):
                calls.refuse(errno.ENOSPC, call, has_flag(0, NEW_USER_NAMESPACE))
            calls.refuse(errno.ENOSYS, "clone3")
        for call in LANDLOCK_CALLS if "landlock" in lacks else ():
            calls.refuse(errno.ENOSYS, call)
        filter_calls(calls.program())


def leave_root(folder: Path) -> None:
    """Go on as a user who owns this folder and may not read where Python's own files lie."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOT_ROOT, NOT_ROOT)
    os.setgroups([])
    os.setgid(NOT_ROOT)
    os.setuid(NOT_ROOT)


def show(probes: tuple[Probe, ...]) -> None:
    for probe in probes:
        sys.stdout.write(probe.model_dump_json() + "\n")


def main() -> None:
    floor, *lacks = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, ScriptedModel(turns(reports(REPORT))) as model:
        Path(folder).chmod(0o711)
        agent, asked = claude(model.url), task(made(folder, "job"))
        if "root" in lacks:
            # Loads all that cannot be read later.
            agent.run(replace(asked, workspace=made(folder, "before")), Path(folder, "transcript"), nobody)
        agent.ladder = Ladder((*RUNGS.values(), NoWall()), Rung(floor))
        take_away(lacks)
        if "root" in lacks:
            leave_root(Path(folder))
        try:
            report = agent.run(asked, Path(folder, "transcript"), show).report
        except SandboxRefused as refused:
            sys.stderr.write(str(refused))
        else:
            assert report == REPORT


def made(folder: str, name: str) -> Path:
    workspace = Path(folder, name, "workspace")
    workspace.mkdir(parents=True)
    return workspace


if __name__ == "__main__":
    main()
