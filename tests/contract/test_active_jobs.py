"""What a poll sees of jobs under way, and does about them: against moto over HTTP, and the fake alike."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.contract.test_job_store import COMMENT, dynamodb, job, listed, record, started
from tests.fakes.job_store import FakeJobStore

from alm.aws import LocalAws
from orchestrator.adapters import dynamodb as adapter
from orchestrator.adapters.sqs import SqsDeadLetters, SqsQueue
from orchestrator.domain.job import Job, JobRecord, JobState, Start, Wait
from orchestrator.domain.money import Account
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import NewerFormat
from orchestrator.ports import JobStore

V1 = Path(__file__).parents[1] / "unit" / "formats" / "v1"
LATER = Wait(Account.DAY, 4_000_000_000.0)


@pytest.fixture(params=["moto", "fake"])
def store(request: pytest.FixtureRequest) -> JobStore:
    return FakeJobStore() if request.param == "fake" else dynamodb(request.getfixturevalue("aws"))


def queued(store: JobStore) -> Job:
    new = job()
    store.create(new, COMMENT)
    return new


def ended(store: JobStore) -> Job:
    new = started(store)
    store.end(new, Outcome.SUCCEEDED, 0.25)
    return new


def parked(store: JobStore) -> Job:
    new = started(store)
    store.park(new, LATER)
    return new


def cancelled(store: JobStore) -> Job:
    new = queued(store)
    assert store.ask_to_cancel(new)
    return new


def given_up(store: JobStore) -> Job:
    new = started(store)
    store.give_up(new, "jobs")
    return new


Made = Callable[[JobStore], Job]
UNDER_WAY: tuple[Made, ...] = (queued, started, parked, cancelled, given_up)


@pytest.mark.parametrize("made", UNDER_WAY)
def test_a_job_that_has_not_ended_is_listed_whole_until_it_has(store: JobStore, made: Made) -> None:
    known = made(store)
    assert [one for one in store.active() if one.job_id == known.job_id] == [record(store, known)]
    store.end(known, Outcome.CANCELLED, None)
    assert not listed(store, known)


def test_a_job_whose_message_was_faster_than_its_record_is_listed_too(store: JobStore) -> None:
    new = job()
    store.start(new, 1)
    store.create(new, COMMENT)
    assert listed(store, new)


def test_what_comes_after_the_end_lists_it_no_more(store: JobStore) -> None:
    known = ended(store)
    before = record(store, known)
    store.create(known, COMMENT)
    store.walls_tried(known, ())
    store.park(known, LATER)
    store.give_up(known, "results")
    assert not store.ask_to_cancel(known)
    assert (record(store, known), listed(store, known)) == (before, False)


def test_a_job_that_is_only_held_is_not_listed(store: JobStore) -> None:
    new = job()
    store.hold(new, 60)
    assert not listed(store, new)


def test_many_jobs_are_listed_page_after_page(aws: LocalAws) -> None:
    """DynamoDB gives a megabyte a page: a status comment's id is no such thing, but it fills one here."""
    store = dynamodb(aws)
    large = [job() for _ in range(4)]
    for one in large:
        store.create(one, "x" * 390_000)
    found = [one.job_id for one in store.active()]
    assert {one.job_id for one in large} <= set(found)
    assert len(found) == len(set(found))
    for one in large:
        store.table.delete_item(Key={"job_id": one.job_id})


@pytest.mark.parametrize("made", [queued, started, parked, given_up])
def test_a_wish_to_cancel_is_kept_and_seen_by_whoever_starts_or_is_at_it(store: JobStore, made: Made) -> None:
    known = made(store)
    assert not store.alive(known)
    assert [store.ask_to_cancel(known), store.ask_to_cancel(known)] == [True, True]
    assert (record(store, known).cancel_asked, store.alive(known)) == (True, True)
    assert store.start(known, 2) is Start.CANCELLED


def test_a_job_that_has_ended_or_is_unknown_cannot_be_cancelled(store: JobStore) -> None:
    unknown = job()
    assert [store.ask_to_cancel(ended(store)), store.ask_to_cancel(unknown)] == [False, False]
    assert store.get(unknown.job_id) is None


def test_a_worker_of_a_job_that_was_ended_without_it_is_told_to_stop(store: JobStore) -> None:
    known, unknown = ended(store), job()
    before = record(store, known)
    assert [store.alive(known), store.alive(unknown)] == [True, False]
    assert (record(store, known), store.get(unknown.job_id)) == (before, None)


def test_a_job_that_waits_says_for_what_and_until_when(store: JobStore) -> None:
    known = parked(store)
    now = record(store, known)
    assert (now.state, now.wait_for, now.wait_until) == (JobState.WAITING, Account.DAY, LATER.until)
    assert (now.is_due_again(LATER.until - 1), now.is_due_again(LATER.until)) == (False, True)
    assert store.start(known, 1) is Start.GO
    assert record(store, known).state is JobState.RUNNING


def test_a_job_nobody_recorded_is_not_parked_and_not_given_up(store: JobStore) -> None:
    unknown = job()
    store.park(unknown, LATER)
    store.give_up(unknown, "jobs")
    assert store.get(unknown.job_id) is None


