"""What jobs, tickets and days cost, as people see it, against moto."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.contract.alm_commands import alm, local_run
from tests.contract.deployed import SESSION, a_job, a_stack, queued, store, template

from alm import deployment as deployments
from alm import jobs
from alm.aws import LocalAws
from alm.cli import _parser
from alm.deployment import Deployment
from orchestrator.adapters.dynamodb_accounts import DynamoAccounts
from orchestrator.domain.job import Job, Wait
from orchestrator.domain.money import Account, Limits, Reservation, day_of
from orchestrator.errors import ConfigError, NotFoundError


@pytest.fixture
def where(aws: LocalAws) -> Iterator[Deployment]:
    with a_stack(aws) as (_, found):
        yield found


LIMITS = Limits(ticket_usd=10.0, day_usd=50.0)


def cost(where: Deployment, job: Job, usd: float, day: str) -> None:
    """One run of the job that cost so much."""
    asked = Reservation(f"run_{uuid4().hex[:8]}", usd, day)
    store(where).start(job, 1)
    assert DynamoAccounts(where.table).reserve(job, asked, LIMITS) is None


def test_a_listing_shows_neither_accounts_nor_jobs_that_are_only_held(where: Deployment) -> None:
    job = queued(where, a_job())
    cost(where, job, 1.5, "2026-11-22")
    assert store(where).hold(a_job(), 60)
    listing = jobs.listed(where)
    assert ([each.job_id for each in listing.jobs], listing.unreadable) == ([job.job_id], 0)
    with pytest.raises(NotFoundError):
        jobs.found(where, "account#day#2026-11-22")


def test_a_record_of_a_newer_release_is_counted_and_not_guessed_at(where: Deployment) -> None:
    where.table.put_item(Item={"job_id": a_job().job_id, "state": "queued", "version": 3})
    listing = jobs.listed(where)
    assert (listing.jobs, listing.unreadable) == ((), 1)


def test_a_job_costs_what_all_its_runs_cost(where: Deployment) -> None:
    job = queued(where, a_job())
    cost(where, job, 1.5, "2026-11-21")
    cost(where, job, 0.25, "2026-11-22")
    (found,) = jobs.listed(where).jobs
    assert found.spent_usd == 1.75


def test_tickets_come_the_dearest_first_and_days_the_latest_first(where: Deployment) -> None:
    cheap = queued(where, a_job("DEMO-1"))
    dear = queued(where, a_job("DEMO-2", issue_id="10000"))
    cost(where, cheap, 1, "2026-11-21")
    cost(where, dear, 2, "2026-11-22")
    tickets = jobs.spending(where, Account.TICKET)
    assert [(one.issue_key, one.of, one.usd) for one in tickets] == [
        ("DEMO-2", "10000", 2),
        ("DEMO-1", "10001", 1),
    ]
    days = jobs.spending(where, Account.DAY)
    assert [(one.of, one.usd) for one in days] == [("2026-11-22", 2), ("2026-11-21", 1)]


def test_an_account_that_cannot_be_read_does_not_hide_the_others(where: Deployment) -> None:
    cost(where, queued(where, a_job()), 1, "2026-11-21")
    where.table.put_item(Item={"job_id": "account#day#odd", "usd": "much"})
    assert [one.of for one in jobs.spending(where, Account.DAY)] == ["2026-11-21"]


def test_a_stack_tells_its_budgets_by_its_parameters(aws: LocalAws) -> None:
    name = f"alm-{uuid4().hex[:12]}"
    client: Any = SESSION.client("cloudformation", endpoint_url=aws.endpoint)
    parameters = {"TicketBudgetUsd": {"Type": "Number", "Default": 7}, "DailyBudgetUsd": {"Type": "Number"}}
    body = {**json.loads(template(name)), "Parameters": parameters}
    given = [{"ParameterKey": "DailyBudgetUsd", "ParameterValue": "20"}]
    client.create_stack(StackName=name, TemplateBody=json.dumps(body), Parameters=given)
    assert deployments.deployed(SESSION, name, aws.endpoint).limits == Limits(7, 20)


def test_a_deployment_that_does_not_tell_its_budgets_has_none_to_show(aws: LocalAws) -> None:
    with a_stack(aws) as (_, found):
        assert found.limits is None


def spent_today(tmp_path: Path, aws: LocalAws, issue: str, issue_id: str) -> tuple[str, ...]:
    """The options of a run with budgets, in which that ticket has cost two dollars today and one long ago."""
    with deployments.announced(tmp_path, aws, LIMITS):
        runtime = (tmp_path / deployments.RUNTIME_FILE).read_text()
    (tmp_path / deployments.RUNTIME_FILE).write_text(runtime)
    local = deployments.local(tmp_path)
    job = queued(local, a_job(issue, issue_id=issue_id))
    cost(local, job, 2, day_of(time.time()))
    cost(local, job, 1, "2020-02-02")
    return ("--local", "--logs-dir", str(tmp_path))


def test_what_a_ticket_has_left_of_its_budget_is_shown(
    aws: LocalAws, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = spent_today(tmp_path, aws, "DEMO-90", "10090")
    printed = alm(capsys, "jobs", "--by", "ticket", "--issue", "DEMO-90", *options)
    assert printed.splitlines()[-1].split()[:4] == ["DEMO-90", "$3.00", "$10.00", "$7.00"]
    assert json.loads(alm(capsys, "jobs", "--by", "ticket", "--issue", "DEMO-90", *options, "--json")) == [
        {"ticket": "DEMO-90", "issue_id": "10090", "usd": 3.0, "budget_usd": 10.0, "left_usd": 7.0}
    ]


def test_what_is_left_of_today_is_shown_and_nothing_of_a_day_that_is_over(
    aws: LocalAws, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = spent_today(tmp_path, aws, "DEMO-91", "10091")
    told = {one["day"]: one for one in json.loads(alm(capsys, "jobs", "--by", "day", *options, "--json"))}
    today = told[day_of(time.time())]
    assert today["left_usd"] == max(0.0, 50.0 - today["usd"])
    assert told["2020-02-02"]["left_usd"] is None
    printed = alm(capsys, "jobs", "--by", "day", *options).splitlines()
    assert [line.split()[0] for line in printed[1:]] == sorted(told, reverse=True)
    assert len(printed[-1].split()) == 3


def test_a_days_cost_is_not_asked_for_by_issue(aws: LocalAws, tmp_path: Path) -> None:
    options = _parser().parse_args(["jobs", "--by", "day", "--issue", "DEMO-1", *local_run(tmp_path, aws)])
    with pytest.raises(ConfigError, match="not kept by issue"):
        options.command(options)


def test_show_tells_what_each_run_cost_and_what_stands_in_the_jobs_way(
    aws: LocalAws, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = spent_today(tmp_path, aws, "DEMO-92", "10092")
    local = deployments.local(tmp_path)
    (job,) = (each.job for each in jobs.listed(local, "DEMO-92").jobs)
    store(local).progress(job, "agent")
    store(local).park(job, Wait(Account.DAY, 1_800_000_000))
    (line,) = [
        row for row in alm(capsys, "jobs", "--issue", "DEMO-92", *options).splitlines() if "DEMO-92" in row
    ]
    assert "waiting  until 2027-01-15 at 08:00 UTC" in line
    store(local).ask_to_cancel(job)
    store(local).give_up(job, "jobs")
    assert "dead letter (jobs)" in alm(capsys, "jobs", "--issue", "DEMO-92", *options)
    shown = alm(capsys, "show", job.job_id, *options)
    assert shown.count("cost of run_") == 2
    for part in ("the budget of the day, until 2027-01-15", "given up in jobs", "cancel asked", "$3.00"):
        assert part in shown
    (told,) = json.loads(alm(capsys, "jobs", "--issue", "DEMO-92", *options, "--json"))
    assert (told["spent_usd"], told["dead_letter"], told["wait_for"]) == (3.0, "jobs", "day")
