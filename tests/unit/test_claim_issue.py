"""One issue: claimed, brought back, told at once, or left; and what becomes of it if that stops half-way."""

from dataclasses import replace
from typing import Any

import pytest
from tests.builders import SIGNER, action, catalogue, fix, issue, job
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.issue import Claim, Issue, decide
from orchestrator.domain.job import PROCESSING_LABEL, Brief, Job, JobState
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import RefusedError, TransientError
from orchestrator.usecases.claim_issue import HELD_S
from orchestrator.usecases.poll import PollReport

MINUTE_S = 60


class World(Pipeline):
    """A poll and everything it can reach."""

    def left(self) -> list[object]:
        return [event["reason"] for event in self.events.named("issue.left")]

    def claim_of(self, seen: Issue) -> Job:
        decision = decide(seen, catalogue(), self.clock.now)
        assert isinstance(decision, Claim)
        return SIGNER.sign(decision.job)


@pytest.fixture
def world() -> World:
    return World()


def _claimed(by: Job, **changes: Any) -> Issue:
    claim = {"labels": frozenset({PROCESSING_LABEL}), "claim": by.model_dump(mode="json")}
    return issue(**(claim | changes))


def test_a_labelled_issue_is_claimed_told_and_queued(world: World) -> None:
    world.tracker.add(issue(labels=frozenset({"ai-investigate", "customer"}), description="# Steps"))
    expected = world.claim_of(issue())
    assert world.poll().claimed == (expected,)
    now = world.tracker.issues["DEMO-1"]
    assert now.labels == {PROCESSING_LABEL, "customer"}
    assert now.claim == expected.model_dump(mode="json")
    assert world.queue.jobs() == [expected]
    assert world.brief(expected) == Brief(
        issue_type="Bug",
        summary="Ten pieces cost full price",
        description="# Steps",
        url="https://example.atlassian.net/browse/DEMO-1",
        status_comment=world.tracker.own["DEMO-1"][0].id,
    )
    assert not world.jobs.records[expected.job_id].resumed
    assert world.events.named("job.queued") == [{**expected.log_fields(), "resumed": False}]


def test_a_label_that_is_gone_by_now_is_not_claimed(world: World) -> None:
    world.tracker.add(issue(labels=frozenset()))
    world.tracker.index["DEMO-1"] = issue()
    assert world.poll() == PollReport()
    assert world.tracker.calls() == ["search", "read"]
    assert world.left() == ["it carries no label of ours any more"]


def test_an_issue_that_is_gone_by_now_is_left(world: World) -> None:
    world.tracker.add(issue())
    world.tracker.delete("DEMO-1")
    assert world.poll() == PollReport()
    assert world.left() == ["it is gone"]


def test_an_issue_deleted_between_reading_and_claiming_queues_nothing(world: World) -> None:
    world.tracker.add(issue())
    world.tracker.faults.plan("claim", RefusedError("Jira knows nothing at /issue/DEMO-1", 404))
    assert world.poll().failed == ("DEMO-1",)
    assert (world.queue.messages, world.jobs.records) == ([], {})


def test_an_issue_that_is_claimed_by_now_is_left(world: World) -> None:
    claim = world.claim_of(issue())
    world.tracker.add(_claimed(claim))
    world.tracker.index["DEMO-1"] = issue()
    world.jobs.create(claim, None)
    assert world.poll() == PollReport()
    assert world.left() == ["its job is known"]


def test_a_claim_whose_job_nobody_knows_is_brought_back(world: World) -> None:
    world.tracker.add(_claimed(job()))
    assert world.poll() == PollReport(resumed=(job(),))
    assert world.tracker.calls() == ["search", "read", "own_comments", "comment"]
    assert world.queue.jobs() == [job()]
    assert world.jobs.records[job().job_id].resumed
    assert world.brief(job()).summary == "Ten pieces cost full price"


@pytest.mark.parametrize("part", ["artifacts", "queue", "jobs"])
def test_a_crash_after_the_claim_is_made_good_by_the_next_poll(world: World, part: str) -> None:
    call = {"artifacts": "put", "queue": "send", "jobs": "create"}[part]
    getattr(world, part).faults.plan(call, ConnectionError("gone"))
    world.tracker.add(issue())
    expected = world.claim_of(issue())
    assert world.poll() == PollReport(failed=("DEMO-1",))
    world.wait(MINUTE_S)
    assert world.poll() == PollReport(resumed=(expected,))
    assert world.queue.jobs() == [expected]
    assert expected.job_id in world.jobs.records


def test_an_issue_that_another_poll_is_at_is_left(world: World) -> None:
    world.tracker.add(issue())
    world.jobs.hold(world.claim_of(issue()), HELD_S)
    assert world.poll() == PollReport()
    assert world.left() == ["another poll is at it"]
    world.wait(HELD_S)
    assert len(world.poll().claimed) == 1


def test_a_claim_that_outlived_its_job_is_shown_to_the_publisher_again(world: World) -> None:
    world.tracker.add(_claimed(job()))
    world.jobs.end(job(), Outcome.SUCCEEDED, 0.25)
    assert world.poll() == PollReport(resumed=(job(),))
    assert (world.results.jobs(), world.queue.jobs()) == ([job()], [])
    assert world.events.warnings() == ["claim.outlived"]