@pytest.mark.parametrize("made", UNDER_WAY)
def test_a_job_is_sent_again_with_a_number_of_its_own_each_time(store: JobStore, made: Made) -> None:
    known = made(store)
    assert store.requeue(record(store, known)) == 1
    assert (record(store, known).state, record(store, known).sends) == (JobState.QUEUED, 1)
    assert (store.requeue(record(store, known)), record(store, known).sends) == (2, 2)
    assert listed(store, known)


def _start(store: JobStore, known: Job) -> None:
    store.start(known, 1)


def _end(store: JobStore, known: Job) -> None:
    store.end(known, Outcome.FAILED, None)


def _park(store: JobStore, known: Job) -> None:
    store.park(known, LATER)


@pytest.mark.parametrize("meanwhile", [_start, _end, _park])
def test_a_job_that_somebody_has_been_at_meanwhile_is_not_sent_again(
    store: JobStore, meanwhile: Callable[[JobStore, Job], None]
) -> None:
    known = queued(store)
    read = record(store, known)
    meanwhile(store, known)
    now = record(store, known)
    assert store.requeue(read) is None
    assert record(store, known) == now


def test_a_sign_of_life_since_then_keeps_a_job_from_being_sent_again(store: JobStore) -> None:
    known = started(store)
    now = record(store, known)
    assert store.requeue(now.model_copy(update={"seen_at": now.seen_at - 600})) is None
    assert record(store, known) == now


def test_a_dead_letter_is_forgotten_when_the_job_goes_on(store: JobStore) -> None:
    known = given_up(store)
    assert (record(store, known).dead_letter, record(store, known).state) == ("jobs", JobState.RUNNING)
    store.progress(known, "clone")
    assert record(store, known).dead_letter == ""
    store.give_up(known, "jobs")
    store.start(known, 2)
    assert record(store, known).dead_letter == ""
    store.give_up(known, "results")
    store.end(known, Outcome.SUCCEEDED, None)
    assert record(store, known).dead_letter == ""


@pytest.mark.parametrize("resumed", [True, False])
def test_whether_a_job_was_claimed_before_is_kept(store: JobStore, resumed: bool) -> None:
    new = job()
    store.create(new, COMMENT, resumed=resumed)
    store.start(new, 1)
    assert record(store, new).resumed is resumed


@dataclass
class Time:
    """Stands in for the module."""

    now: float = 1_800_000_000.9

    def time(self) -> float:
        return self.now


def test_every_sign_of_life_is_timed_and_a_silent_worker_is_told_from_one_at_work(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    monkeypatch.setattr(adapter, "time", time)
    store = dynamodb(aws)
    known = started(store)
    signs: tuple[Callable[[], object], ...] = (
        lambda: store.alive(known),
        lambda: store.progress(known, "clone"),
        lambda: store.start(known, 2),
    )
    for sign in signs:
        time.now += 100
        assert not record(store, known).is_attended(time.now)
        sign()
        assert record(store, known).is_attended(time.now)
        assert record(store, known).seen_at == int(time.now)
    store.end(known, Outcome.CANCELLED, None)


def stored(aws: LocalAws, item: dict[str, Any]) -> Job:
    """A job whose record another release wrote."""
    new = job()
    known = json.loads(json.dumps(item), parse_float=Decimal, parse_int=Decimal)
    dynamodb(aws).table.put_item(Item={**known, "job_id": new.job_id})
    return new


def test_a_record_of_the_first_release_is_read_and_gone_on_with(aws: LocalAws) -> None:
    old, store = json.loads((V1 / "record.json").read_text()), dynamodb(aws)
    known = stored(aws, old)
    expected = JobRecord.model_validate({**old, "job_id": known.job_id})
    assert (record(store, known), record(store, known).spent_usd) == (expected, 3.25)
    assert store.start(known, 3) is Start.ENDED
    running = stored(aws, {**old, "state": "running"})
    assert store.requeue(record(store, running)) == 1, "it has no sign of life that could have moved"
    assert store.start(running, 3) is Start.GO
    assert (record(store, running).costs, listed(store, running)) == (expected.costs, True)
    store.end(running, Outcome.FAILED, None)


def test_a_record_of_a_newer_release_is_its_and_hides_no_other(aws: LocalAws) -> None:
    old, store = json.loads((V1 / "record.json").read_text()), dynamodb(aws)
    newer = stored(aws, {**old, "state": "running", "version": 3, "active": "y", "costs": "elsewhere"})
    ours = queued(store)
    with pytest.raises(NewerFormat):
        store.get(newer.job_id)
    assert (listed(store, ours), listed(store, newer)) == (True, False)
    store.table.delete_item(Key={"job_id": newer.job_id})


def test_dead_letters_that_were_looked_at_are_there_for_whoever_brings_them_back(aws: LocalAws) -> None:
    queue, dead = SqsQueue(aws.sqs, aws.job_queue), SqsDeadLetters(aws.sqs, aws.job_dead_letters)
    lost = job().model_copy(update={"issue_key": f"DEMO-{uuid4().int % 10**6}"})
    queue.send(lost)
    for _ in range(4):
        found = queue.receive(0)
        assert found is not None
        queue.hide(found.receipt, 0)
    assert queue.receive(0) is None
    assert lost in dead.jobs()
    assert SqsQueue(aws.sqs, aws.job_dead_letters).depth() >= 1
