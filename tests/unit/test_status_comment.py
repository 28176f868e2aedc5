"""The one live comment of a job on its ticket: made once, edited now and then, ended, and never in the way."""

import pytest
from tests.builders import action, agent_run, issue, job, job_result
from tests.fakes.pipeline import Pipeline

from orchestrator.domain import status
from orchestrator.domain.job import MAX_ATTEMPTS, Job, JobState, result_key
from orchestrator.errors import RefusedError, TransientError


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
    assert set(world.tracker.calls()) == {"look", "search", "edit_comment"}
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
    assert world.tracker.calls() == ["look", "search", "look", "comment", "release"]
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


def test_a_result_that_was_published_since_the_poll_began_is_not_talked_over(world: Pipeline) -> None:
    taken = _running(world)
    world.wait(30)
    a_moment_ago = tuple(world.jobs.active())
    world.work(taken)
    world.publish(taken)
    world.poller().watch(a_moment_ago)
    assert "done, $0.25" in _shown(world)


def test_the_end_is_told_even_when_the_record_knows_no_comment(world: Pipeline) -> None:
    world.tracker.add(issue())
    (taken,) = world.poll().claimed
    del world.jobs.records[taken.job_id]
    world.artifacts.put(result_key(taken.job_id), job_result().model_dump_json().encode())
    world.publish(taken)
    assert world.tracker.status("DEMO-1") == [status.ended(action(), taken, job_result(), "")]
