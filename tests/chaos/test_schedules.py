"""Random schedules of `make chaos`, a few of them, and that a broken promise would be seen."""

from collections.abc import Callable

import pytest
from tests.chaos.__main__ import main, table
from tests.chaos.promises import Kind
from tests.chaos.schedule import played
from tests.fakes.job_store import FakeJobStore

from orchestrator.domain.job import JobRecord
from orchestrator.usecases import publish_result

SEEDS = range(1, 31)


def _kinds(seeds: range) -> set[Kind]:
    return {broken.kind for seed in seeds for broken in played(seed).broken}


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_and_nothing_doubled_in_a_random_schedule(seed: int) -> None:
    assert played(seed).broken == []


def test_the_same_seed_makes_the_same_happen() -> None:
    one, again = played(3), played(3)
    assert one.faults.total() > 0
    assert (one.faults, one.points.seen) == (again.faults, again.points.seen)


def test_the_schedules_strike_in_every_way() -> None:
    assert {name for seed in SEEDS for name in played(seed).faults} == {
        "kill before",
        "kill after",
        "no answer, not done",
        "no answer, but done",
        "message twice",
        "message late",
        "other order",
        "stalled worker",
        "two polls",
        "queue emptied",
        "job table emptied",
        "label taken off",
    }


def test_a_publisher_that_does_not_look_for_its_own_comments_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    never: Callable[[JobRecord | None, int], bool] = lambda _record, _attempt: False  # noqa: E731
    monkeypatch.setattr(publish_result, "was_begun", never)
    assert Kind.DOUBLED in _kinds(SEEDS)


def test_a_worker_that_forgets_what_a_lost_attempt_cost_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeJobStore, "reserve", lambda *_: None)
    assert Kind.LOST in _kinds(SEEDS)


def test_the_table_counts_what_was_played() -> None:
    schedules = [played(seed) for seed in (1, 2)]
    rows = dict(line.rsplit(maxsplit=1) for line in table(schedules, 0.5).splitlines())
    assert (rows["schedules"], rows["lost"], rows["doubled"]) == ("2", "0", "0")
    assert int(rows["faults injected"]) == sum(one.faults.total() for one in schedules)


def test_a_broken_promise_ends_the_command_with_its_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FakeJobStore, "end", lambda *_: None)
    assert main(["--seed", "5", "--schedules", "1"]) == 1
    assert "(make chaos SEED=5 SCHEDULES=1)" in capsys.readouterr().out
