"""What a person does with labels while an agent is at work, and what then stands on the ticket and in the record."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from tests.e2e.alm_command import World
from tests.e2e.step_by_step import COST, TICKET, Steps
from tests.e2e.test_alm_operations import asked
from tests.integration.agents import REPORT, bash, descendants, reports, still_running
from tests.integration.deployment import until

from alm.standins.model import Conversation, Turn
from orchestrator.domain.job import JobState


class SlowModel:
    """Answers once, and then thinks until it is released; from then on it does what it is asked."""

    def __init__(self) -> None:
        self.released = Event()
        self.thinks = Event()

    def __call__(self, conversation: Conversation) -> Turn:
        if not conversation.step:
            return bash("ls")
        if not self.released.is_set():
            self.thinks.set()
            self.released.wait()
        return reports(REPORT)


@pytest.fixture
def model() -> Iterator[SlowModel]:
    slow = SlowModel()
    yield slow
    slow.released.set()


@contextmanager
def running(folder: Path, model: SlowModel) -> Iterator[tuple[World, "subprocess.Popen[str]"]]:
    """An `alm run` whose agent waits for the model, on one bug."""
    with World.around(folder, model) as world:
        world.jira.create_issue("Bug", "Slow", description="x", labels=("ai-investigate",))
        process = world.start("run", "--poll-interval", "1")
        try:
            until(model.thinks.is_set)
            yield world, process
        finally:
            model.released.set()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def agents(process: "subprocess.Popen[str]") -> dict[int, str]:
    """The CLI's processes."""
    return {pid: args for pid, args in descendants(process.pid).items() if "claude" in args}


def test_taking_the_label_off_stops_the_agent_and_is_told_once_and_putting_it_on_again_runs_anew(
    tmp_path: Path, model: SlowModel
) -> None:
    with running(tmp_path, model) as (world, process):
        at_work = agents(process)
        assert at_work
        world.jira.remove_label(TICKET, "ai-processing")
        until(lambda: not still_running(at_work))
        until(lambda: "cancelled" in world.status(TICKET)[0])
        assert not model.released.is_set(), "the model still thinks: nobody waited for it"
        (told,) = world.comments(TICKET)
        (first,) = asked(world, "jobs")
        assert world.jira.issue(TICKET).labels == ()

        model.released.set()
        world.jira.add_label(TICKET, "ai-investigate")
        until(lambda: len(world.comments(TICKET)) == 2)
        until(lambda: not world.jira.issue(TICKET).labels)
        until(lambda: all(job["state"] == "ended" for job in asked(world, "jobs")))
        jobs = asked(world, "jobs")
    assert "ACTION FAILED: cancelled" in told
    assert "took the label ai-processing off" in told.replace("`", "")
    assert COST.search(told)
    assert first["spent_usd"] > 0
    assert sorted(job["outcome"] for job in jobs) == ["cancelled", "succeeded"]
    assert {tuple(re.findall("job (DEMO-1-[0-9a-z-]+)", one)) for one in world.comments(TICKET)} == {
        (job["job_id"],) for job in jobs
    }


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_that_goes_away_gives_its_job_to_another_and_what_its_agent_cost_counts(
    model: SlowModel, how: signal.Signals
) -> None:
    with Steps.around(model, "ai-investigate") as steps:
        assert steps.poll()["claimed"] == [TICKET]
        receipt = steps.receipt()
        first = steps.deployment.worker()
        until(model.thinks.is_set)
        family = descendants(first.pid)
        first.send_signal(how)
        assert steps.deployment.ended(first) == (0 if how is signal.SIGTERM else -signal.SIGKILL)
        until(lambda: not still_running(family))
        (lost,) = (record for record in steps.records())
        assert lost.state is JobState.RUNNING
        assert steps.deployment.jobs.waiting() == 0, "the message is hidden for a while"
        assert steps.comments() == ()

        model.released.set()
        steps.show_again(receipt)
        assert steps.deployment.ended(steps.deployment.worker()) == 0
        steps.publish()
        (record,) = steps.records()
        accounts = [steps.account("ticket"), steps.account("day")]
        (told,) = steps.comments()
        assert steps.deployment.jira.issue(TICKET).labels == ()
    (of_the_lost,) = lost.costs.values()
    assert "INVESTIGATION RESULTS" in told
    assert (record.state, record.outcome, len(record.costs)) == (JobState.ENDED, "succeeded", 2)
    assert accounts == [pytest.approx(record.spent_usd)] * 2
    assert of_the_lost == 2.0 if how is signal.SIGKILL else 0 < of_the_lost < 2.0
    assert record.cost_usd == pytest.approx(record.spent_usd - of_the_lost)
