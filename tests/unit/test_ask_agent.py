"""The money of a run: set aside before the agent starts, settled after, and what happens where there is none."""

import re
from dataclasses import replace

import pytest
from tests.builders import action, agent_run, brief, catalogue, cli_result, delivery, fix_job, job
from tests.unit.test_run_job import World

from orchestrator.config import TrackSettings
from orchestrator.domain.agent import Stop
from orchestrator.domain.halt import Halt
from orchestrator.domain.job import JobState, brief_key, result_key, transcript_key
from orchestrator.domain.ledger import Spent
from orchestrator.domain.money import Account, Limits, OverBudget, Shortage, day_of, end_of
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.wall import Answer, Probe, Rung
from orchestrator.errors import SandboxRefused, TransientError
from orchestrator.ports import AgentTask

LIMITS = Limits(ticket_usd=10.0, day_usd=50.0)
STANDS = Probe(rung=Rung.LANDLOCK, answer=Answer.AVAILABLE)


@pytest.fixture
def world() -> World:
    return World(limits=LIMITS)


def today(world: World) -> str:
    return day_of(world.clock.now)


def balances(world: World) -> tuple[float, float]:
    """What the ticket and the day have spent or set aside."""
    ticket = world.jobs.accounts.get((Account.TICKET, job().issue_id), 0.0)
    return ticket, world.jobs.accounts.get((Account.DAY, today(world)), 0.0)


def spend(world: World, account: Account, usd: float) -> None:
    """Let others have spent it."""
    of = job().issue_id if account is Account.TICKET else today(world)
    world.jobs.accounts[account, of] = usd


def measured(world: World) -> list[dict[str, str]]:
    return [dimensions for name, _, dimensions in world.events.measured if name == "BudgetReached"]


def test_all_a_run_may_cost_is_set_aside_before_the_agent_starts_and_what_it_did_cost_is_put_in_its_place(
    world: World,
) -> None:
    during: list[tuple[float, float]] = []
    world.agent.meanwhile = lambda _: during.append(balances(world))
    world.run()
    assert (during, balances(world)) == ([(3.0, 3.0)], (0.25, 0.25))


def test_a_run_that_crossed_midnight_is_settled_where_it_was_set_aside(world: World) -> None:
    day = today(world)
    world.agent.meanwhile = lambda _: world.wait(24 * 3600)
    world.run()
    assert today(world) != day
    assert world.jobs.accounts[Account.DAY, day] == 0.25
    assert (Account.DAY, today(world)) not in world.jobs.accounts


def test_what_a_dead_worker_set_aside_stands(world: World) -> None:
    world.agent.faults.plan("run", KeyError("the worker died"))
    with pytest.raises(KeyError):
        world.use_case(delivery(), Halt())
    assert balances(world) == (3.0, 3.0)
    world.run(attempt=2)
    assert balances(world) == (3.25, 3.25)


def test_a_cost_that_nobody_knows_stays_what_was_set_aside(world: World) -> None:
    world.agent.answer = agent_run(result=cli_result(total_cost_usd=None))
    assert world.run().cost_usd is None
    assert balances(world) == (3.0, 3.0)


def test_a_run_that_was_over_its_budget_is_charged_with_what_it_cost(world: World) -> None:
    world.agent.answer = agent_run(spent=Spent(cost_usd=3.75))
    world.run()
    assert balances(world) == (3.75, 3.75)


def test_an_agent_that_was_stopped_before_it_asked_anything_costs_nothing(world: World) -> None:
    world.agent.answer = agent_run(result=None, stop=Stop.CANCELLED, spent=Spent())
    world.run()
    assert balances(world) == (0.0, 0.0)


def test_work_that_is_done_is_not_thrown_away_because_an_account_cannot_be_written(world: World) -> None:
    world.jobs.faults.plan("settle", TransientError("The accounts are busy."))
    assert world.end().outcome is Outcome.SUCCEEDED
    assert balances(world) == (3.0, 3.0)
    assert world.events.named("cost.not_settled") == [
        {**job().log_fields(), "cost_usd": 0.25, "error": "The accounts are busy."}
    ]
    assert len(world.agent.tasks) == 1


def test_money_that_cannot_be_asked_for_keeps_the_agent_from_starting(world: World) -> None:
    world.jobs.faults.plan("reserve", TransientError("The accounts are busy."))
    started: list[AgentTask] = []
    world.agent.meanwhile = started.append
    with pytest.raises(TransientError):
        world.use_case(delivery(), Halt())
    assert (started, balances(world), world.results.messages) == ([], (0.0, 0.0), [])


def test_nothing_is_set_aside_for_an_agent_without_a_wall(world: World) -> None:
    world.agent.answer = agent_run(probes=(Probe(rung=Rung.BUBBLEWRAP, answer=Answer.DENIED),))
    world.agent.faults.plan("run", SandboxRefused("No wall."))
    world.run()
    assert balances(world) == (0.0, 0.0)


def test_money_is_set_aside_once_whatever_walls_were_tried_first(world: World) -> None:
    denied = Probe(rung=Rung.BUBBLEWRAP, answer=Answer.DENIED)
    world.agent.answer = agent_run(probes=(denied, STANDS))
    world.run()
    assert len(world.jobs.records[job().job_id].costs) == 1


def test_each_run_of_a_job_has_a_reservation_of_its_own(world: World) -> None:
    world.run()
    del world.artifacts.contents[result_key(job().job_id)]
    world.run(attempt=2)
    assert [*world.jobs.records[job().job_id].costs.values()] == [0.25, 0.25]
    assert balances(world) == (0.5, 0.5)


