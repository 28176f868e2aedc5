"""When an agent uses more of the machine than any agent needs."""

import os
from pathlib import Path

import pytest

from orchestrator.adapters.wall import limits
from orchestrator.adapters.wall.sandbox import Usage


@pytest.fixture
def disk(tmp_path: Path) -> limits.Disk:
    return limits.Disk(tmp_path)


def test_what_an_agent_needs_is_no_excess(disk: limits.Disk) -> None:
    assert limits.excess(Usage(limits.PROCESSES, limits.machine_memory() // 2), disk) is None


def test_a_crowd_is_an_excess(disk: limits.Disk) -> None:
    assert limits.excess(Usage(limits.PROCESSES + 1), disk) == "it ran more than 1024 processes"


def test_memory_that_many_small_processes_hold_together_is_an_excess(disk: limits.Disk) -> None:
    found = limits.excess(Usage(500, limits.machine_memory()), disk)
    assert found == "it held more than 80% of the worker's memory"


def test_a_disk_that_fills_up_is_an_excess(
    disk: limits.Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DISK_BYTES", 8 * limits.MIB)
    # No more is asked of the disk than these; others who write to it meanwhile only make the bound tighter.
    with (tmp_path / "bomb").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 64 * limits.MIB)
    assert disk.excess() == "more than 8 MiB were written to its disk"


def test_a_disk_without_room_is_an_excess(disk: limits.Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FREE_DISK_BYTES", 1 << 62)
    monkeypatch.setattr(limits, "DISK_BYTES", 1 << 62)
    disk.free_at_start *= 4  # as if three quarters of it had gone since
    assert disk.excess() == "the worker's disk is full"


def test_memory_is_the_machines_or_less() -> None:
    meminfo = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    assert 0 < limits.machine_memory() <= int(meminfo["MemTotal"].split()[0]) * 1024
