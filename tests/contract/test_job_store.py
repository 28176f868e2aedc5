"""The job table against moto over HTTP; the fake passes the same tests."""

from uuid import uuid4

import boto3
import pytest
from tests.fakes.job_store import FakeJobStore

from alm.aws import TABLE, LocalAws
from alm.environment import REGION
from orchestrator.adapters.dynamodb import DynamoJobStore
from orchestrator.domain.job import Job, JobRecord, JobState, Start
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.wall import Answer, Probe, Rung
from orchestrator.ports import JobStore

SESSION = boto3.session.Session("local", "local", region_name=REGION)
COMMENT = "20001"


def job() -> Job:
    """Another job, which no other test knows."""
    identity = f"DEMO-1-fix-{uuid4().hex[:12]}"
    return Job(job_id=identity, issue_id="10001", issue_key="DEMO-1", action="fix", label="ai-fix")


def dynamodb(aws: LocalAws) -> DynamoJobStore:
    return DynamoJobStore(SESSION.resource("dynamodb", endpoint_url=aws.endpoint).Table(TABLE))


@pytest.fixture(params=["moto", "fake"])
def store(request: pytest.FixtureRequest) -> JobStore:
    return FakeJobStore() if request.param == "fake" else dynamodb(request.getfixturevalue("aws"))


def record(store: JobStore, known: Job) -> JobRecord:
    """The job's record, which must be there."""
    found = store.get(known.job_id)
    assert found is not None
    return found


def listed(store: JobStore, known: Job) -> bool:
    """Whether the job is among those that have not ended."""
    return known.job_id in [one.job_id for one in store.active()]


def started(store: JobStore, attempt: int = 1) -> Job:
    """A job that was queued and is running."""
    new = job()
    store.create(new, COMMENT)
    assert store.start(new, attempt) is Start.GO
    return new


def test_an_unknown_job_has_no_record(store: JobStore) -> None:
    assert store.get("unknown") is None


def test_a_created_job_is_queued_and_knows_its_status_comment(store: JobStore) -> None:
    new = job()
    assert store.create(new, COMMENT)
    made = record(store, new)
    assert made.queued_at is not None
    times = {"queued_at": made.queued_at, "seen_at": made.queued_at}
    assert made == JobRecord(**new.model_dump(), **times, state=JobState.QUEUED, status_comment=COMMENT)
    assert made.job == new


@pytest.mark.parametrize("comment", [COMMENT, None])
def test_a_job_is_created_once_and_the_first_status_comment_stays(
    store: JobStore, comment: str | None
) -> None:
    new = job()
    assert [store.create(new, comment), store.create(new, "20002")] == [True, False]
    assert record(store, new).status_comment == comment


def test_only_one_at_a_time_may_queue_a_job_and_nobody_once_it_is_queued(store: JobStore) -> None:
    new = job()
    assert store.hold(new, 60)
    assert not store.hold(new, 60)
    assert store.get(new.job_id) is None
    assert store.create(new, COMMENT)
    assert not store.hold(new, 60)


def test_a_hold_is_over_after_its_time(store: JobStore) -> None:
    new = job()
    assert store.hold(new, 0)
    assert store.hold(new, 60)


def test_creating_a_job_again_does_not_set_it_back(store: JobStore) -> None:
    new = started(store, attempt=2)
    before = record(store, new)
    assert not store.create(new, "20002")
    assert record(store, new) == before
    assert (before.state, before.attempt) == (JobState.RUNNING, 2)


def test_a_job_created_after_its_start_stays_running_and_gets_its_status_comment(store: JobStore) -> None:
    new = job()
    store.start(new, 1)
    before = record(store, new)
    assert (before.status_comment, before.resumed) == (None, True)
    assert [store.create(new, COMMENT), store.create(new, "20002")] == [True, False]
    now = record(store, new)
    seen = {"queued_at": now.queued_at, "seen_at": now.queued_at, "resumed": False}
    assert now == before.model_copy(update={"status_comment": COMMENT, **seen})
    assert before.state is JobState.RUNNING


def test_a_job_created_after_its_end_stays_ended(store: JobStore) -> None:
    new = job()
    store.start(new, 1)
    store.end(new, Outcome.FAILED, 0.5)
    assert store.create(new, COMMENT)
    kept = record(store, new)
    assert (kept.state, kept.outcome, kept.cost_usd) == (JobState.ENDED, "failed", 0.5)
    assert kept.status_comment == COMMENT
    assert store.start(new, 2) is Start.ENDED
    assert not listed(store, new)


