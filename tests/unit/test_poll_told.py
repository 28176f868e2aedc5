"""What a poll tells beside its report: how old the oldest job is, what failed, and that workers are started."""

import pytest
from tests.builders import issue
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.job import Wait
from orchestrator.domain.money import Account
from orchestrator.errors import ConfigError, TransientError
from orchestrator.usecases.poll import Poll, PollReport, poll_once

HOUR_S = 3600


class World(Pipeline):
    """A poll, and how often it has started workers."""

    launches = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.launch = self.launched

    def launched(self) -> None:
        self.launches += 1

    def measured(self, name: str) -> list[float]:
        return [value for measured, value, _ in self.events.measured if measured == name]

    def once(self) -> PollReport:
        return poll_once(self.poller, self.events)


@pytest.fixture
def world() -> World:
    return World()


def test_an_idle_poll_says_that_no_job_is_old(world: World) -> None:
    world.poll()
    assert world.measured("OldestJobSeconds") == [0]


def test_the_oldest_job_that_has_not_ended_is_told(world: World) -> None:
    for number, before_s in ((1, 100), (2, 40)):
        world.tracker.add(issue(id=str(number), key=f"DEMO-{number}"))
        world.poll()
        world.wait(before_s)
    world.events.measured.clear()
    world.poll()
    assert world.measured("OldestJobSeconds") == [140]


def test_a_worker_that_was_faster_than_the_poll_makes_no_job_older_or_younger(world: World) -> None:
    world.tracker.add(issue())
    taken = world.take()
    world.wait(50)
    world.jobs.start(taken, 1)
    world.events.measured.clear()
    world.poll()
    assert world.measured("OldestJobSeconds") == [50]


def test_a_job_that_waits_for_money_is_not_late_and_is_not_late_when_it_comes_back(world: World) -> None:
    world.tracker.add(issue())
    taken = world.take()
    world.jobs.park(taken, Wait(Account.DAY, world.clock.now + HOUR_S))
    for after_s, age_s in ((600, 0), (HOUR_S - 600, 0), (50, 50)):
        world.wait(after_s)
        world.events.measured.clear()
        world.poll()
        assert world.measured("OldestJobSeconds") == [age_s]
    assert world.queue.jobs() == [taken, taken]  # the first one is the message that its worker deletes


def test_workers_are_started_after_the_claims(world: World) -> None:
    world.tracker.add(issue())
    queued: list[int] = []
    world.launch = lambda: queued.append(len(world.queue.messages))
    world.poll()
    assert queued == [1]


def test_workers_are_started_even_if_the_tracker_is_away(world: World) -> None:
    world.tracker.faults.plan("search", TransientError("Jira did not answer."))
    with pytest.raises(TransientError):
        world.poll()
    assert world.launches == 1


def test_a_claim_that_fails_counts_as_an_error_of_the_poll(world: World) -> None:
    world.tracker.add(issue())
    world.tracker.faults.plan("claim", TransientError("Jira did not answer."))
    assert world.poll().failed == ("DEMO-1",)
    assert world.measured("PollErrors") == [1]


def test_a_poll_that_fails_is_told_counted_and_raised(world: World) -> None:
    world.tracker.faults.plan("search", KeyError("a stranger's words"))
    with pytest.raises(KeyError):
        world.once()
    assert world.events.named("poll.failed") == [{"error": "KeyError"}]
    assert world.measured("PollErrors") == [1]


def test_a_configuration_that_cannot_be_used_is_one_line_and_no_crash(world: World) -> None:
    def unusable() -> Poll:
        raise ConfigError("The secret alm/jira cannot be used: JSON: json_invalid")

    report = poll_once(unusable, world.events)
    assert report == PollReport(unusable="The secret alm/jira cannot be used: JSON: json_invalid")
    (line,) = world.events.recorded
    assert (line.level, line.name, line.fields) == ("warning", "config.unusable", {"error": report.unusable})
    assert (world.measured("ConfigErrors"), world.measured("PollErrors")) == ([1], [1])


def test_credentials_that_are_refused_under_way_are_told_the_same(world: World) -> None:
    world.tracker.faults.plan("search", ConfigError("Atlassian refused JIRA_CLIENT_ID."))
    assert world.once().unusable == "Atlassian refused JIRA_CLIENT_ID."
    assert (world.measured("ConfigErrors"), world.launches) == ([1], 1)
