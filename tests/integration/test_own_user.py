"""The agent's own user: nobody else's at the same time, and nothing of it left afterwards."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from tests.integration.agents import a_room

from orchestrator.adapters.wall import own_user

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root has a user of its own to give to an agent"
)
# Closes itself to others, so that its folder in /proc belongs to root.
HIDING = "import ctypes, time; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0); print(flush=True); time.sleep(60)"


def started(uid: int, *argv: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        argv, user=uid, group=uid, extra_groups=[], stdout=subprocess.PIPE, start_new_session=True
    )


def test_no_two_agents_have_the_same_user_at_the_same_time() -> None:
    with own_user.own_user() as first:
        with own_user.own_user() as second:
            assert first != second
        with own_user.own_user() as third:
            assert third == second


def test_every_process_of_the_user_is_ended_those_that_hide_too() -> None:
    with own_user.own_user() as uid:
        assert uid is not None
        plain, hiding = started(uid, "/bin/sleep", "60"), started(uid, "/usr/bin/python3", "-c", HIDING)
        assert hiding.stdout is not None
        hiding.stdout.readline()
        assert own_user.usage(uid).processes == 2
        assert own_user.usage(uid).memory_bytes > 1_000_000
    assert plain.wait(0) == hiding.wait(0) == -9
    hiding.stdout.close()


def test_what_a_dead_worker_left_is_ended_before_the_next_agent_gets_the_user() -> None:
    with own_user.own_user() as uid:
        assert uid is not None
    left = started(uid, "/bin/sleep", "60")
    with own_user.own_user() as again:
        assert again == uid
        assert left.wait(5) == -9


def test_what_the_user_left_where_anybody_may_write_is_removed_and_nothing_else() -> None:
    with own_user.own_user() as uid:
        assert uid is not None
        mine = Path("/tmp", f"alm-test-{os.getpid()}-mine")
        mine.write_text("x")
        script = f"mkdir -p {mine}-x/y; ln -s {mine} {mine}-link; echo > /dev/shm/alm-test-{os.getpid()}"
        assert started(uid, "/bin/sh", "-c", script).wait(10) == 0
    left = [path for folder in ("/tmp", "/dev/shm") for path in Path(folder).glob(f"alm-test-{os.getpid()}*")]
    mine.unlink()
    assert left == [mine]


def may(uid: int, what: str, path: Path) -> bool:
    done = subprocess.run(["/usr/bin/test", what, path], user=uid, group=uid, extra_groups=[], check=False)
    return done.returncode == 0


@pytest.mark.parametrize(("action", "writable"), [("fix", True), ("investigate", False)])
def test_a_room_is_open_to_its_own_user_as_far_as_the_action_goes(
    workspace: Path, action: str, writable: bool
) -> None:
    (workspace / "run").write_text("#!/bin/sh\n")
    (workspace / "run").chmod(0o700)
    (workspace / "deep").mkdir(mode=0o700)
    with a_room(workspace, action) as room:
        assert room.uid is not None
        for path in (workspace, workspace / "README.md", workspace / "deep", room.settings, room.socket):
            assert may(room.uid, "-r", path)
            assert not may(room.uid + 1, "-r", path)
        assert may(room.uid, "-x", workspace / "run")
        assert may(room.uid, "-w", workspace / "README.md") is writable
        assert may(room.uid, "-w", workspace) is writable
        assert may(room.uid, "-w", room.home)
        assert not may(room.uid, "-w", room.settings)
        assert not may(room.uid, "-w", room.folder)
    assert stat.S_IMODE((workspace / "run").stat().st_mode) & stat.S_IXUSR
