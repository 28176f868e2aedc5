"""The one live comment of a job: made once, edited now and then, ended, and never in the way."""

import pytest
from tests.builders import action, agent_run, issue, job, job_result, verdict
from tests.fakes.pipeline import Pipeline

from orchestrator.domain import status
from orchestrator.domain.job import MAX_ATTEMPTS, Job, JobRecord, JobState, result_key
from orchestrator.domain.outcome import JobResult, Outcome
from orchestrator.domain.wall import Answer, Probe, Rung
from orchestrator.errors import RefusedError, TransientError

NOW = 10_000.0
LAST_LINE = "*Job DEMO-1-investigate-0123456789ab*"


def _record(**changes: object) -> JobRecord:
    known: dict[str, object] = {
        "job_id": job().job_id,
        "state": JobState.RUNNING,
        "started_at": NOW,
        "status_comment": "1",
    }
    return JobRecord.model_validate(known | changes)


@pytest.fixture
def world() -> Pipeline:
    made = Pipeline()
    made.tracker.add(issue())
    return made


def _running(world: Pipeline, phase: str = "agent") -> Job:
    taken = world.take()
    world.jobs.start(taken, 1)
    world.jobs.progress(taken, phase)
    world.tracker.requests.clear()
    return taken


def _shown(world: Pipeline) -> str:
    (text,) = world.tracker.status("DEMO-1")
    return text


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
        (500.0, {"status_comment": None}, False),
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
    text = status.running(action(), job(), _record(phase=phase), NOW + after_s)
    assert text == f"**Investigate** {said}\n\n{LAST_LINE}"


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


def test_a_claim_makes_one_marked_comment(world: Pipeline) -> None:
    taken = world.take()
    world.poll()
    (own,) = world.tracker.own["DEMO-1"]
    assert (own.job_id, own.action, own.part, own.outcome) == (taken.job_id, "investigate", -1, "")
    assert world.jobs.records[taken.job_id].status_comment == own.id
    assert _shown(world) == f"**Investigate** queued\n\n*Job {taken.job_id}*"


@pytest.mark.parametrize(("part", "call"), [("queue", "send"), ("jobs", "create")])
def test_a_poll_that_died_after_the_comment_leaves_it_to_be_found_again(
    world: Pipeline, part: str, call: str
) -> None:
    getattr(world, part).faults.plan(call, ConnectionError("gone"))
    world.poll()
    world.wait(60)
    taken = world.take()
    (own,) = world.tracker.own["DEMO-1"]
    assert world.jobs.records[taken.job_id].status_comment == own.id


def test_a_comment_of_another_job_is_not_taken_for_this_ones(world: Pipeline) -> None:
    world.through()
    world.wait(600)
    world.tracker.add(issue(comments=world.tracker.issues["DEMO-1"].comments, updated="later"))
    world.queue.faults.plan("send", ConnectionError("gone"))
    world.poll()
    world.wait(60)
    world.take()
    assert [text.partition("\n")[0] for text in world.tracker.status("DEMO-1")] == [
        "**Investigate** done, $0.25",
        "**Investigate** queued",
    ]


def test_a_running_job_is_edited_in_place_and_not_again_at_once(world: Pipeline) -> None:
    taken = _running(world)
    for after_s, edits in ((19, 0), (1, 1), (19, 1), (1, 2)):
        world.wait(after_s)
        world.poll()
        assert world.tracker.calls().count("edit_comment") == edits
    assert set(world.tracker.calls()) == {"search", "edit_comment"}
    assert _shown(world) == (
        f"**Investigate** running for 0:40 min, the agent is at work\n\n*Job {taken.job_id}*"
    )


@pytest.mark.parametrize("error", [TransientError("Jira did not answer."), RefusedError("It may not.", 403)])
def test_an_edit_that_fails_does_not_stop_the_poll_and_is_made_good_by_the_next(
    world: Pipeline, error: Exception
) -> None:
    taken = _running(world)
    world.tracker.add(issue(id="2", key="DEMO-2"))
    world.wait(30)
    world.tracker.faults.plan("edit_comment", error)
    assert [claimed.issue_key for claimed in world.poll().claimed] == ["DEMO-2"]
    assert world.events.named("status.not_shown") == [{**taken.log_fields(), "error": str(error)}]
    world.poll()
    assert "running for 0:30 min" in _shown(world)


