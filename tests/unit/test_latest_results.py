"""What a release writes down for later actions: successes, each beside those of other actions."""

import pytest
from tests.builders import brief, fix_job, fix_result, issue, job, job_result, verdict
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.issue import Issue
from orchestrator.domain.job import PROCESSING_LABEL, PastResult, brief_key, result_key
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


def _store(world: Pipeline, result: JobResult, latest: dict[str, PastResult]) -> None:
    world.artifacts.put(brief_key(job()), brief(latest=latest).model_dump_json().encode())
    world.artifacts.put(result_key(job().job_id), result.model_dump_json().encode())


def _now(world: Pipeline) -> Issue:
    return world.tracker.issues["DEMO-1"]


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