@pytest.mark.parametrize("spent", [47.01, 50.0, 60.0])
def test_a_job_that_the_day_has_no_room_for_waits_for_the_next(world: World, spent: float) -> None:
    spend(world, Account.DAY, spent)
    world.use_case(delivery(), Halt())
    record = world.jobs.records[job().job_id]
    assert (record.state, record.wait_for) == (JobState.WAITING, Account.DAY)
    assert record.wait_until == end_of(today(world)) > world.clock.now
    assert (world.results.messages, result_key(job().job_id) in world.artifacts.contents) == ([], False)
    assert (balances(world), measured(world)) == ((0.0, spent), [{"account": "day"}])
    assert world.events.named("budget.reached") == [{**job().log_fields(), "account": "day", "waits": True}]
    assert "Jobs" not in [name for name, *_ in world.events.measured]


def test_a_job_that_just_fits_runs(world: World) -> None:
    spend(world, Account.DAY, 47.0)
    spend(world, Account.TICKET, 7.0)
    assert world.end().outcome is Outcome.SUCCEEDED


def test_a_job_that_waited_runs_when_there_is_room_again(world: World) -> None:
    spend(world, Account.DAY, 50.0)
    world.use_case(delivery(), Halt())
    world.wait(24 * 3600)
    assert world.end().outcome is Outcome.SUCCEEDED
    assert world.jobs.records[job().job_id].state is JobState.RUNNING


def test_a_job_of_a_ticket_that_has_cost_enough_is_refused(world: World) -> None:
    spend(world, Account.TICKET, 7.5)
    told = world.end()
    assert told.outcome is Outcome.REFUSED
    assert told.reason.startswith("The budget of this ticket is $10.00. Of that $7.50 is spent or set aside")
    assert "TICKET_BUDGET_USD" in told.reason
    assert measured(world) == [{"account": "ticket"}]
    assert world.events.named("budget.reached")[0]["waits"] is False


def test_where_the_deployment_says_so_the_day_refuses_too(world: World) -> None:
    world.limits = replace(LIMITS, over=OverBudget.REFUSE)
    spend(world, Account.DAY, 50.0)
    told = world.end()
    assert (told.outcome, "DAILY_BUDGET_USD" in told.reason) == (Outcome.REFUSED, True)
    assert measured(world) == [{"account": "day"}]


@pytest.mark.parametrize(
    ("limits", "whose"),
    [
        (Limits(ticket_usd=2.0, day_usd=50.0), "this ticket"),
        (Limits(ticket_usd=50.0, day_usd=2.0), "the day"),
    ],
)
def test_an_action_dearer_than_a_whole_budget_is_refused_and_waits_for_nothing(
    world: World, limits: Limits, whose: str
) -> None:
    world.limits = limits
    told = world.end()
    assert told.outcome is Outcome.REFUSED
    assert told.reason == (
        f"This action may cost $3.00, and the whole budget of {whose} is $2.00. Lower budget_usd of the action or "
        f"raise {'TICKET' if 'ticket' in whose else 'DAILY'}_BUDGET_USD. Nothing was run."
    )


@pytest.mark.parametrize("account", Account)
@pytest.mark.parametrize("needed_usd", [3.0, 30.0])
def test_the_variable_that_a_ticket_is_told_to_raise_is_one_that_track_job_reads(
    account: Account, needed_usd: float
) -> None:
    words = Shortage(account, needed_usd, limit_usd=10.0, spent_usd=9.0, resets_at=4e9).words()
    (named,) = re.findall(r"raise (\w+)", words)
    assert named.lower() in TrackSettings.model_fields


def test_a_refused_job_is_told_and_is_a_job_like_others(world: World) -> None:
    spend(world, Account.TICKET, 10.0)
    result = world.run()
    assert (result.cost_usd, result.sandbox, result.turns) == (None, None, 0)
    assert ("Jobs", 1, {"action": "investigate", "outcome": "refused"}) in world.events.measured
    assert transcript_key(job()) not in world.artifacts.contents


def test_one_tickets_spending_is_not_anothers(world: World) -> None:
    spend(world, Account.TICKET, 10.0)
    other = fix_job(issue_id="10002", issue_key="DEMO-2", job_id="DEMO-2-fix-1")
    world.artifacts.put(brief_key(other), brief().model_dump_json().encode())
    assert world.end(other).outcome is Outcome.SUCCEEDED


def test_a_job_that_cannot_be_parked_is_left_to_the_queue(world: World) -> None:
    spend(world, Account.DAY, 50.0)
    world.jobs.faults.plan("park", TransientError("The table did not answer."))
    with pytest.raises(TransientError):
        world.use_case(delivery(), Halt())
    assert world.results.messages == []


def test_what_is_set_aside_is_the_actions_own_budget(world: World) -> None:
    world.catalogue = catalogue(action(budget_usd=7.5))
    during: list[tuple[float, float]] = []
    world.agent.meanwhile = lambda _: during.append(balances(world))
    world.run()
    assert during == [(7.5, 7.5)]


def test_the_transcript_is_stored_without_the_secrets_in_it(world: World) -> None:
    world.agent.stream = b'{"type": "user", "text": "SECRET-1234"}\n'
    world.run()
    stored = world.artifacts.contents[transcript_key(job())]
    assert b"[secret removed: fake.secret]" in stored
    assert b"SECRET-1234" not in stored


def test_a_transcript_that_cannot_be_cleaned_is_not_stored_and_costs_no_result(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("orchestrator.usecases.clean_transcript.CleanTranscript.__call__", broken)
    world.run()
    assert transcript_key(job()) not in world.artifacts.contents
    assert world.events.named("transcript.not_kept")[0]["error"] == "RuntimeError"
    assert result_key(job().job_id) in world.artifacts.contents
