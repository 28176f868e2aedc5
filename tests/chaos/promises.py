"""What has to hold when all is quiet, whatever was struck: nothing lost, nothing doubled, no cost forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.scenarios import Expected, Scenario
from tests.chaos.world import World

from orchestrator.domain.issue import OwnComment
from orchestrator.domain.job import PROCESSING_LABEL, Job, JobRecord, JobState, brief_key
from orchestrator.domain.money import Account
from orchestrator.domain.outcome import Outcome
from orchestrator.usecases.claim_issue import SET_ASIDE


class Kind(StrEnum):
    """How a promise is broken."""

    LOST = "lost"
    DOUBLED = "doubled"
    WRONG = "wrong"


@dataclass(frozen=True)
class Broken:
    """One promise that does not hold."""

    kind: Kind
    words: str

    @property
    def is_of_the_record(self) -> bool:
        """Whether it is about what only the job table knew: that a job was, and what it cost."""
        return any(about in self.words for about in ("job records", "the record", "the accounts"))

    @property
    def is_of_the_wish(self) -> bool:
        """Whether it is about what becomes of a wish that a person may have taken back."""
        return any(
            about in self.words for about in ("0 instead of 1 job records", "the claim of", "was not told")
        )

    def __str__(self) -> str:
        """As a person reads it."""
        return f"{self.kind}: {self.words}"


def broken(world: World, scenario: Scenario, key: str = "DEMO-1") -> list[Broken]:
    """Every promise about that ticket that does not hold; none while the world still works on it is asked for."""
    trespasses = (Broken(Kind.LOST, words) for words in world.trespasses)
    return [*_ticket(world, key), *_jobs(world, scenario, key), *_left(world), *trespasses]


def _count(found: int, wanted: int, what: str) -> Iterator[Broken]:
    if found != wanted:
        kind = Kind.LOST if found < wanted else Kind.DOUBLED
        yield Broken(kind, f"{found} instead of {wanted} {what}")


def _ticket(world: World, key: str) -> Iterator[Broken]:
    issue = world.tracker.issues[key]
    for label in sorted(issue.labels & {PROCESSING_LABEL, *world.catalogue.labels}):
        yield Broken(Kind.LOST, f"{key} still carries {label}")
    if "outcome" not in (issue.claim or {}):
        yield Broken(Kind.LOST, f"the claim of {key} does not say how it ended")


def _left(world: World) -> Iterator[Broken]:
    for name, queue in (("job", world.queue), ("result", world.results)):
        if queue.messages or queue.dead:
            yield Broken(Kind.LOST, f"{len(queue.messages)} and {len(queue.dead)} dead on the {name} queue")


def _jobs(world: World, scenario: Scenario, key: str) -> Iterator[Broken]:
    for action, wanted in scenario.expected.items():
        records = [one for one in world.jobs.records.values() if one.job_id.startswith(f"{key}-{action}-")]
        yield from _count(len(records), 1, f"job records of {action}")
        for record in records:
            yield from _job(world, wanted, record, key)


def _job(world: World, wanted: Expected, record: JobRecord, key: str) -> Iterator[Broken]:
    action = record.job_id.removeprefix(f"{key}-").rpartition("-")[0]
    if record.state is not JobState.ENDED:
        yield Broken(Kind.LOST, f"the record of {action} says {record.state}")
    if record.outcome != wanted.outcome:
        yield Broken(Kind.WRONG, f"{action} ended as {record.outcome} instead of {wanted.outcome}")
    yield from _told(world, wanted, record, key)
    yield from _status(world, wanted, record, key)
    yield from _on_github(world, wanted, record)
    if record.outcome == wanted.outcome:
        yield from _built_on(world, wanted, record, key)
    yield from _cost(world, record)


def _own(world: World, record: JobRecord, key: str) -> list[OwnComment]:
    return [one for one in world.tracker.own.get(key, ()) if one.job_id == record.job_id]


def _told(world: World, wanted: Expected, record: JobRecord, key: str) -> Iterator[Broken]:
    own = [one for one in _own(world, record, key) if one.part >= 0]
    parts = wanted.parts if record.outcome == wanted.outcome else 1
    for part in range(parts):
        yield from _count(sum(one.part == part for one in own), 1, f"result comments, part {part}")
    yield from _count(sum(one.part >= parts for one in own), 0, "parts beyond the last")
    if any(one.outcome != record.outcome for one in own):
        yield Broken(Kind.LOST, f"the comment tells another end than {record.outcome}")


def _status(world: World, wanted: Expected, record: JobRecord, key: str) -> Iterator[Broken]:
    own = [one for one in _own(world, record, key) if one.part < 0]
    # What ends in seconds has no status comment; an issue set aside has one if an earlier poll wrote it.
    is_set_aside = any(SET_ASIDE.reason in one.text for one in _own(world, record, key))
    least = int(wanted.outcome is not Outcome.REJECTED)
    yield from _count(len(own), min(len(own), least) if is_set_aside else least, "status comments")
    final = "done" if record.outcome == Outcome.SUCCEEDED else str(record.outcome).replace("_", " ")
    for one in own:
        if f"** {final}" not in one.text:
            yield Broken(Kind.LOST, f"the status comment still says: {one.text.splitlines()[0]}")


def _on_github(world: World, wanted: Expected, record: JobRecord) -> Iterator[Broken]:
    proposals = [one for one in world.pull_requests.proposals if one.job.job_id == record.job_id]
    reviews = [one for one in world.pull_requests.reviews if one.job.job_id == record.job_id]
    # A publication whose last answer was lost may stand, although the ticket says it was tried in vain.
    most = record.outcome != wanted.outcome
    for found, count, what in (
        (len(proposals), wanted.pull_requests, "pull requests"),
        (len(reviews), wanted.reviews, "reviews"),
    ):
        yield from _count(max(found, count) if most else found, count, what)
    yield from _count(len({one.branch for one in proposals}), min(1, len(proposals)), "branches")


def _built_on(world: World, wanted: Expected, record: JobRecord, key: str) -> Iterator[Broken]:
    action = record.job_id.removeprefix(f"{key}-").rpartition("-")[0]
    job = Job(job_id=record.job_id, issue_id="1", issue_key=key, action=action, label="-")
    stored = world.artifacts.contents.get(brief_key(job), b"{}")
    for name in wanted.context:
        if f'"action":"{name}"'.encode() not in stored and _succeeded(world, f"{key}-{name}-"):
            yield Broken(Kind.LOST, f"{action} was not told the result of {name}")


def _succeeded(world: World, prefix: str) -> bool:
    return any(
        one.outcome == Outcome.SUCCEEDED
        for one in world.jobs.records.values()
        if one.job_id.startswith(prefix)
    )


def _cost(world: World, record: JobRecord) -> Iterator[Broken]:
    spent = sum(world.spent.get(record.job_id, ()))
    total = round(sum(sum(runs) for runs in world.spent.values()), 6)
    known = round(sum(one.spent_usd for one in world.jobs.records.values() if one.costs), 6)
    for account in Account:
        charged = round(sum(usd for (kind, _), usd in world.jobs.accounts.items() if kind is account), 6)
        if charged != known:
            yield Broken(Kind.LOST, f"the accounts by {account} say ${charged}, the records ${known}")
        if charged < total:
            yield Broken(
                Kind.LOST, f"the accounts by {account} know ${charged} of the ${total} that were spent"
            )
    if record.spent_usd < spent:
        yield Broken(
            Kind.LOST, f"the record knows ${record.spent_usd:.2f} of the ${spent:.2f} that were spent"
        )
