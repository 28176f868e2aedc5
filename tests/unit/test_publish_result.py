"""The last step: pull request, comment, labels, record — each of them once, however often it is tried."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.builders import (
    action,
    catalogue,
    changeset,
    fix_job,
    fix_result,
    issue,
    job,
    job_result,
    own_comment,
    verdict,
)
from tests.fakes import wiring
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.attempts import FakeAttempts, FakeTimeLimit
from tests.fakes.clock import FakeClock
from tests.fakes.code_host import FakePullRequests
from tests.fakes.events import FakeEvents
from tests.fakes.job_store import FakeJobStore
from tests.fakes.queue import FakeQueue
from tests.fakes.tracker import FakeTracker

from orchestrator.domain.action import Catalogue
from orchestrator.domain.issue import OwnComment
from orchestrator.domain.job import MAX_ATTEMPTS, PROCESSING_LABEL, Job, JobState, result_key
from orchestrator.domain.outcome import JobResult, Outcome
from orchestrator.errors import (
    ConfigError,
    JobFailed,
    NotFoundError,
    RefusedError,
    TransientError,
)
from orchestrator.usecases.publish_result import COMMENT_LIMIT

LINK = "https://github.example/o/r/pull/1"


@dataclass
class World:
    """A publisher and everything it can reach. DEMO-1 is claimed."""

    tracker: FakeTracker = field(default_factory=FakeTracker)
    pull_requests: FakePullRequests = field(default_factory=FakePullRequests)
    jobs: FakeJobStore = field(default_factory=FakeJobStore)
    artifacts: FakeArtifacts = field(default_factory=FakeArtifacts)
    events: FakeEvents = field(default_factory=FakeEvents)
    catalogue: Catalogue = field(default_factory=catalogue)
    clock: FakeClock = field(default_factory=FakeClock)
    queue: FakeQueue = field(default_factory=FakeQueue)
    results: FakeQueue = field(default_factory=FakeQueue)
    attempts: FakeAttempts = field(default_factory=FakeAttempts)
    time_limit: FakeTimeLimit = field(default_factory=FakeTimeLimit)

    def __post_init__(self) -> None:
        self.tracker.add(issue(labels=frozenset({PROCESSING_LABEL, "customer"})))

    def store(self, result: JobResult, of: Job | None = None) -> None:
        self.artifacts.put(result_key((of or job()).job_id), result.model_dump_json().encode())

    def publish(self, of: Job | None = None, attempt: int = 1) -> None:
        self.tracker.put_claim(of or job())
        wiring.publisher(self, self.pull_requests)(of or job(), attempt)

    def told(self) -> str:
        """The only comment."""
        (text,) = self.tracker.texts("DEMO-1")
        return text

    def outcome(self, of: Job | None = None) -> str | None:
        record = self.jobs.records[(of or job()).job_id]
        assert record.state is JobState.ENDED
        return record.outcome


@pytest.fixture
def world() -> World:
    made = World()
    made.store(job_result())
    made.store(fix_result(), fix_job())
    return made


def test_an_analysis_becomes_a_marked_comment_and_the_labels_are_released(world: World) -> None:
    world.publish()
    assert world.told().startswith("## INVESTIGATION RESULTS\n\n### Summary\n\nIt is the cart.")
    assert world.tracker.own["DEMO-1"] == [OwnComment(job().job_id, "investigate", 0, "succeeded")]
    assert world.tracker.issues["DEMO-1"].labels == {"customer"}
    assert world.tracker.issues["DEMO-1"].claim == {**job().model_dump(), "outcome": "succeeded"}
    assert world.jobs.records[job().job_id].cost_usd == 0.25
    assert (world.outcome(), world.pull_requests.proposals) == ("succeeded", [])


def test_the_steps_are_comment_then_labels(world: World) -> None:
    world.jobs.create(job(), None)
    world.publish()
    assert world.tracker.calls() == ["look", "comment", "release"]


def test_a_fix_becomes_a_pull_request_first_and_the_comment_links_to_it(world: World) -> None:
    world.publish(fix_job())
    (proposal,) = world.pull_requests.proposals
    assert proposal.branch == "fix-DEMO-1"
    assert proposal.changeset == changeset()
    assert proposal.title == "fix: Ten pieces cost full price [DEMO-1]"
    assert proposal.body[0] == "Ticket: [DEMO-1](https://example.atlassian.net/browse/DEMO-1)"
    assert f"## FIX CREATED\n\n**Pull request:** <{LINK}>" in world.told()


def test_the_end_is_logged(world: World) -> None:
    world.publish()
    facts = {"outcome": "succeeded", "sandbox": "bubblewrap", "duration_ms": 61_000, "cost_usd": 0.25}
    assert world.events.named("job.ended") == [{**job().log_fields(), **facts}]


@pytest.mark.parametrize("outcome", [end for end in Outcome if end is not Outcome.SUCCEEDED])
def test_nothing_but_a_success_is_published(world: World, outcome: Outcome) -> None:
    world.store(fix_result(verdict=verdict(outcome, "The reason.")), fix_job())
    world.publish(fix_job())
    assert world.pull_requests.proposals == []
    assert "The reason." in world.told()
    assert world.outcome(fix_job()) == outcome
    assert PROCESSING_LABEL not in world.tracker.issues["DEMO-1"].labels


def test_an_ended_job_is_left_alone(world: World) -> None:
    world.publish(fix_job())
    world.tracker.requests.clear()
    world.publish(fix_job(), attempt=2)
    world.publish(fix_job(), attempt=1)
    assert world.tracker.calls() == ["look"] * 2
    assert world.events.named("job.ended_already") == [fix_job().log_fields()] * 2


@pytest.mark.parametrize(("call", "comments"), [("comment", 0), ("release", 1), ("end", 1)])
def test_a_second_delivery_does_only_what_is_left(world: World, call: str, comments: int) -> None:
    world.jobs.create(fix_job(), None)
    for faults in (world.tracker.faults, world.jobs.faults):
        faults.plan(call, TransientError("Jira did not answer."))
    with pytest.raises(TransientError):
        world.publish(fix_job())
    assert len(world.tracker.texts("DEMO-1")) == comments
    world.tracker.faults.clear()
    world.jobs.faults.clear()
    world.publish(fix_job(), attempt=2)
    assert LINK in world.told()
    assert len(world.pull_requests.proposals) == 1
    assert world.outcome(fix_job()) == "succeeded"


def _long(words: int) -> JobResult:
    return job_result(report=None, text="\n\n".join(f"word-{number} " * 9 for number in range(words)))


def test_a_long_result_is_several_comments_and_nothing_is_lost(world: World) -> None:
    world.store(_long(1500))
    world.publish()
    texts = world.tracker.texts("DEMO-1")
    assert len(texts) > 1
    assert max(map(len, texts)) <= COMMENT_LIMIT
    assert [comment.part for comment in world.tracker.own["DEMO-1"]] == [*range(len(texts))]
    for number in range(1500):
        assert sum(text.count(f"word-{number} ") for text in texts) >= 8
    assert job().job_id in texts[-1]


@pytest.mark.parametrize("posted", [{0}, {0, 1}, {1}])
def test_a_second_delivery_posts_only_the_missing_parts(world: World, posted: set[int]) -> None:
    world.store(_long(1500))
    world.publish()
    everything = world.tracker.own["DEMO-1"]
    world.tracker.own["DEMO-1"] = [comment for comment in everything if comment.part in posted]
    world.jobs.records.clear()
    world.tracker.claim(job(), frozenset())
    world.publish(attempt=2)
    parts = [comment.part for comment in world.tracker.own["DEMO-1"]]
    assert sorted(parts) == [*range(len(everything))]


def test_comments_of_other_jobs_are_no_parts_of_this_one(world: World) -> None:
    world.tracker.own["DEMO-1"] = [own_comment(job_id="another")]
    world.publish(attempt=2)
    assert len(world.tracker.own["DEMO-1"]) == 2


def test_a_deleted_issue_is_no_error(world: World) -> None:
    world.tracker.delete("DEMO-1")
    for attempt, of in ((1, job()), (2, fix_job())):
        world.publish(of, attempt)
        assert world.outcome(of) == "succeeded"
    assert world.events.warnings() == ["issue.gone", "issue.gone"]


def test_a_transient_error_of_the_code_host_is_left_to_the_queue(world: World) -> None:
    world.pull_requests.faults.plan("propose", TransientError("GitHub did not answer."))
    with pytest.raises(TransientError):
        world.publish(fix_job())
    assert (world.tracker.own, world.jobs.records) == ({}, {})
    world.publish(fix_job(), attempt=2)
    assert LINK in world.told()


def test_on_the_last_attempt_a_transient_error_is_told(world: World) -> None:
    world.pull_requests.faults.plan("propose", TransientError("GitHub did not answer."))
    world.publish(fix_job(), attempt=MAX_ATTEMPTS)
    assert "GitHub did not answer. It was tried 3 times." in world.told()
    assert "What the agent said:\n\n### Summary\n\nIt is the cart." in world.told()
    assert world.outcome(fix_job()) == "failed"


@pytest.mark.parametrize(
    "error",
    [
        RefusedError("GitHub did not accept the token (401). It has to be renewed.", 401),
        NotFoundError("GitHub does not have the repository."),
        JobFailed("The branch `fix-DEMO-1` moved while the agent was at work."),
        ConfigError("GITHUB_REPO has to be owner/name."),
    ],
)
def test_what_the_code_host_will_never_take_is_told_at_once(world: World, error: Exception) -> None:
    world.pull_requests.faults.plan("propose", error)
    world.publish(fix_job())
    assert world.told().startswith(f"## ACTION FAILED\n\n{error}\n\n")
    assert world.outcome(fix_job()) == "failed"
    assert PROCESSING_LABEL not in world.tracker.issues["DEMO-1"].labels


def test_an_error_of_ours_is_tried_again_and_then_told_without_internals(world: World) -> None:
    world.pull_requests.faults.plan("propose", KeyError("ghs_secret"), KeyError("ghs_secret"))
    with pytest.raises(KeyError):
        world.publish(fix_job())
    world.publish(fix_job(), attempt=MAX_ATTEMPTS)
    assert "The orchestrator met an error of its own" in world.told()
    assert "ghs_secret" not in world.told()
    assert world.events.named("job.crashed") == [{**fix_job().log_fields(), "error": "KeyError"}]


def test_a_success_without_a_change_is_never_told_as_one(world: World) -> None:
    world.store(job_result(), fix_job())
    world.publish(fix_job())
    assert "## ACTION FAILED\n\nThe stored result holds no change to publish." in world.told()


def test_a_result_that_is_no_longer_stored_is_told(world: World) -> None:
    world.artifacts.contents.clear()
    world.publish()
    assert "## ACTION FAILED\n\nWhat the agent did is no longer stored, or cannot be read." in world.told()
    assert world.outcome() == "failed"


@pytest.mark.parametrize("stored", [b'{"verdict": ', b"[]", b"\xff", b'{"written by": "another release"}'])
def test_a_result_that_cannot_be_read_is_told_at_once(world: World, stored: bytes) -> None:
    world.artifacts.put(result_key(job().job_id), stored)
    world.publish()
    assert world.told().startswith("## ACTION FAILED\n\nWhat the agent did is no longer stored, or cannot be")
    assert world.outcome() == "failed"


def test_an_unknown_action_still_tells_the_ticket(world: World) -> None:
    world.catalogue = catalogue(action())
    world.store(
        job_result(verdict=verdict(Outcome.FAILED, "This deployment has no action `fix`.")), fix_job()
    )
    world.publish(fix_job())
    assert "This deployment has no action `fix`." in world.told()
    assert PROCESSING_LABEL not in world.tracker.issues["DEMO-1"].labels


@pytest.mark.parametrize(
    "error", [TransientError("Jira did not answer."), RefusedError("It may not (403).", 403)]
)
def test_a_ticket_that_cannot_be_told_is_left_to_the_queue(world: World, error: Exception) -> None:
    world.tracker.faults.plan("comment", error)
    with pytest.raises(type(error)):
        world.publish()
    assert PROCESSING_LABEL in world.tracker.issues["DEMO-1"].labels
    assert world.jobs.records == {}


def _marks(world: World) -> list[Any]:
    return [replace(comment, text="", id="") for comment in world.tracker.own["DEMO-1"]]


def test_a_comment_on_a_failed_publication_is_marked_as_failed(world: World) -> None:
    world.pull_requests.faults.plan("propose", JobFailed("The branch moved."))
    world.publish(fix_job())
    assert _marks(world) == [OwnComment(fix_job().job_id, "fix", 0, "failed")]
