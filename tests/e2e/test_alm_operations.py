"""`alm jobs`, `show`, `cancel` and `retry` beside a running `alm run`, as a person uses them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from tests.e2e.alm_command import World
from tests.e2e.test_alm_run import _wait_until

from alm.demo.model import script
from alm.standins.model import Conversation, Script, Turn


@contextmanager
def running(folder: Path, model: Script) -> Iterator[World]:
    """An `alm run` at work on one bug that asks to be investigated."""
    with World.around(folder, model) as world:
        world.jira.create_issue(
            "Bug", "Ten pieces cost too much", description="x", labels=("ai-investigate",)
        )
        process = world.start("run", "--poll-interval", "1")
        try:
            yield world
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def asked(world: World, *arguments: str) -> Any:
    """What a command says to a script."""
    status, printed = world.alm(*arguments, "--local", "--json")
    assert status == 0, printed
    return json.loads(printed)


def job_id(world: World) -> str:
    _wait_until(lambda: bool(world.model.requests))
    (job,) = asked(world, "jobs")
    assert job["state"] == "running"
    return str(job["job_id"])


def test_a_job_at_work_that_is_cancelled_is_stopped_and_told_while_the_model_still_thinks(
    tmp_path: Path,
) -> None:
    released = Event()

    def waits(conversation: Conversation) -> Turn:
        released.wait()
        return script(conversation)

    with running(tmp_path, waits) as world:
        job = job_id(world)
        try:
            assert "stops the agent within seconds" in asked(world, "cancel", job)["done"]
            _wait_until(lambda: bool(world.comments("DEMO-1")))
            _wait_until(lambda: not world.jira.issue("DEMO-1").labels)
            assert '"agent.finished"' in world.logs()
        finally:
            released.set()
        (record,) = asked(world, "jobs")
        (ticket,) = asked(world, "jobs", "--by", "ticket")
        status, printed = world.alm("cancel", job, "--local")
    assert "ACTION FAILED: cancelled" in world.comments("DEMO-1")[0]
    assert len(world.comments("DEMO-1")) == 1
    assert (record["state"], record["outcome"]) == ("ended", "cancelled")
    assert (ticket["ticket"], ticket["usd"]) == ("DEMO-1", record["spent_usd"])
    assert (status, "has ended already (cancelled)" in printed) == (2, True)


def test_a_job_that_ended_is_shown_and_asked_for_again_by_its_label(tmp_path: Path) -> None:
    with running(tmp_path, script) as world:
        _wait_until(lambda: bool(world.comments("DEMO-1")))
        _wait_until(lambda: not world.jira.issue("DEMO-1").labels)
        (first,) = asked(world, "jobs")
        told = asked(world, "show", first["job_id"])
        assert told["result"]["verdict"]["outcome"] == "succeeded"
        assert set(told["artifacts"]) == {"result", "transcript"}
        assert "makes a new job of it" in asked(world, "retry", first["job_id"])["done"]
        _wait_until(lambda: len(world.comments("DEMO-1")) == 2)
        assert len(asked(world, "jobs")) == 2


def test_without_a_run_the_commands_are_a_sentence(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "alm.cli", "jobs", "--local"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert "No `alm run` is at work with its logs in logs" in process.stderr
    assert "Traceback" not in process.stderr
