"""The bounds of a git process: whatever it does, it and all that it started are ended at them."""

import os
import time
from pathlib import Path

import pytest

from orchestrator.adapters import git_process
from orchestrator.domain.repository_limits import RepositoryLimits
from orchestrator.errors import RepositoryTooLarge

MIB = 1024 * 1024


def test_the_folder_is_watched_where_no_single_file_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = RepositoryLimits(max_bytes=3 * MIB)
    bounds = git_process.Bounds(tmp_path, limits, 60)
    script = "i=0; while true; do head -c 1000000 /dev/zero >$0/$i; i=$((i+1)); sleep 0.05; done"
    monkeypatch.setattr(git_process, "_limited", lambda _: ("sh", "-c", script, str(tmp_path)))
    with pytest.raises(RepositoryTooLarge, match="The download"):
        git_process.run_bounded((), {"PATH": os.environ["PATH"]}, bounds)
    written = list(tmp_path.iterdir())
    time.sleep(0.3)
    assert list(tmp_path.iterdir()) == written
    assert git_process.size_below(tmp_path) < 20 * MIB
    for path in written:
        path.unlink()


def test_every_process_of_git_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = git_process.Bounds(tmp_path, RepositoryLimits(), 0.5)
    started = tmp_path / "pid"
    script = f"sleep 600 & echo $! >{started}; wait"
    monkeypatch.setattr(git_process, "_limited", lambda _: ("sh", "-c", script))
    with pytest.raises(git_process.TookTooLong):
        git_process.run_bounded((), {"PATH": os.environ["PATH"]}, bounds)
    pid = int(started.read_text())
    started.unlink()
    assert _ended(pid)


def _ended(pid: int) -> bool:
    for _ in range(50):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or ") Z " in status.read_text():
            return True
        time.sleep(0.1)
    return False


def test_a_process_that_computes_without_end_is_ended_by_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_process, "CPU_S", 1)
    limited_by = (*git_process._limited(RepositoryLimits()), "sh", "-c", "while true; do :; done")  # noqa: SLF001
    monkeypatch.setattr(git_process, "_limited", lambda _: limited_by)
    bounds = git_process.Bounds(tmp_path, RepositoryLimits(), 60)
    with pytest.raises(RepositoryTooLarge, match="more time, memory or disk"):
        git_process.run_bounded((), {"PATH": os.environ["PATH"]}, bounds)
