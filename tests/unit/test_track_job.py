"""track_job: what a worker asks for is done for its own genuine job, and within the function's own bounds."""

import pytest
from pydantic import ValidationError
from tests.builders import brief, fix_job, issue, job
from tests.fakes.pipeline import Pipeline
from tests.fakes.tracking import ACCESS, FakeAccess, client, track_job

from orchestrator.domain.job import JobState, Start, Unfinished, Wait, brief_key
from orchestrator.domain.money import Account, Limits, day_of, run_name
from orchestrator.domain.tracking import KeepAlive, SettleMoney, TrackCall
from orchestrator.errors import ForgedJob, JobFailed, TransientError
from orchestrator.usecases.track_job import LONGEST_WAIT_S, MOST_OVERSHOOT_USD


@pytest.fixture
def world() -> Pipeline:
    made = Pipeline()
    made.tracker.add(issue())
    made.jobs.create(fix_job(), None)
    return made


def test_a_genuine_job_starts_reports_and_ends(world: Pipeline) -> None:
    tracker = client(track_job(world))
    assert tracker.start(fix_job(), 1) is Start.GO
    assert tracker.alive(fix_job()) is False
    tracker.progress(fix_job(), "agent")
    tracker.send(fix_job())
    record = world.jobs.records[fix_job().job_id]
    assert (record.state, record.phase) == (JobState.RUNNING, "agent")
    assert world.results.jobs() == [fix_job()]


def test_a_forged_job_changes_nothing_and_is_counted(world: Pipeline) -> None:
    before = dict(world.jobs.records)
    forged = fix_job().model_copy(update={"signature": "0" * 64})
    tracker = client(track_job(world))
    with pytest.raises(ForgedJob):
        tracker.start(forged, 1)
    assert world.jobs.records == before
    assert ("ForgedJobs", 1, {}) in world.events.measured


def test_the_amount_is_the_actions_and_the_limits_are_the_functions(world: Pipeline) -> None:
    tracker = client(track_job(world, Limits(ticket_usd=100, day_usd=1)))
    tracker.start(fix_job(), 1)
    unpaid = tracker.reserve(fix_job(), run_name(world.clock.time(), "0a" * 4))
    assert unpaid is not None
    assert unpaid.shortage.account is Account.DAY
    assert not unpaid.waits  # it would never fit


@pytest.mark.parametrize("days", [-3, -2, 2, 30])
def test_money_is_set_aside_for_the_present_day_only(world: Pipeline, days: int) -> None:
    tracker = client(track_job(world))
    tracker.start(fix_job(), 1)
    with pytest.raises(JobFailed):
        tracker.reserve(fix_job(), run_name(world.clock.time() + days * 86_400, "0a" * 4))
    assert world.jobs.accounts == {}


@pytest.mark.parametrize("cost_usd", [-1.0, float("nan"), float("inf")])
def test_a_cost_that_is_none_is_no_request(cost_usd: float) -> None:
    with pytest.raises(ValidationError):
        SettleMoney(run=run_name(0, "0a" * 4), cost_usd=cost_usd)


def test_a_false_cost_is_bounded(world: Pipeline) -> None:
    tracker = client(track_job(world))
    tracker.start(fix_job(), 1)
    run = run_name(world.clock.time(), "0a" * 4)
    assert tracker.reserve(fix_job(), run) is None
    day = (Account.DAY, day_of(world.clock.time()))
    reserved = world.jobs.accounts[day]
    tracker.settle(fix_job(), run, 1e12)
    assert world.jobs.accounts[day] == reserved + MOST_OVERSHOOT_USD


def test_a_job_waits_for_a_day_and_not_for_ever(world: Pipeline) -> None:
    tracker = client(track_job(world))
    tracker.start(fix_job(), 1)
    tracker.park(fix_job(), Wait(Account.DAY, 4e9))
    assert world.jobs.records[fix_job().job_id].wait_until <= world.clock.time() + LONGEST_WAIT_S


@pytest.mark.parametrize(
    ("unfinished", "granted"),
    [
        (None, ""),
        (Unfinished(action="fix", job_id="DEMO-1-fix-1", draft=True), "DEMO-1-fix-1"),
        (Unfinished(action="fix", job_id="DEMO-1-fix-1"), ""),
        (Unfinished(action="fix", job_id="DEMO-2-fix-1", draft=True), ""),
    ],
)
def test_access_is_to_the_jobs_own_objects_and_to_a_draft_of_its_ticket(
    world: Pipeline, unfinished: Unfinished | None, granted: str
) -> None:
    world.artifacts.put(brief_key(fix_job()), brief(unfinished=unfinished).model_dump_json().encode())
    access = FakeAccess()
    assert client(track_job(world, grant=access)).access(fix_job()) == ACCESS
    assert access.granted == [(fix_job().job_id, granted)]


def test_an_action_that_is_gone_is_refused_with_a_sentence(world: Pipeline) -> None:
    with pytest.raises(JobFailed, match="has no action"):
        client(track_job(world)).reserve(job(action="gone"), run_name(world.clock.time(), "0a" * 4))


def test_a_fault_that_may_pass_is_left_to_the_queue(world: Pipeline) -> None:
    world.jobs.faults.plan("start", TransientError("The table did not answer."))
    with pytest.raises(TransientError, match="did not answer"):
        client(track_job(world)).start(fix_job(), 1)


def test_a_request_of_another_form_is_no_request() -> None:
    call = TrackCall(job=job(), request=KeepAlive()).model_dump(mode="json")
    for odd in ({**call, "more": 1}, {**call, "request": {"do": "end"}}, {**call, "job": {}}):
        with pytest.raises(ValidationError):
            TrackCall.model_validate(odd)
