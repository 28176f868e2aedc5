"""run_job as a task of its own, through its process: what it does with signals, its queue, and a bad set-up."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any

import pytest
from tests.builders import brief, job
from tests.integration.agents import REPORT, reports, turns
from tests.integration.deployment import Deployment, until

from alm.standins.model import Conversation, Turn
from orchestrator.adapters.dynamodb import DynamoJobStore
from orchestrator.adapters.dynamodb_accounts import account_key
from orchestrator.domain.fleet import UNUSABLE
from orchestrator.domain.money import Account, day_of

JOB = job(job_id="DEMO-1-investigate-1", issue_id="1")


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with Deployment.around(turns(reports(REPORT))) as running:
        yield running


def listens(process: "subprocess.Popen[bytes]") -> bool:
    """Whether the process has its own handler for SIGTERM by now."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (caught,) = (int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def outcome(deployment: Deployment) -> str:
    """How the one job on the result queue ended."""
    message = deployment.aws.next_result(0)
    assert message is not None
    assert json.loads(message["Body"]) == JOB.model_dump(mode="json")
    return str(json.loads(deployment.aws.artifact(f"jobs/{JOB.job_id}/result.json"))["verdict"]["outcome"])


def test_a_task_takes_one_job_and_exits(deployment: Deployment) -> None:
    deployment.queue(JOB, brief())
    assert deployment.ended(deployment.worker()) == 0
    assert outcome(deployment) == "succeeded"
    assert deployment.jobs.waiting() == 0
    measured = deployment.measured()
    assert (measured["Jobs"], measured["JobSeconds"] > 0) == (1, True)


def test_an_idle_task_leaves_at_once_when_it_is_told_to_stop(deployment: Deployment) -> None:
    process = deployment.worker()
    until(lambda: listens(process))
    process.send_signal(signal.SIGTERM)
    assert deployment.ended(process) == 0
    assert deployment.printed == []


STOPPED_ALL_THE_SAME = "The worker was stopped while the agent was at work."


def given_back(deployment: Deployment) -> bool:
    """Whether the job waits on its queue again, hidden for a while, and its ticket is told nothing."""
    (line,) = deployment.logged("job.postponed")
    assert line["error"] == STOPPED_ALL_THE_SAME
    results = deployment.aws.results_left()
    return (deployment.jobs.depth(), deployment.jobs.waiting(), results) == (1, 0, 0)


def costs(deployment: Deployment) -> list[float]:
    """What each run of the job stands in its record with."""
    (record,) = (one for one in deployment.aws.jobs() if one["job_id"] == JOB.job_id)
    found: Any = record["costs"]
    return [float(cost) for cost in found.values()]


def test_a_task_whose_machine_goes_away_ends_its_agent_and_gives_its_job_back() -> None:
    with Deployment.around(lambda _: Turn(think_s=90)) as deployment:
        deployment.queue(JOB, brief())
        process = deployment.worker()
        until(lambda: bool(deployment.model.requests))
        process.send_signal(signal.SIGTERM)
        assert deployment.ended(process) == 0
        assert given_back(deployment)
        assert len(costs(deployment)) == 1


def test_a_task_that_a_person_stops_ends_its_agent_and_finishes_its_message() -> None:
    with Deployment.around(lambda _: Turn(think_s=90)) as deployment:
        deployment.queue(JOB, brief())
        process = deployment.worker()
        until(lambda: bool(deployment.model.requests))
        process.send_signal(signal.SIGINT)
        assert deployment.ended(process) == 0
        assert outcome(deployment) == "cancelled"
        assert deployment.aws.in_flight() == 1, "the job's message is gone, its result waits"


def test_a_running_job_that_is_cancelled_ends_its_agent_by_itself() -> None:
    with Deployment.around(lambda _: Turn(think_s=90)) as deployment:
        deployment.queue(JOB, brief())
        process = deployment.worker()
        until(lambda: bool(deployment.model.requests))
        table = DynamoJobStore(deployment.table())
        assert table.ask_to_cancel(JOB)
        assert deployment.ended(process) == 0
        assert outcome(deployment) == "cancelled"
        assert deployment.aws.in_flight() == 1


