"""Claims that run nothing: labels nobody answers for, and retries, which may run something after all."""

from dataclasses import replace
from typing import Any

import pytest
from tests.builders import fix_job, issue, job
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.job import PROCESSING_LABEL, RETRY_LABEL, Job, Unfinished
from orchestrator.domain.outcome import Outcome
from orchestrator.usecases.poll import PollReport

MINUTE_S = 60


@pytest.fixture
def world() -> Pipeline:
    return Pipeline()


@pytest.mark.parametrize(
    "claim", [None, {}, {"hello": 1}, {**job().model_dump(), "outcome": "succeeded"}, fix_job(issue_id="7")]
)
def test_a_processing_label_nobody_answers_for_is_told_and_taken_off(world: Pipeline, claim: Any) -> None:
    raw = claim.model_dump(mode="json") if isinstance(claim, Job) else claim
    world.tracker.add(issue(labels=frozenset({PROCESSING_LABEL, "customer"}), claim=raw))
    done = world.through()
    assert (done.action, world.queue.jobs()) == ("recover", [])
    assert world.tracker.issues["DEMO-1"].labels == {"customer"}
    (told,) = world.tracker.texts("DEMO-1")
    assert "no job of this deployment belongs to it" in told
    assert world.tracker.status("DEMO-1") == []
    assert world.poll() == PollReport()


def test_a_processing_label_that_was_put_on_just_now_is_left(world: Pipeline) -> None:
    world.clock.now = 1_795_341_600 + 299  # the builders' issue was edited at 10:00 UTC
    put_on = issue(labels=frozenset({PROCESSING_LABEL}))
    world.tracker.add(put_on)
    world.tracker.index["DEMO-1"] = replace(put_on, updated="")  # a search does not say when
    assert world.poll() == PollReport()
    assert world.events.named("issue.left")
    world.wait(1)
    assert len(world.poll().claimed) == 1


def test_a_claim_of_a_newer_release_is_not_touched(world: Pipeline) -> None:
    newer = {**job().model_dump(), "version": 3}
    world.tracker.add(issue(labels=frozenset({PROCESSING_LABEL}), claim=newer))
    assert world.poll() == PollReport()
    assert world.tracker.calls() == ["search"]


@pytest.mark.parametrize("label", [PROCESSING_LABEL, RETRY_LABEL])
def test_what_is_only_told_is_told_the_same_after_a_crash(world: Pipeline, label: str) -> None:
    world.tracker.add(issue(labels=frozenset({label})))
    world.results.faults.plan("send", ConnectionError("gone"))
    assert world.poll().failed == ("DEMO-1",)
    world.wait(MINUTE_S)
    taken = world.take()
    assert world.queue.jobs() == []
    assert world.artifacts.result(taken.job_id).verdict.outcome is Outcome.REJECTED
    world.publish(taken)
    assert world.tracker.issues["DEMO-1"].labels == frozenset()
    assert len(world.tracker.texts("DEMO-1")) == 1


def test_a_retry_runs_what_did_not_succeed_again(world: Pipeline) -> None:
    past = Unfinished(action="fix", job_id="DEMO-1-fix-0123456789ab", draft=True)
    world.tracker.add(issue(labels=frozenset({RETRY_LABEL, "ai-fix", "customer"}), unfinished=past))
    (claimed,) = world.poll().claimed
    assert (claimed.action, world.queue.jobs()) == ("fix", [claimed])
    assert world.tracker.issues["DEMO-1"].labels == {PROCESSING_LABEL, "customer"}
    kept = world.brief(claimed).unfinished
    assert kept is not None
    assert kept.model_copy(update={"signature": ""}) == past


def test_a_retry_of_nothing_is_told_and_ends(world: Pipeline) -> None:
    world.tracker.add(issue(labels=frozenset({RETRY_LABEL})))
    world.through()
    (told,) = world.tracker.texts("DEMO-1")
    assert "repeats the last action that did not succeed, and there is none on this ticket" in told
    assert (world.tracker.issues["DEMO-1"].labels, world.queue.jobs()) == (frozenset(), [])


def test_a_result_that_is_stored_is_not_written_over_by_a_rejection(world: Pipeline) -> None:
    """The table was emptied, and the issue's type changed since its job was run."""
    world.tracker.add(issue())
    taken = world.take()
    world.work(taken)
    stored = world.artifacts.result(taken.job_id)
    world.jobs.records.clear()
    world.jobs.held.clear()
    world.tracker.issues["DEMO-1"] = replace(world.tracker.issues["DEMO-1"], issue_type="Epic")
    assert world.poll().resumed == (taken,)
    assert world.artifacts.result(taken.job_id) == stored