def test_the_end_is_shown_in_the_same_comment_and_told_in_another(world: Pipeline) -> None:
    taken = world.through()
    assert _shown(world) == f"**Investigate** done, $0.25\n\n*Job {taken.job_id}*"
    assert len(world.tracker.texts("DEMO-1")) == 1


def test_a_job_whose_record_has_no_comment_is_neither_shown_nor_ended_in_one(world: Pipeline) -> None:
    taken = job()
    labels, claim = frozenset({"ai-processing"}), taken.model_dump(mode="json")
    world.tracker.add(issue(labels=labels, claim=claim))
    world.jobs.create(taken, None)
    world.jobs.start(taken, 1)
    world.wait(100)
    world.poll()
    world.publish(taken)
    assert world.tracker.calls() == ["search", "comment", "release"]
    assert world.tracker.status("DEMO-1") == []


def test_a_last_edit_that_may_work_later_is_left_to_the_queue(world: Pipeline) -> None:
    taken = world.take()
    world.work(taken)
    world.tracker.faults.plan("edit_comment", TransientError("Jira did not answer."))
    with pytest.raises(TransientError):
        world.publish(taken)
    world.publish(taken, 2)
    assert "done, $0.25" in _shown(world)
    assert len(world.tracker.texts("DEMO-1")) == 1


@pytest.mark.parametrize(
    ("error", "attempt"), [(TransientError("Gone."), MAX_ATTEMPTS + 1), (RefusedError("It may not.", 403), 1)]
)
def test_a_last_edit_that_never_works_keeps_no_ticket_from_its_labels(
    world: Pipeline, error: Exception, attempt: int
) -> None:
    taken = world.take()
    world.work(taken)
    world.tracker.faults.plan("edit_comment", error)
    world.publish(taken, attempt)
    assert world.tracker.issues["DEMO-1"].labels == frozenset()
    assert world.jobs.records[taken.job_id].state is JobState.ENDED
    assert world.events.warnings() == ["status.not_shown"]


def test_a_status_comment_that_a_person_deleted_is_no_error(world: Pipeline) -> None:
    taken = world.take()
    world.tracker.delete_comments("DEMO-1")
    world.agent.answer = agent_run()
    world.work(taken)
    world.publish(taken)
    assert (world.tracker.status("DEMO-1"), len(world.tracker.texts("DEMO-1"))) == ([], 1)


def test_a_result_that_is_being_published_is_not_talked_over() -> None:
    record = JobRecord(
        job_id="DEMO-1-fix-1",
        state=JobState.RUNNING,
        started_at=1.0,
        status_comment="7",
        phase=status.PUBLISHING,
    )
    assert not status.is_due(record, 1_000.0)
    assert status.is_due(record.model_copy(update={"phase": "agent"}), 1_000.0)


def test_the_end_is_told_even_when_the_record_knows_no_comment(world: Pipeline) -> None:
    world.tracker.add(issue())
    (taken,) = world.poll().claimed
    del world.jobs.records[taken.job_id]
    world.artifacts.put(result_key(taken.job_id), job_result().model_dump_json().encode())
    world.publish(taken)
    assert world.tracker.status("DEMO-1") == [status.ended(action(), taken, job_result(), "")]


def test_that_there_was_no_wall_is_said_while_it_runs_and_at_the_end() -> None:
    accepted = (Probe(rung=Rung.VM_BOUNDARY, answer=Answer.AVAILABLE),)
    record = _record(probes=accepted)
    said = (
        "No wall stood around the agent: this deployment accepts the machine as the boundary (`vm-boundary`)."
    )
    assert said in status.running(action(), job(), record, NOW + 30).split("\n\n")
    assert said in status.ended(action(), job(), job_result(sandbox=Rung.VM_BOUNDARY), "").split("\n\n")
    assert "wall" not in status.ended(action(), job(), job_result(sandbox=Rung.SECCOMP), "")