def test_a_task_that_is_stopped_while_it_clones_starts_no_agent_and_costs_nothing() -> None:
    def never(conversation: Conversation) -> Turn:
        raise AssertionError(conversation)

    with Deployment.around(never) as deployment:
        deployment.queue(JOB, brief())
        process = deployment.worker()
        until(lambda: bool(deployment.github.requests))
        process.send_signal(signal.SIGTERM)
        assert deployment.ended(process) == 0
        assert given_back(deployment)
        assert deployment.model.requests == []
        assert sum(costs(deployment)) == 0


def test_a_job_that_the_day_has_no_money_for_starts_no_agent_and_its_message_is_gone() -> None:
    def never(conversation: Conversation) -> Turn:
        raise AssertionError(conversation)

    with Deployment.around(never, DAILY_BUDGET_USD="5", TICKET_BUDGET_USD="100") as deployment:
        deployment.queue(JOB, brief())
        table = deployment.table()
        now = time()
        for day in (day_of(now), day_of(now + 3600)):
            table.put_item(Item={"job_id": account_key(Account.DAY, day), "usd": 5})
        assert deployment.ended(deployment.worker()) == 0
        (record,) = (one for one in deployment.aws.jobs() if one["job_id"] == JOB.job_id)
        assert (record["state"], record["wait_for"]) == ("waiting", "day")
        assert (deployment.model.requests, deployment.aws.in_flight()) == ([], 0)
        assert deployment.measured()["BudgetReached"] == 1


def test_what_is_unusable_is_one_line_and_costs_no_message_a_try(deployment: Deployment) -> None:
    deployment.queue(JOB, brief())
    cases = [
        (
            "alm/github/read",
            '{"token": "s3cret with blanks"}',
            {},
            "The secret alm/github/read cannot be used",
        ),
        ("alm/anthropic", "s3cret", {}, "The secret alm/anthropic cannot be used: JSON"),
        (
            "alm/github/read",
            "s3cret",
            {"GITHUB_SECRET": "alm/nowhere"},
            "The secret alm/nowhere could not be read",
        ),
        (
            "alm/anthropic",
            "s3cret",
            {"TRACK_FUNCTION": "", "SANDBOX_FLOOR": "none"},
            "The configuration cannot be used",
        ),
    ]
    for secret, value, told, named in cases:
        good = deployment.settings.secrets()[secret]
        deployment.store_secret(secret, value)
        assert deployment.ended(deployment.worker(**told)) == UNUSABLE
        line, metric = deployment.printed
        assert (line["message"], line["error"].startswith(named)) == ("config.unusable", True)
        assert all(name in line["error"] for name in told.keys() - {"GITHUB_SECRET"})
        assert metric["ConfigErrors"] == [1]
        assert "s3cret" not in json.dumps(deployment.printed)
        deployment.store_secret(secret, good)
        deployment.printed.clear()
    untouched = deployment.jobs.receive(0)
    assert untouched is not None
    assert untouched.attempt == 1


def test_a_foreign_message_goes_to_the_dead_letters_and_the_job_behind_it_runs(
    deployment: Deployment,
) -> None:
    body = '{"version": 1, "job_id": "x"}'
    deployment.send_foreign(deployment.aws.job_queue, body)
    deployment.queue(JOB, brief())
    assert deployment.ended(deployment.worker()) == 0
    assert (deployment.aws.dead_letters(), outcome(deployment)) == (1, "succeeded")
    assert [line["attempt"] for line in deployment.logged("message.foreign")] == [1, 2, 3, 4]
    assert body not in json.dumps([line for line in deployment.printed if line.get("level") == "WARNING"])


def test_a_message_of_a_newer_release_is_left_for_it_and_nothing_of_it_is_printed(
    deployment: Deployment,
) -> None:
    body = '{"version": 3, "job_id": "x"}'
    deployment.send_foreign(deployment.aws.job_queue, body)
    assert deployment.ended(deployment.worker()) == 0
    assert (deployment.aws.dead_letters(), deployment.jobs.depth(), deployment.jobs.waiting()) == (0, 1, 0)
    assert [line["attempt"] for line in deployment.logged("message.newer")] == [1]
    assert body not in json.dumps(deployment.printed)