def test_a_job_that_has_just_ended_is_not_taken_for_one_whose_claim_outlived_it(world: World) -> None:
    world.tracker.add(issue(labels=frozenset()))
    world.tracker.index["DEMO-1"] = _claimed(job())
    world.jobs.end(job(), Outcome.SUCCEEDED, 0.25)
    assert world.poll() == PollReport()
    assert world.results.jobs() == []


def test_an_issue_of_the_wrong_type_is_rejected_without_a_worker(world: World) -> None:
    world.tracker.add(issue(issue_type="Story"))
    (claimed,) = world.poll().claimed
    assert (world.queue.jobs(), world.results.jobs()) == ([], [claimed])
    rejected = world.artifacts.result(claimed.job_id).verdict
    assert rejected.outcome is Outcome.REJECTED
    assert rejected.reason == (
        "`ai-investigate` is for issues of type Bug; this one is of type Story. Nothing was run."
    )
    assert claimed.job_id in world.jobs.records
    assert world.tracker.status("DEMO-1") == []


def test_a_claim_for_an_action_that_is_gone_goes_to_the_worker_who_tells_the_ticket(world: World) -> None:
    old = job(action="impact", label="ai-impact")
    world.tracker.add(_claimed(old))
    assert world.poll().resumed == (old,)
    assert world.queue.jobs() == [old]


def test_a_label_put_on_again_is_a_new_job(world: World) -> None:
    world.tracker.add(issue())
    first = world.through()
    ended = world.tracker.issues["DEMO-1"]
    world.tracker.add(replace(ended, labels=frozenset({"ai-investigate"}), updated="later"))
    (second,) = world.poll().claimed
    assert second.job_id != first.job_id


def test_a_text_that_cannot_be_stored_as_it_is_loses_no_job(world: World) -> None:
    world.tracker.add(issue(summary="half \ud83d", description="\udc00"))
    (claimed,) = world.poll().claimed
    assert world.brief(claimed).summary == "half ?"


def test_an_action_that_builds_on_nothing_reads_no_comments(world: World) -> None:
    world.catalogue = catalogue(action(), fix(context=[]))
    world.tracker.add(issue(labels=frozenset({"ai-fix"})))
    world.poll()
    assert world.tracker.calls() == ["search", "read", "claim", "comment"]


def test_a_job_whose_label_was_taken_off_and_asked_for_anew_unseen_is_cancelled(world: World) -> None:
    world.tracker.add(issue())
    first = world.take()
    records = tuple(world.jobs.active())
    world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL, on="ai-fix")
    second = world.poller().take.claim("DEMO-1")
    assert isinstance(second, Claim)
    assert world.artifacts.result(first.job_id).verdict.outcome is Outcome.CANCELLED
    assert (world.results.jobs(), world.queue.jobs()) == ([first], [first, second.job])
    assert world.events.named("job.cancelled")[0]["job_id"] == first.job_id
    assert world.poller().watch.cancelled(records) == ()  # by now its claim is another job's
    world.publish(first)
    assert world.tracker.issues["DEMO-1"].labels == {PROCESSING_LABEL}
    assert world.jobs.records[first.job_id].state is JobState.ENDED


def test_a_worker_at_the_earlier_job_is_asked_to_end_it(world: World) -> None:
    world.tracker.add(issue())
    first = world.take()
    world.jobs.start(first, 1)
    world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL, on="ai-fix")
    world.poller().take.claim("DEMO-1")
    assert world.jobs.records[first.job_id].cancel_asked
    assert world.results.jobs() == []


def test_a_job_that_had_ended_is_not_cancelled_by_the_next_claim(world: World) -> None:
    world.tracker.add(issue())
    first = world.take()
    world.jobs.end(first, Outcome.SUCCEEDED, 0.25)
    world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL, on="ai-fix")
    world.poller().take.claim("DEMO-1")
    assert world.events.named("job.cancelled") == []
    assert world.results.jobs() == []


def test_an_earlier_job_that_cannot_be_ended_leaves_the_issue_to_the_next_poll(world: World) -> None:
    world.tracker.add(issue())
    first = world.take()
    world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL, on="ai-fix")
    world.jobs.faults.plan("ask_to_cancel", TransientError("The table did not answer."))
    with pytest.raises(TransientError):
        world.poller().take.claim("DEMO-1")
    assert world.tracker.calls().count("claim") == 1
    world.wait(MINUTE_S)
    assert isinstance(world.poller().take.claim("DEMO-1"), Claim)
    assert world.artifacts.result(first.job_id).verdict.outcome is Outcome.CANCELLED


def test_an_emptied_job_table_loses_no_claimed_ticket_and_tells_nothing_twice(world: World) -> None:
    world.tracker.add(issue())
    taken = world.take()
    world.work(taken)
    world.tracker.faults.plan("release", TransientError("Jira did not answer."))
    with pytest.raises(TransientError):
        world.publish(taken)
    world.jobs.records.clear()
    world.jobs.held.clear()
    world.wait(10 * MINUTE_S)
    assert world.poll().resumed == (taken,)
    assert world.jobs.records[taken.job_id].resumed
    world.work(taken)
    world.publish(taken)
    assert (len(world.agent.tasks), len(world.tracker.texts("DEMO-1"))) == (1, 1)
    (status,) = world.tracker.status("DEMO-1")
    assert "done, $0.25" in status
    assert world.tracker.issues["DEMO-1"].labels == frozenset()
