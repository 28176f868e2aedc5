"""One poll: in which order it does what, how much it takes on, and how long it goes on looking."""

from typing import Any

import pytest
from tests.builders import issue, job
from tests.fakes.polled import Polled

from orchestrator.domain.issue import Issue, Left
from orchestrator.domain.job import PROCESSING_LABEL, Job
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import ConfigError, RefusedError, TransientError
from orchestrator.usecases.find_issues import PAGE
from orchestrator.usecases.poll import PollReport


@pytest.fixture
def world() -> Polled:
    return Polled()


def _claimed(by: Job, **changes: Any) -> Issue:
    claim = {"labels": frozenset({PROCESSING_LABEL}), "claim": by.model_dump(mode="json")}
    return issue(**(claim | changes))


def test_an_idle_poll_is_one_search(world: Polled) -> None:
    world.watch_s = 50
    world.tracker.add(issue(labels=frozenset({"customer"})), issue(key="OTHER-1"))
    assert world.poll() == PollReport()
    assert (world.tracker.calls(), world.clock.slept) == (["search"], [])


def test_the_search_asks_for_every_label_and_for_claimed_issues(world: Polled) -> None:
    world.poll()
    labels = '"ai-investigate", "ai-fix", "ai-retry", "ai-processing"'
    jql = f'project = "DEMO" AND labels in ({labels}) ORDER BY created ASC'
    assert world.tracker.requests == [("search", jql)]


def test_claims_are_made_in_the_order_of_the_search(world: Polled) -> None:
    world.tracker.add(*(issue(id=str(number), key=f"DEMO-{number}") for number in (3, 1, 2)))
    assert world.claimed() == ["DEMO-3", "DEMO-1", "DEMO-2"]


def test_a_second_poll_looks_at_the_ticket_and_does_nothing_more(world: Polled) -> None:
    world.tracker.add(issue())
    world.poll()
    world.tracker.requests.clear()
    assert world.poll() == PollReport()
    assert world.tracker.calls() == ["look", "search"]
    assert len(world.queue.messages) == 1


def test_a_known_job_is_left_alone_without_another_request(world: Polled) -> None:
    world.tracker.add(_claimed(job()))
    world.jobs.create(job(), None)
    assert world.poll() == PollReport()
    assert world.tracker.calls() == ["look", "search"]


def test_the_next_label_is_taken_when_the_first_job_has_ended(world: Polled) -> None:
    world.tracker.add(issue(labels=frozenset({"ai-fix", "ai-investigate"})))
    (first,) = world.poll().claimed
    assert (first.action, world.poll()) == ("investigate", PollReport())
    world.tracker.release(first, Outcome.SUCCEEDED, Left())
    world.jobs.end(first, Outcome.SUCCEEDED, 0.25)
    (second,) = world.poll().claimed
    assert second.action == "fix"


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
def test_one_failing_issue_does_not_stop_the_others(world: Polled, error: Exception, told: str) -> None:
    world.label(2)
    world.tracker.faults.plan("claim", error)
    report = world.poll()
    assert [claimed.issue_key for claimed in report.claimed] == ["DEMO-2"]
    assert report.failed == ("DEMO-1",)
    assert world.events.named("claim.failed") == [{"issue_key": "DEMO-1", "error": told}]
    assert world.events.warnings() == ["claim.failed"]


@pytest.mark.parametrize("call", ["read", "look"])
def test_a_faulty_configuration_stops_the_poll(world: Polled, call: str) -> None:
    world.running()
    world.label(1, first=2)
    world.tracker.faults.plan(call, ConfigError("Jira did not accept a fresh access token (401)."))
    with pytest.raises(ConfigError):
        world.poll()
    assert "claim" not in world.tracker.calls()


def test_a_search_that_fails_fails_the_poll(world: Polled) -> None:
    world.tracker.faults.plan("search", TransientError("Jira answered 503."))
    with pytest.raises(TransientError):
        world.poll()


def test_no_more_is_claimed_than_fits_beside_what_is_under_way(world: Polled) -> None:
    world.limit = 3
    world.label(5)
    assert world.claimed() == ["DEMO-1", "DEMO-2", "DEMO-3"]
    world.tracker.requests.clear()
    assert world.claimed() == []
    assert "read" not in world.tracker.calls()
    (first, *_) = world.queue.jobs()
    world.tracker.release(first, Outcome.SUCCEEDED, Left())
    world.jobs.end(first, Outcome.SUCCEEDED, 0.25)
    assert world.claimed() == ["DEMO-4"]


def test_without_room_a_backlog_is_not_leafed_through(world: Polled) -> None:
    world.limit = 1
    world.running()
    world.label(2 * PAGE, first=2)
    assert world.claimed() == []
    assert world.tracker.calls().count("search") == 2  # one page, and the claimed ones beyond it


def test_an_issue_that_cannot_be_claimed_takes_no_room(world: Polled) -> None:
    world.limit = 1
    world.label(2)
    world.tracker.faults.plan("claim", TransientError("Jira answered 503."))
    assert world.claimed() == ["DEMO-2"]


def test_a_cancelled_job_makes_room_at_once(world: Polled) -> None:
    world.limit = 1
    world.running()
    world.tracker.relabel("DEMO-1", off=PROCESSING_LABEL)
    world.label(1, first=2)
    assert world.claimed() == ["DEMO-2"]


def test_a_claimed_issue_nobody_knows_is_brought_back_even_without_room(world: Polled) -> None:
    world.limit = 1
    world.running()
    lost = job(job_id="DEMO-2-investigate-1", issue_id="2", issue_key="DEMO-2")
    world.label(1, first=3)
    world.tracker.add(_claimed(lost, id="2", key="DEMO-2"))
    assert world.poll() == PollReport(resumed=(lost,))


def test_claimed_issues_come_before_waiting_ones(world: Polled) -> None:
    lost = job(job_id="DEMO-9-investigate-1", issue_id="9", issue_key="DEMO-9")
    world.label(1)
    world.tracker.add(_claimed(lost, id="9", key="DEMO-9"))
    world.poll()
    assert [queued.issue_key for queued in world.queue.jobs()] == ["DEMO-9", "DEMO-1"]


@pytest.mark.parametrize(("slow_s", "claims"), [(75, 2), (74, 3)])
def test_what_would_be_claimed_too_late_is_left_to_the_next_poll(
    world: Polled, slow_s: float, claims: int
) -> None:
    world.label(5)
    world.slow_s = slow_s
    assert len(world.claimed()) == claims
    world.slow_s = 0
    assert len(world.claimed()) == 5 - claims
