"""One poll: what is claimed, what is brought back, what is left alone."""

from dataclasses import replace
from typing import Any

import pytest
from tests.builders import action, catalogue, fix, issue, job
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.issue import Claim, decide
from orchestrator.domain.job import PROCESSING_LABEL, Brief, Job
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import ConfigError, RefusedError, TransientError
from orchestrator.usecases.poll import HELD_S, PollReport

MINUTE_S = 60


class World(Pipeline):
    """A poll and everything it can reach."""

    def left(self) -> list[object]:
        return [event["reason"] for event in self.events.named("issue.left")]


@pytest.fixture
def world() -> World:
    return World()


def _claim_of(seen: Any) -> Job:
    decision = decide(seen, catalogue())
    assert isinstance(decision, Claim)
    return decision.job


def _claimed(by: Job, **changes: Any) -> Any:
    claim = {"labels": frozenset({PROCESSING_LABEL}), "claim": by.model_dump(mode="json")}
    return issue(**(claim | changes))


def test_an_idle_poll_is_one_search(world: World) -> None:
    world.tracker.add(issue(labels=frozenset({"customer"})), issue(key="OTHER-1"))
    assert world.poll() == PollReport()
    assert world.tracker.calls() == ["search"]


def test_the_search_asks_for_every_label_and_for_claimed_issues(world: World) -> None:
    world.poll()
    assert world.tracker.requests == [
        (
            "search",
            'project = "DEMO" AND labels in ("ai-investigate", "ai-fix", "ai-processing") ORDER BY created ASC',
        )
    ]


def test_a_labelled_issue_is_claimed_told_and_queued(world: World) -> None:
    world.tracker.add(issue(labels=frozenset({"ai-investigate", "customer"}), description="# Steps"))
    expected = _claim_of(issue())
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
    assert world.events.named("job.queued") == [{**expected.log_fields(), "resumed": False}]


def test_claims_are_made_in_the_order_of_the_search(world: World) -> None:
    world.tracker.add(*(issue(id=str(number), key=f"DEMO-{number}") for number in (3, 1, 2)))
    assert [claimed.issue_key for claimed in world.poll().claimed] == ["DEMO-3", "DEMO-1", "DEMO-2"]


def test_a_second_poll_does_nothing_more(world: World) -> None:
    world.tracker.add(issue())
    world.poll()
    world.tracker.requests.clear()
    assert world.poll() == PollReport()
    assert world.tracker.calls() == ["search"]
    assert len(world.queue.messages) == 1


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
    claim = _claim_of(issue())
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
    assert job().job_id in world.jobs.records
    assert world.brief(job()).summary == "Ten pieces cost full price"


def test_a_known_job_is_left_alone_without_another_request(world: World) -> None:
    world.tracker.add(_claimed(job()))
    world.jobs.create(job(), None)
    assert world.poll() == PollReport()
    assert world.tracker.calls() == ["search"]


@pytest.mark.parametrize("claim", [None, {}, {"hello": 1}, {**job().model_dump(), "outcome": "succeeded"}])
def test_a_processing_label_without_a_claim_of_ours_is_left_alone(world: World, claim: Any) -> None:
    world.tracker.add(issue(labels=frozenset({PROCESSING_LABEL, "ai-fix"}), claim=claim))
    assert world.poll() == PollReport()
    assert world.tracker.calls() == ["search"]


@pytest.mark.parametrize("part", ["artifacts", "queue", "jobs"])
def test_a_crash_after_the_claim_is_made_good_by_the_next_poll(world: World, part: str) -> None:
    call = {"artifacts": "put", "queue": "send", "jobs": "create"}[part]
    getattr(world, part).faults.plan(call, ConnectionError("gone"))
    world.tracker.add(issue())
    expected = _claim_of(issue())
    assert world.poll() == PollReport(failed=("DEMO-1",))
    world.wait(MINUTE_S)
    assert world.poll() == PollReport(resumed=(expected,))
    assert world.queue.jobs() == [expected]
    assert expected.job_id in world.jobs.records


def test_an_issue_that_another_poll_is_at_is_left(world: World) -> None:
    world.tracker.add(issue())
    world.jobs.hold(_claim_of(issue()), HELD_S)
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


def test_a_claim_for_an_action_that_is_gone_goes_to_the_worker_who_tells_the_ticket(world: World) -> None:
    old = job(action="impact", label="ai-impact")
    world.tracker.add(_claimed(old))
    assert world.poll().resumed == (old,)
    assert world.queue.jobs() == [old]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TransientError("Jira answered 409."), "Jira answered 409."),
        (
            RefusedError("The service account may not claim (403).", 403),
            "The service account may not claim (403).",
        ),
        (ValueError("secret"), "ValueError"),
    ],
)
def test_one_failing_issue_does_not_stop_the_others(world: World, error: Exception, told: str) -> None:
    world.tracker.add(issue(id="1", key="DEMO-1"), issue(id="2", key="DEMO-2"))
    world.tracker.faults.plan("claim", error)
    report = world.poll()
    assert [claimed.issue_key for claimed in report.claimed] == ["DEMO-2"]
    assert report.failed == ("DEMO-1",)
    assert world.events.named("claim.failed") == [{"issue_key": "DEMO-1", "error": told}]
    assert world.events.warnings() == ["claim.failed"]


def test_a_faulty_configuration_stops_the_poll(world: World) -> None:
    world.tracker.add(issue())
    world.tracker.faults.plan("read", ConfigError("Jira did not accept a fresh access token (401)."))
    with pytest.raises(ConfigError):
        world.poll()


def test_a_search_that_fails_fails_the_poll(world: World) -> None:
    world.tracker.faults.plan("search", TransientError("Jira answered 503."))
    with pytest.raises(TransientError):
        world.poll()


def test_the_next_label_is_taken_when_the_first_job_has_ended(world: World) -> None:
    world.tracker.add(issue(labels=frozenset({"ai-fix", "ai-investigate"})))
    (first,) = world.poll().claimed
    assert (first.action, world.poll()) == ("investigate", PollReport())
    world.tracker.release(first, Outcome.SUCCEEDED, {})
    (second,) = world.poll().claimed
    assert second.action == "fix"


def test_a_label_put_on_again_is_a_new_job(world: World) -> None:
    world.tracker.add(issue())
    (first,) = world.poll().claimed
    world.tracker.release(first, Outcome.SUCCEEDED, {})
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
