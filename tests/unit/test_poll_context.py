"""What a job is told of earlier results on the same ticket."""

from typing import Any

from tests.builders import action, catalogue, fix, issue, job_result, own_comment
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.events import FakeEvents
from tests.fakes.job_store import FakeJobStore
from tests.fakes.queue import FakeQueue
from tests.fakes.tracker import FakeTracker

from orchestrator.domain.issue import OwnComment
from orchestrator.domain.job import Brief, ContextResult, brief_key, result_key
from orchestrator.usecases.poll import Poll

RECOMMEND = action(name="recommend", label="ai-recommend", title="Recommend", order=30)
FIX = fix(context=["recommend", "investigate"])


def _context(*comments: OwnComment, **stored: bytes) -> tuple[ContextResult, ...]:
    """The context of a fix on an issue with these comments, oldest first, and these stored results."""
    tracker = FakeTracker(comments={"DEMO-1": list(comments)})
    tracker.add(issue(labels=frozenset({"ai-fix"})))
    artifacts = FakeArtifacts({result_key(job_id): content for job_id, content in stored.items()})
    known = catalogue(action(), RECOMMEND, FIX)
    poll = Poll(tracker, FakeJobStore(), FakeQueue(), FakeQueue(), artifacts, known, "DEMO", FakeEvents())
    (claimed,) = poll().claimed
    return Brief.model_validate_json(artifacts.contents[brief_key(claimed)]).context


def _texts(*comments: OwnComment, **stored: bytes) -> list[str]:
    return [result.text for result in _context(*comments, **stored)]


def _said(job_id: str, text: str, part: int = 0, **changes: Any) -> OwnComment:
    return own_comment(job_id=job_id, text=text, part=part, **changes)


def test_without_earlier_results_there_is_no_context() -> None:
    assert _context() == ()


def test_the_latest_successful_result_of_each_action_in_the_front_matters_order() -> None:
    context = _context(
        _said("a", "old"),
        _said("b", "new"),
        _said("c", "advice", action="recommend"),
        _said("d", "x", action="impact"),
    )
    assert context == (
        ContextResult(action="recommend", title="Recommend", text="advice"),
        ContextResult(action="investigate", title="Investigate", text="new"),
    )


def test_a_failed_result_is_ignored_though_it_is_newer() -> None:
    assert _texts(_said("a", "good"), _said("b", "bad", outcome="failed")) == ["good"]


def test_only_failed_results_are_no_context() -> None:
    assert _texts(_said("a", "bad", outcome="timed_out"), _said("b", "bad", outcome="declined")) == []


def test_several_parts_are_joined_in_order() -> None:
    assert _texts(_said("a", "one"), _said("a", "two", 1), _said("a", "three", 2)) == ["one\n\ntwo\n\nthree"]


def test_parts_of_an_older_job_are_not_mixed_in() -> None:
    assert _texts(_said("a", "x"), _said("a", "y", 1), _said("b", "one"), _said("b", "two", 1)) == [
        "one\n\ntwo"
    ]


def test_the_stored_result_is_preferred_to_what_the_comment_says() -> None:
    stored = job_result(report={"summary": "From the store."}).model_dump_json().encode()
    assert _texts(_said("a", "edited by someone"), a=stored) == ["### Summary\n\nFrom the store."]


def test_a_stored_result_that_cannot_be_read_any_more_is_replaced_by_the_comment() -> None:
    assert _texts(_said("a", "comment"), a=b'{"written by": "another release"}') == ["comment"]
    assert _texts(_said("a", "comment"), a=b"half a fi") == ["comment"]
