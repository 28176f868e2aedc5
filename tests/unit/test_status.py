"""What the one live comment of a job says, and when it is due to be said."""

import pytest
from tests.builders import action, job, job_result, verdict

from orchestrator.domain import status
from orchestrator.domain.job import JobRecord, JobState
from orchestrator.domain.money import Account
from orchestrator.domain.outcome import JobResult, Outcome
from orchestrator.domain.wall import Answer, Probe, Rung

NOW = 10_000.0
LAST_LINE = "*Job DEMO-1-investigate-0123456789ab*"


def _record(**changes: object) -> JobRecord:
    known: dict[str, object] = {
        **job().model_dump(),
        "state": JobState.RUNNING,
        "started_at": NOW,
        "status_comment": "1",
    }
    return JobRecord.model_validate(known | changes)


@pytest.mark.parametrize(
    ("after_s", "changes", "due"),
    [
        (19.9, {}, False),
        (20.0, {}, True),
        (500.0, {}, True),
        (-500.0, {}, False),
        (500.0, {"status_at": NOW + 480.1}, False),
        (500.0, {"status_at": NOW + 480.0}, True),
        (500.0, {"state": JobState.QUEUED}, False),
        (500.0, {"state": JobState.ENDED}, False),
        (500.0, {"state": JobState.ENDED, "sends": 1}, False),
        (500.0, {"phase": status.PUBLISHING}, False),
        (500.0, {"phase": status.PUBLISHING, "sends": 1}, False),
        (500.0, {"phase": status.PUBLISHING, "sends": 1, "state": JobState.QUEUED}, False),
        (19.9, {"sends": 1}, False),
        (20.0, {"sends": 1}, True),
        (500.0, {"started_at": None}, False),
    ],
)
def test_a_running_job_is_shown_at_most_every_20_seconds(
    after_s: float, changes: dict[str, object], due: bool
) -> None:
    assert status.is_due(_record(**changes), NOW + after_s) is due


@pytest.mark.parametrize(
    ("phase", "after_s", "said"),
    [
        ("clone", 20, "running for 0:20 min, cloning the repository"),
        ("agent", 61.9, "running for 1:01 min, the agent is at work"),
        ("collect", 3_600, "running for 60:00 min, collecting the result"),
        ("", 0, "running for 0:00 min, starting"),
        ("unheard of", -5, "running for 0:00 min, starting"),
    ],
)
def test_while_it_runs_it_says_for_how_long_and_at_what(phase: str, after_s: float, said: str) -> None:
    text = status.current(action(), _record(phase=phase), NOW + after_s)
    assert text == f"**Investigate** {said}\n\n{LAST_LINE}"


@pytest.mark.parametrize(
    "news",
    [
        {"state": JobState.WAITING},
        {"state": JobState.QUEUED, "sends": 1},
        {"dead_letter": "jobs"},
        {"dead_letter": "results", "phase": status.PUBLISHING},
    ],
)
def test_what_then_stays_as_it_is_for_long_is_shown_once(news: dict[str, object]) -> None:
    record = _record(seen_at=NOW, status_at=NOW - 5, **news)
    assert status.is_due(record, NOW + 1)
    assert not status.is_due(record.model_copy(update={"status_at": NOW + 1}), NOW + 500)


@pytest.mark.parametrize(("account", "whose"), [(Account.DAY, "the day's"), (Account.TICKET, "the ticket's")])
def test_a_job_that_waits_says_for_what_until_when_and_how_to_cancel_it(account: Account, whose: str) -> None:
    record = _record(state=JobState.WAITING, wait_for=account, wait_until=1_795_392_000.0)
    assert status.current(action(), record, NOW) == (
        f"**Investigate** waiting\n\nIt waits for {whose} budget, which resets on 2026-11-23 at 00:00 UTC. "
        f"`ai-processing` taken off cancels it.\n\n{LAST_LINE}"
    )


def test_a_job_that_was_sent_again_is_queued() -> None:
    assert status.current(action(), _record(state=JobState.QUEUED, sends=1), NOW) == (
        f"**Investigate** queued\n\n{LAST_LINE}"
    )


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.WAITING])
@pytest.mark.parametrize(("queue", "what"), [("jobs", "run"), ("results", "published")])
def test_a_job_that_was_given_up_says_so_and_how_a_person_goes_on(
    state: JobState, queue: str, what: str
) -> None:
    said, note, last = status.current(action(), _record(state=state, dead_letter=queue), NOW).split("\n\n")
    assert (said, last) == ("**Investigate** stopped", LAST_LINE)
    assert note.startswith(f"It could not be {what}, however often it was tried")
    assert f"the log of job {job().job_id} and brings it back with `alm redrive`" in note
    assert "`ai-processing` taken off ends it" in note


INJECTED = "*x* [x](https://evil.example) <b>"


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.WAITING])
@pytest.mark.parametrize("queue", ["", INJECTED])
def test_words_that_others_could_have_written_are_not_repeated(state: JobState, queue: str) -> None:
    record = _record(state=state, phase=INJECTED, dead_letter=queue, label="ai-`x`", outcome=INJECTED)
    assert "evil" not in status.current(None, record, NOW)


@pytest.mark.parametrize("field", ["job_id", "action"])
def test_a_record_whose_names_cannot_be_ours_is_not_shown(field: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        status.current(None, _record(**{field: INJECTED}), NOW)


@pytest.mark.parametrize(
    ("result", "link", "said"),
    [
        (job_result(), "", "done, $0.25"),
        (job_result(), "https://x/1", "done, $0.25: <https://x/1>"),
        (job_result(cost_usd=None), "", "done"),
        (job_result(verdict=verdict(Outcome.NO_CHANGE, "Nothing.")), "", "no change, $0.25"),
        (JobResult(verdict=verdict(Outcome.REFUSED, "No wall.")), "", "refused"),
    ],
)
def test_at_the_end_it_says_outcome_cost_and_link(result: JobResult, link: str, said: str) -> None:
    assert status.ended(action(), job(), result, link) == f"**Investigate** {said}\n\n{LAST_LINE}"


def test_an_action_that_is_gone_is_called_by_its_name() -> None:
    assert status.queued(None, job()) == f"**investigate** queued\n\n{LAST_LINE}"


def test_that_there_was_no_wall_is_said_while_it_runs_and_at_the_end() -> None:
    accepted = (Probe(rung=Rung.VM_BOUNDARY, answer=Answer.AVAILABLE),)
    record = _record(probes=accepted)
    said = (
        "No wall stood around the agent: this deployment accepts the machine as the boundary (`vm-boundary`)."
    )
    assert said in status.current(action(), record, NOW + 30).split("\n\n")
    assert said in status.ended(action(), job(), job_result(sandbox=Rung.VM_BOUNDARY), "").split("\n\n")
    assert "wall" not in status.ended(action(), job(), job_result(sandbox=Rung.SECCOMP), "")
