"""What the agent's processes may use of the machine, and what is left of a job: nothing."""

import gc
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.agents import (
    REPORT,
    a_room,
    ask,
    bash,
    confined_in,
    descendants,
    reports,
    script_cli,
    task,
    turns,
)

from alm.environment import ROOT
from alm.standins.model import Turn
from orchestrator.adapters.wall import limits
from orchestrator.adapters.wall.bubblewrap import Bubblewrap
from orchestrator.adapters.wall.sandbox import Sandbox
from orchestrator.adapters.wall.without_namespaces import Seccomp
from orchestrator.domain.agent import Source, Stop

NEVER = turns(Turn(think_s=60))
NOBODY = 65534
PATHS = f"{ROOT}/layers/core:{ROOT}/functions"
# Leaves root if it is root, so that the one who asks has the same user and no privilege.
WORKER = """
import ctypes, os, sys
from orchestrator.adapters.wall.limits import keep_own_memory
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
if sys.argv[1] == "keeps":
    keep_own_memory()
print("ready", flush=True)
input()
"""
ENTRY = """
import ctypes
from orchestrator import bootstrap
from orchestrator.errors import ConfigError
dumpable = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
before = dumpable()
try:
    bootstrap.work()
except ConfigError:
    print(before, dumpable())
"""


OPEN_DESCRIPTORS = """
import os
for number in range(256):
    try:
        os.fstat(number)
    except OSError:
        continue
    print(number)
"""


def children() -> dict[int, str]:
    return {pid: args for pid, args in descendants(os.getpid()).items() if "ps -eo" not in args}


def inside(sandbox: Sandbox, workspace: Path, *argv: str) -> str:
    """What a program behind the wall prints."""
    with a_room(workspace) as room:
        process = sandbox.start(replace(confined_in(room, sandbox), argv=argv))
        process.wait(20)
        process.kill()
        return process.stdout.read().decode()


def test_a_program_starts_with_three_descriptors_and_no_other(sandbox: Sandbox, workspace: Path) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)  # noqa: FBT003  # the standard library's
    opened = inside(sandbox, workspace, "/usr/bin/python3", "-c", OPEN_DESCRIPTORS)
    os.close(reading)
    os.close(writing)
    assert opened.split() == ["0", "1", "2"]


def test_no_process_can_raise_its_limits(sandbox: Sandbox, workspace: Path) -> None:
    asked = (
        "ulimit -Hn; ulimit -Hu; ulimit -Hf; ulimit -Hd; ulimit -c; ulimit -Hn 9999 2>/dev/null || echo no"
    )
    assert inside(sandbox, workspace, "/bin/bash", "-c", asked).split() == [
        *("4096", "2048", str(limits.FILE_BYTES // 1024), str(limits.DATA_BYTES // 1024), "0", "no")
    ]


@pytest.mark.parametrize(
    "rung", [Bubblewrap, Seccomp]
)  # the one between shows no process, and starts like the last
def test_the_kernel_takes_memory_from_the_agent_first(workspace: Path, rung: type[Sandbox]) -> None:
    assert inside(rung(), workspace, "/bin/cat", "/proc/self/oom_score_adj").strip() == "1000"


def test_a_process_gets_no_more_memory_than_its_limit(
    sandbox: Sandbox, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DATA_BYTES", 256 * limits.MIB)
    said = inside(
        sandbox, workspace, "/bin/bash", "-c", "head -c 400M /dev/zero | tail 2>&1 >/dev/null; echo done"
    )
    assert "memory exhausted" in said
    assert "done" in said


def test_an_agent_with_too_many_processes_is_ended_and_nothing_else(
    sandbox: Sandbox, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PROCESSES", 50)
    before = children()
    ran = ask(
        NEVER, task(workspace), script_cli(tmp_path, "for n in {1..80}; do sleep 60 & done; wait"), sandbox
    )
    assert ran.run.stop is Stop.EXCESS
    assert ran.run.excess == "it ran more than 50 processes"
    assert [(denial.source, denial.target) for denial in ran.run.denials] == [(Source.KERNEL, ran.run.excess)]
    assert ran.run.duration_ms < 20_000
    assert children() == before


def test_no_file_and_no_folder_in_memory_grows_past_its_limit(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME_BYTES", "TMP_BYTES", "SHARED_BYTES"):
        monkeypatch.setattr(limits, name, 4 * limits.MIB)
    write = "for f in /tmp/x ~/x /dev/shm/x; do head -c 8M /dev/zero >$f; done; : >/dev/x; "
    cli = script_cli(tmp_path, write + "truncate -s 2G /workspace/sparse; exit 7")
    ran = ask(NEVER, task(workspace, "fix"), cli)
    assert ran.run.exit_status == 7
    assert ran.transcript.count("No space left on device") == 3
    assert ran.transcript.count("/dev/x: Read-only file system") == 1
    assert "File size limit exceeded" in ran.transcript
    assert (workspace / "sparse").stat().st_size == 0


def test_a_file_that_is_written_past_the_limit_ends_its_writer(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FILE_BYTES", 4 * limits.MIB)
    ran = ask(
        NEVER, task(workspace, "fix"), script_cli(tmp_path, "exec head -c 1G /dev/zero >/workspace/big")
    )
    assert ran.run.exit_status != 0
    assert (workspace / "big").stat().st_size == 4 * limits.MIB


def test_a_process_opens_no_more_files_than_its_limit(workspace: Path, tmp_path: Path) -> None:
    # The subshell ends where its exec fails; tail ends with it, and then the program does.
    body = "(while exec {fd}</dev/null; do :; done) 2>&1 | tail -2 >&2"
    ran = ask(NEVER, task(workspace), script_cli(tmp_path, body))
    assert "Too many open files" in ran.transcript
    with Path("/dev/null").open() as file:
        assert file.readable()


def test_nothing_of_a_job_is_left_afterwards(
    sandbox: Sandbox, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    temporary.chmod(0o711)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    ask(turns(reports(REPORT)), task(workspace), sandbox=sandbox)
    gc.collect()
    processes, descriptors = children(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # only how many
    ask(
        turns(
            bash("(setsid sleep 98764 &); mkdir -p /tmp/left-98764/x; (mkfifo /tmp/f; cat /tmp/f &)"),
            reports(REPORT),
        ),
        task(workspace),
        sandbox=sandbox,
    )
    gc.collect()
    assert children() == processes
    assert len(os.listdir("/proc/self/fd")) <= descriptors  # noqa: PTH208
    assert list(temporary.iterdir()) == []
    assert not Path("/tmp/left-98764").exists()
    assert str(temporary) not in Path("/proc/net/unix").read_text()
    assert [path.name for path in workspace.iterdir()] == ["README.md"]


@pytest.mark.parametrize(("how", "seen"), [("opens", True), ("keeps", False)])
def test_another_process_of_the_same_user_cannot_read_the_worker(how: str, seen: bool) -> None:
    asks_as = NOBODY if os.getuid() == 0 else None
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"SECRET": "planted", "PYTHONPATH": PATHS},
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        environ = f"/proc/{worker.pid}/environ"
        cat = ["/bin/cat", environ]
        read = subprocess.run(cat, user=asks_as, group=asks_as, capture_output=True, check=False)
        worker.kill()
    assert (b"planted" in read.stdout) is seen


def test_the_worker_keeps_its_memory_before_it_holds_a_secret() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENTRY],
        env={"PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.splitlines()[-1], done.stderr) == ("1 0", "")