def test_a_start_is_timed(store: JobStore) -> None:
    new = job()
    store.create(new, COMMENT)
    assert record(store, new).started_at is None
    store.start(new, 1)
    assert (record(store, new).started_at or 0) > 0


def test_the_table_times_in_seconds_since_the_epoch(aws: LocalAws) -> None:
    store = dynamodb(aws)
    new = started(store)
    store.status_shown(new)
    kept = record(store, new)
    assert 1_700_000_000 < (kept.started_at or 0) <= kept.status_at < 100_000_000_000


def test_what_a_running_job_does_is_recorded_and_nothing_else_changes(store: JobStore) -> None:
    new = started(store)
    before = record(store, new)
    assert before.phase == ""
    for phase in ("clone", "agent"):
        store.progress(new, phase)
        now = record(store, new)
        assert now == before.model_copy(update={"phase": phase, "seen_at": now.seen_at})


def test_the_walls_that_were_tried_are_recorded_and_nothing_else_changes(store: JobStore) -> None:
    new = started(store)
    before = record(store, new)
    probes = (
        Probe(rung=Rung.BUBBLEWRAP, answer=Answer.DENIED, reason="the machine does not allow it"),
        Probe(rung=Rung.LANDLOCK, answer=Answer.AVAILABLE),
    )
    store.walls_tried(new, probes)
    assert record(store, new) == before.model_copy(update={"probes": probes})


def test_showing_the_status_is_timed_and_nothing_else_changes(store: JobStore) -> None:
    new = started(store)
    before = record(store, new)
    assert before.status_at == 0
    store.status_shown(new)
    after = record(store, new)
    assert after.status_at > 0
    assert after == before.model_copy(update={"status_at": after.status_at})


def test_a_job_may_start_again_until_it_has_ended(store: JobStore) -> None:
    new = started(store)
    assert store.start(new, 2) is Start.GO
    store.end(new, Outcome.SUCCEEDED, 0.5)
    assert store.start(new, 3) is Start.ENDED
    assert record(store, new).attempt == 2


@pytest.mark.parametrize("cost_usd", [None, 0.0, 0.1 + 0.2, 1e-7, 123.456789])
def test_the_end_keeps_what_a_job_came_to(store: JobStore, cost_usd: float | None) -> None:
    new = started(store)
    store.end(new, Outcome.NO_CHANGE, cost_usd)
    kept = record(store, new)
    assert (kept.outcome, kept.cost_usd, kept.attempt) == ("no_change", cost_usd, 1)


def test_the_end_keeps_everything_that_was_known_before(store: JobStore) -> None:
    new = started(store)
    store.progress(new, "agent")
    store.status_shown(new)
    before = record(store, new)
    store.end(new, Outcome.SUCCEEDED, 0.25)
    ended = {"state": JobState.ENDED, "outcome": "succeeded", "cost_usd": 0.25}
    assert record(store, new) == before.model_copy(update=ended)


def test_a_job_nobody_recorded_can_start_and_end(store: JobStore) -> None:
    first, second = job(), job()
    assert store.start(first, 1) is Start.GO
    store.end(second, Outcome.FAILED, None)
    assert store.start(second, 1) is Start.ENDED
    assert [record(store, one).state for one in (first, second)] == [JobState.RUNNING, JobState.ENDED]


def test_the_table_keeps_what_the_job_was_and_forgets_it_in_time(aws: LocalAws) -> None:
    store = dynamodb(aws)
    new = started(store)
    store.end(new, Outcome.FAILED, None)
    (item,) = [item for item in aws.jobs() if item["job_id"] == new.job_id]
    assert {**item, **new.model_dump(exclude={"version"})} == item
    assert int(str(item["expires_at"])) > 1_700_000_000


def test_when_a_job_was_queued_stays_as_it_is(store: JobStore) -> None:
    new = started(store)
    first = record(store, new).queued_at
    assert first is not None
    if isinstance(store, FakeJobStore):
        store.now += 100
    store.create(new, "20002")
    store.progress(new, "clone")
    assert record(store, new).queued_at == first
    assert (record(store, new).age_s(first + 90), record(store, new).age_s(first - 5)) == (90, 0)
