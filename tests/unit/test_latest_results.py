"""What a release writes down: each action's last success, and the last action that did not succeed."""

import pytest
from tests.builders import brief, fix_job, fix_result, issue, job, job_result, unsigned, verdict
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.issue import RESERVED_ACTIONS, Issue
from orchestrator.domain.job import PROCESSING_LABEL, PastResult, Unfinished, brief_key, result_key
from orchestrator.domain.outcome import JobResult, Outcome
from orchestrator.errors import JobFailed, TransientError

ADVICE = {"recommend": PastResult(job_id="DEMO-1-recommend-1", comment_id="5")}
OLDER = {"investigate": PastResult(job_id="DEMO-1-investigate-1", comment_id="5")}
OTHERS = [outcome for outcome in Outcome if outcome is not Outcome.SUCCEEDED]


@pytest.fixture
def world() -> Pipeline:
    made = Pipeline()
    made.tracker.add(issue(labels=frozenset({PROCESSING_LABEL})))
    return made


def _store(
    world: Pipeline, result: JobResult, latest: dict[str, PastResult], unfinished: Unfinished | None = None
) -> None:
    told = brief(latest=latest, unfinished=unfinished)
    world.artifacts.put(brief_key(job()), told.model_dump_json().encode())
    world.artifacts.put(result_key(job().job_id), result.model_dump_json().encode())


def _now(world: Pipeline) -> Issue:
    return unsigned(world.tracker.issues["DEMO-1"])


@pytest.mark.parametrize("before", [{}, ADVICE, OLDER, {**ADVICE, **OLDER}])
def test_a_success_takes_its_actions_place_beside_the_others(
    world: Pipeline, before: dict[str, PastResult]
) -> None:
    _store(world, job_result(), before)
    world.publish(job())
    assert _now(world).latest == {
        **before,
        "investigate": PastResult(job_id=job().job_id, comment_id="1"),
    }


@pytest.mark.parametrize("outcome", OTHERS)
def test_what_is_no_success_leaves_them_as_they_were(world: Pipeline, outcome: Outcome) -> None:
    _store(world, job_result(verdict=verdict(outcome, "The reason.")), OLDER)
    world.publish(job())
    assert _now(world).latest == OLDER


def test_a_success_that_could_not_be_published_is_none(world: Pipeline) -> None:
    world.artifacts.put(result_key(fix_job().job_id), fix_result().model_dump_json().encode())
    world.pull_requests.faults.plan("propose", JobFailed("The branch moved."))
    world.publish(fix_job())
    assert _now(world).latest == {}


def test_a_second_delivery_writes_down_the_comment_of_the_first(world: Pipeline) -> None:
    _store(world, job_result(), {})
    world.tracker.faults.plan("release", TransientError("Jira did not answer."))
    with pytest.raises(TransientError):
        world.publish(job())
    world.publish(job(), 2)
    assert _now(world).latest["investigate"].comment_id == "1"


def test_the_next_action_builds_on_it(world: Pipeline) -> None:
    world.tracker.add(issue(labels=frozenset({"ai-investigate", "ai-fix"})))
    world.through()
    fixing = world.take()
    (context,) = world.brief(fixing).context
    assert (context.action, context.text) == ("investigate", "The cart compares with `>`.")


FIX_LEFT = Unfinished(action="fix", job_id="DEMO-1-fix-1")
DRAFT_LEFT = Unfinished(action="investigate", job_id="DEMO-1-investigate-1", draft=True)
OURS_LEFT = Unfinished(action="investigate", job_id=job().job_id)


@pytest.mark.parametrize("outcome", OTHERS)
@pytest.mark.parametrize("before", [None, FIX_LEFT])
def test_what_is_no_success_is_written_down_as_unfinished(
    world: Pipeline, before: Unfinished | None, outcome: Outcome
) -> None:
    _store(world, job_result(verdict=verdict(outcome, "The reason.")), {}, before)
    world.publish(job())
    assert _now(world).unfinished == OURS_LEFT


def test_a_draft_is_written_down_as_one(world: Pipeline) -> None:
    _store(world, job_result(verdict=verdict(Outcome.TIMED_OUT, "Too long."), draft=True), {})
    world.publish(job())
    assert _now(world).unfinished == OURS_LEFT.model_copy(update={"draft": True})


def test_a_success_clears_what_its_own_action_left_unfinished(world: Pipeline) -> None:
    _store(world, job_result(), {}, DRAFT_LEFT)
    world.publish(job())
    assert _now(world).unfinished is None


def test_a_success_keeps_what_another_action_left_unfinished(world: Pipeline) -> None:
    _store(world, job_result(), {}, FIX_LEFT)
    world.publish(job())
    assert _now(world).unfinished == FIX_LEFT


def test_a_success_that_could_not_be_published_is_unfinished(world: Pipeline) -> None:
    world.artifacts.put(result_key(fix_job().job_id), fix_result().model_dump_json().encode())
    world.pull_requests.faults.plan("propose", JobFailed("The branch moved."))
    world.publish(fix_job())
    assert _now(world).unfinished == Unfinished(action="fix", job_id=fix_job().job_id)


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.FAILED, Outcome.CANCELLED])
def test_a_job_that_started_no_agent_leaves_the_draft_of_an_earlier_run_to_be_gone_on_with(
    world: Pipeline, outcome: Outcome
) -> None:
    _store(world, job_result(verdict=verdict(outcome, "Nothing was run."), sandbox=None), {}, DRAFT_LEFT)
    world.publish(job())
    assert _now(world).unfinished == DRAFT_LEFT


@pytest.mark.parametrize(
    "before",
    [
        FIX_LEFT.model_copy(update={"draft": True}),
        DRAFT_LEFT.model_copy(update={"draft": False}),
        DRAFT_LEFT.model_copy(update={"job_id": "OTHER-9-investigate-1"}),
    ],
)
def test_only_a_draft_of_the_same_action_and_ticket_is_left_so(world: Pipeline, before: Unfinished) -> None:
    _store(world, job_result(verdict=verdict(Outcome.REFUSED, "No."), sandbox=None), {}, before)
    world.publish(job())
    assert _now(world).unfinished == OURS_LEFT


@pytest.mark.parametrize("outcome", [Outcome.CANCELLED, Outcome.FAILED])
def test_a_run_that_gave_no_draft_takes_the_place_of_one_that_did(world: Pipeline, outcome: Outcome) -> None:
    _store(world, job_result(verdict=verdict(outcome, "The reason.")), {}, DRAFT_LEFT)
    world.publish(job())
    assert _now(world).unfinished == OURS_LEFT


@pytest.mark.parametrize("action", sorted(RESERVED_ACTIONS))
@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.FAILED, Outcome.SUCCEEDED])
def test_what_is_only_told_changes_nothing_that_a_ticket_keeps(
    world: Pipeline, action: str, outcome: Outcome
) -> None:
    told = job(action=action, job_id=f"DEMO-1-{action}-1")
    before = brief(latest=OLDER, unfinished=DRAFT_LEFT)
    result = job_result(verdict=verdict(outcome, "There is nothing."), sandbox=None)
    world.artifacts.put(brief_key(told), before.model_dump_json().encode())
    world.artifacts.put(result_key(told.job_id), result.model_dump_json().encode())
    world.publish(told)
    assert (_now(world).latest, _now(world).unfinished) == (OLDER, DRAFT_LEFT)
