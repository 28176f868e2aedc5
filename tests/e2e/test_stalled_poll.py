"""However `alm run` ends, a poll that is stuck ends with it, and so does everything else that it started."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.alm_command import World
from tests.integration.agents import descendants, still_running

from alm.environment import ROOT
from alm.function import FunctionError, LocalFunction
from alm.standins.model import Turn

# Ctrl-C gives a poll 10 s, and the other functions a few more.
SOON_S = 40


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World.around(tmp_path, lambda _: Turn("hi")) as made:
        yield made


def started(world: World, stall: str) -> tuple["subprocess.Popen[bytes]", dict[int, str]]:
    """The command in a process group of its own, its poll stuck; and all the processes that it started."""
    stalled_file = world.folder / "stalled"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": str(ROOT),
        "STALL": stall,
        "STALLED_FILE": str(stalled_file),
    }
    command = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.stalled", "run"],
        cwd=world.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    assert waited(stalled_file.exists, 60)
    below = descendants(command.pid)
    assert len(below) >= 4, "moto, two functions, the workers' server"
    return command, below


def waited(condition: object, limit_s: float) -> bool:
    """Whether it came true in time."""
    assert callable(condition)
    ends = time.monotonic() + limit_s
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.1)
    return False


def all_gone(below: dict[int, str], limit_s: float = SOON_S) -> list[str]:
    """Those that are left after that time."""
    waited(lambda: not still_running(below), limit_s)
    left = still_running(below)
    for pid in below:
        if Path(f"/proc/{pid}").exists():
            os.kill(pid, signal.SIGKILL)
    return left


@pytest.mark.parametrize("stall", ["busy", "deaf", "asleep"])
def test_one_ctrl_c_ends_a_poll_that_is_stuck(world: World, stall: str) -> None:
    command, below = started(world, stall)
    os.killpg(command.pid, signal.SIGINT)
    assert command.wait(SOON_S) == 0
    assert all_gone(below) == []


@pytest.mark.parametrize("to_group", [True, False])
def test_a_kill_of_the_command_or_its_group_leaves_no_process_behind(world: World, to_group: bool) -> None:
    command, below = started(world, "deaf")
    (os.killpg if to_group else os.kill)(command.pid, signal.SIGKILL)
    command.wait(SOON_S)
    assert all_gone(below) == []


def test_a_closed_terminal_leaves_no_process_behind(world: World) -> None:
    command, below = started(world, "busy")
    os.killpg(command.pid, signal.SIGHUP)
    command.wait(SOON_S)
    assert all_gone(below) == []


def test_a_function_that_does_not_answer_in_time_is_ended_and_started_anew(tmp_path: Path) -> None:
    """As AWS does it."""
    told = {"PYTHONPATH": str(ROOT), "STALL": "deaf", "STALLED_FILE": str(tmp_path / "stalled")}
    with LocalFunction("tests.e2e.stalled", told, lambda _: None, limit_s=3) as function:
        for _ in range(2):
            with pytest.raises(FunctionError, match="had no answer after 3 s and was ended"):
                function.invoke({})


def test_what_a_worker_started_is_ended_with_it(tmp_path: Path) -> None:
    """Its sandbox has a session of its own, and a worker that is stuck cannot end it."""
    program = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True);"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid));"
        "import re; re.match('(a*)*b', 'a' * 60)"
    )
    parent = (
        "import subprocess, sys, time; from alm import reaper;"
        f"stuck = subprocess.Popen([sys.executable, '-c', {program!r}], start_new_session=True);"
        "reaper.watch(stuck.pid, 1.0); print(stuck.pid, flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    stuck = int(process.stdout.readline())
    assert waited((tmp_path / "child").exists, 20)
    below = descendants(process.pid)
    assert stuck in below
    process.kill()
    process.wait()
    assert all_gone(below, 20) == []
