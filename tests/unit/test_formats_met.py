"""What publisher and worker do when they meet values of other releases."""

import pytest
from tests.builders import brief, fix_job, fix_result, issue, job_result
from tests.fakes.pipeline import Pipeline
from tests.unit.test_formats import STORED, V1, V2, message, newer

from orchestrator.domain.job import MAX_ATTEMPTS, PROCESSING_LABEL, brief_key, result_key
from orchestrator.errors import ForgedJob, NewerFormat


def world() -> Pipeline:
    """A job whose result waits to be published."""
    made = Pipeline()
    made.tracker.add(issue(labels=frozenset({PROCESSING_LABEL})))
    made.artifacts.put(result_key(fix_job().job_id), fix_result().model_dump_json().encode())
    made.artifacts.put(brief_key(fix_job()), brief().model_dump_json().encode())
    return made


@pytest.mark.parametrize("attempt", [1, MAX_ATTEMPTS, MAX_ATTEMPTS + 1])
@pytest.mark.parametrize("kind", STORED)
def test_what_a_newer_release_stored_is_never_told_as_a_failure(kind: str, attempt: int) -> None:
    of = world()
    key = brief_key(fix_job()) if kind == "brief" else result_key(fix_job().job_id)
    of.artifacts.put(key, newer(kind, {}))
    with pytest.raises(NewerFormat):
        of.publish(fix_job(), attempt)
    assert not [text for text in of.tracker.texts("DEMO-1") if "FAILED" in text]
    assert (PROCESSING_LABEL in of.tracker.issues["DEMO-1"].labels, of.jobs.records) == (True, {})


def test_a_result_that_waited_for_a_newer_release_is_told_once_by_it() -> None:
    of = world()
    of.artifacts.put(brief_key(fix_job()), newer("brief", {}))
    with pytest.raises(NewerFormat):
        of.publish(fix_job())
    of.artifacts.put(brief_key(fix_job()), brief().model_dump_json().encode())
    of.publish(fix_job(), 2)
    assert (len(of.tracker.texts("DEMO-1")), len(of.pull_requests.proposals)) == (1, 1)


def test_a_result_of_the_first_release_is_published_by_this_one() -> None:
    of = world()
    of.artifacts.put(result_key(fix_job().job_id), (V1 / "result.json").read_bytes())
    of.artifacts.put(brief_key(fix_job()), (V1 / "brief.json").read_bytes())
    of.publish(message((V2 / "message.json").read_bytes()))
    (told,) = of.tracker.texts("DEMO-1")
    assert told.startswith("## BLOCKED")
    past = of.tracker.issues["DEMO-1"].latest["investigate"]
    assert (past.job_id, past.comment_id) == ("DEMO-1-investigate-0123456789ab", "10101")


def test_a_message_of_a_release_that_did_not_sign_is_refused() -> None:
    of, old = world(), message((V1 / "message.json").read_bytes())
    with pytest.raises(ForgedJob):
        of.publish(old)
    with pytest.raises(ForgedJob):
        of.work(old)
    assert (of.tracker.texts("DEMO-1"), of.jobs.records) == ([], {})


def test_a_brief_of_the_first_release_is_read_by_this_one() -> None:
    of = world()
    del of.artifacts.contents[result_key(fix_job().job_id)]
    of.artifacts.put(brief_key(fix_job()), (V1 / "brief.json").read_bytes())
    of.work(fix_job())
    assert of.artifacts.result(fix_job().job_id).verdict == job_result().verdict
