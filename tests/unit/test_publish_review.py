"""A review in the publisher: one review on the pull request, a short comment on the ticket."""

from typing import Any

import pytest
from tests.builders import brief, catalogue, code_review, finding, issue, review_job, review_result, unsigned
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.job import PROCESSING_LABEL, Job, PastResult, brief_key, result_key
from orchestrator.domain.outcome import JobResult
from orchestrator.domain.review import Review
from orchestrator.errors import TransientError
from orchestrator.ports import ReviewPost

JOB = review_job()
LINK = "https://github.example/o/r/pull/42#pullrequestreview-1"
NOTE = "*The agent did not give its answer in the form it was asked for; here it is as it was written.*"


@pytest.fixture
def world() -> Pipeline:
    made = Pipeline(catalogue=catalogue(code_review()))
    made.tracker.add(issue(labels=frozenset({PROCESSING_LABEL})))
    made.pull_requests.lines = {"shop/cart.py": dict.fromkeys((7, 8), "price = 1")}
    return made


def _store(world: Pipeline, result: JobResult, of: Job = JOB) -> None:
    world.artifacts.put(brief_key(of), brief().model_dump_json().encode())
    world.artifacts.put(result_key(of.job_id), result.model_dump_json().encode())


def _posted(world: Pipeline, result: JobResult, **options: Any) -> ReviewPost:
    _store(world, result)
    world.publish(JOB, **options)
    (post,) = world.pull_requests.reviews
    return post


def _words(review: Review) -> str:
    return "\n\n".join(passage.markdown for passage in review.body)


def _told(world: Pipeline) -> str:
    return world.tracker.texts("DEMO-1")[-1]


def test_a_review_is_posted_at_the_head_the_agent_saw_and_the_ticket_gets_counts_and_link(
    world: Pipeline,
) -> None:
    post = _posted(world, review_result(finding(), finding(title="B", severity="low")))
    assert (post.job, post.number, post.head_sha, post.request_changes) == (JOB, 42, "b" * 40, False)
    assert _told(world).startswith(f"## CODE REVIEW\n\n**Review:** <{LINK}>\n\n")
    assert "**Findings:** 1 high, 1 low" in _told(world)
    assert "Ten pieces are eleven" not in _told(world)


def test_a_finding_stands_beside_its_line_and_one_outside_the_diff_in_the_body(world: Pipeline) -> None:
    review = _posted(world, review_result(finding(), finding(title="Elsewhere", line=900))).review
    assert [(one.path, one.line) for one in review.comments] == [("shop/cart.py", 7)]
    assert [one.markdown for one in review.body[:2]] == [
        "## CODE REVIEW",
        "Ticket: [DEMO-1](https://example.atlassian.net/browse/DEMO-1)",
    ]
    assert "`shop/cart.py` line 900\n\n**high**: Elsewhere" in _words(review)
    assert "Off by one" not in _words(review)


def test_a_second_review_repeats_nothing_that_stands_there(world: Pipeline) -> None:
    _posted(world, review_result(finding(), finding(title="Elsewhere", line=900)))
    later = review_job(job_id="DEMO-1-code_review-later")
    found = (finding(), finding(title="Elsewhere", line=900), finding(title="New"))
    _store(world, review_result(*found), later)
    world.tracker.claim(later, frozenset())
    world.publish(later)
    review = world.pull_requests.reviews[-1].review
    assert [one.passage.markdown.partition("\n")[0] for one in review.comments] == ["**high**: New"]
    assert "2 more finding(s) of this review stand on the pull request already." in _words(review)
    assert "Elsewhere" not in _words(review)


@pytest.mark.parametrize("may", [True, False])
@pytest.mark.parametrize("verdict", ["request_changes", "comment", "approve", None, ["request_changes"]])
def test_changes_are_requested_only_if_both_the_settings_and_the_verdict_say_so(
    world: Pipeline, may: bool, verdict: object
) -> None:
    report = {"verdict": verdict, "summary": "No.", "findings": []}
    post = _posted(world, review_result(report=report), may_request_changes=may)
    assert post.request_changes is (may and verdict == "request_changes")


@pytest.mark.parametrize(
    ("path", "may_be_applied"), [("shop/cart.py", True), (".github/workflows/ci.yml", False)]
)
def test_no_replacement_on_a_protected_path_is_offered_for_one_click(
    world: Pipeline, path: str, may_be_applied: bool
) -> None:
    world.pull_requests.lines = {path: {7: "a"}}
    (comment,) = _posted(world, review_result(finding(path=path, suggestion="b"))).review.comments
    assert (comment.passage.replacement, comment.passage.is_applicable) == ("b", may_be_applied)


def test_words_instead_of_a_report_are_the_review_and_both_sides_are_told(world: Pipeline) -> None:
    post = _posted(world, review_result(report=None, text="It counts from eleven."), may_request_changes=True)
    assert f"{NOTE}\n\nIt counts from eleven." in _words(post.review)
    assert (post.review.comments, post.request_changes) == ((), False)
    assert f"{NOTE}\n\nIt counts from eleven." in _told(world)


def test_a_report_with_half_findings_posts_the_whole_ones(world: Pipeline) -> None:
    review = _posted(world, review_result({"path": "shop/cart.py"}, None, finding())).review
    assert len(review.comments) == 1
    assert "**Findings:** 1 high" in _told(world)


@pytest.mark.parametrize("call", ["review_ground", "post_review"])
def test_what_may_work_later_is_left_to_the_queue(world: Pipeline, call: str) -> None:
    _store(world, review_result())
    world.pull_requests.faults.plan(call, TransientError("GitHub did not answer."))
    with pytest.raises(TransientError):
        world.publish(JOB)
    assert world.tracker.own == {}
    world.publish(JOB, 2)
    assert f"<{LINK}>" in _told(world)


@pytest.mark.parametrize("call", ["comment", "release"])
def test_a_second_delivery_finds_the_review_of_the_first(world: Pipeline, call: str) -> None:
    _store(world, review_result())
    world.tracker.faults.plan(call, TransientError("Jira did not answer."))
    with pytest.raises(TransientError):
        world.publish(JOB)
    world.publish(JOB, 2)
    assert len(world.pull_requests.reviews) == 1
    assert len(world.tracker.texts("DEMO-1")) == 1
    assert f"<{LINK}>" in _told(world)


def test_a_result_that_does_not_say_what_it_reviews_is_told(world: Pipeline) -> None:
    _store(world, review_result(subject=None))
    world.publish(JOB)
    assert "The stored result does not say which pull request it reviews." in _told(world)
    assert world.pull_requests.reviews == []


def test_a_review_is_a_latest_result_too(world: Pipeline) -> None:
    _posted(world, review_result())
    latest = unsigned(world.tracker.issues["DEMO-1"]).latest
    assert latest == {"code_review": PastResult(job_id=JOB.job_id, comment_id="1")}
