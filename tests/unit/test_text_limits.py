"""Texts are bounded before they are processed, and say where something was cut."""

from typing import Any

from tests.builders import agent_run, cli_result, job_result, verdict

from orchestrator.adapters import jira_parsing
from orchestrator.domain.outcome import JobResult, Outcome
from orchestrator.domain.text_limits import (
    LONGEST_ANSWER,
    LONGEST_COMMENT,
    LONGEST_REASON,
    LONGEST_REPORT,
    LONGEST_REPORT_TEXT,
    LONGEST_TITLE,
    MOST_COMMENTS,
    MOST_REPORT_ITEMS,
    cut,
    cut_report,
)

# A sentence that says what was cut.
SENTENCE = 100


def test_what_fits_stays_as_it_is_and_what_does_not_says_how_much_is_missing() -> None:
    assert cut("abc", 3, "the ticket") == "abc"
    text = "abcdef" * 20
    shortened = cut(text, 60, "the ticket")
    kept, _, note = shortened.partition("\n")
    assert len(shortened) <= 60
    assert text.startswith(kept)
    assert note == f"[cut here: {len(text) - len(kept)} more characters are in the ticket]"
    assert cut(shortened, 60, "the ticket") == shortened


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(_size, inner))


def test_a_text_of_a_report_is_cut_wherever_it_stands() -> None:
    long = "x" * (LONGEST_REPORT_TEXT + 7)
    report = cut_report({"a": long, "b": [{"c": long}], "d": 1})
    assert report is not None
    assert report["a"] == report["b"][0]["c"]
    assert len(report["a"]) <= LONGEST_REPORT_TEXT
    assert report["a"].endswith(" more characters are in the transcript]")
    assert report["d"] == 1


def test_a_list_of_a_report_is_cut_and_says_so() -> None:
    report = cut_report({"findings": ["x"] * (MOST_REPORT_ITEMS + 5)})
    assert report == {
        "findings": ["x"] * MOST_REPORT_ITEMS + ["[cut here: 5 more items are in the transcript]"]
    }


def test_many_texts_of_a_report_share_one_limit() -> None:
    report = cut_report({"findings": ["x" * LONGEST_REPORT_TEXT] * MOST_REPORT_ITEMS})
    assert _size(report) < LONGEST_REPORT + MOST_REPORT_ITEMS * SENTENCE


def test_a_report_that_fits_stays_as_it_is() -> None:
    report = {"a": "x", "b": [1, None, True, {"c": ["y"]}]}
    assert cut_report(report) == report
    assert cut_report(None) is None


def test_what_the_agent_says_is_cut_before_anything_is_made_of_it() -> None:
    long = "x" * (LONGEST_ANSWER + 1)
    assert len(agent_run(result=cli_result(result=long)).text) < LONGEST_ANSWER + SENTENCE
    run = agent_run(result=cli_result(structured_output={"summary": long}))
    assert run.report is not None
    assert len(run.report["summary"]) < LONGEST_REPORT_TEXT + SENTENCE


def test_a_stored_result_is_cut_again_as_if_the_worker_lied() -> None:
    huge = "x" * 1_000_000
    stored = job_result(text=huge, summary=huge, report={"a": [huge]}, verdict=verdict(Outcome.FAILED, huge))
    read = JobResult.read(stored.model_dump_json().encode())
    assert read is not None
    sizes = (len(read.text), len(read.summary), _size(read.report), len(read.verdict.reason))
    limits = (LONGEST_ANSWER, LONGEST_TITLE, LONGEST_REPORT_TEXT, LONGEST_REASON)
    assert all(size < limit + SENTENCE for size, limit in zip(sizes, limits, strict=True))


def test_an_issue_is_read_with_its_newest_comments_and_bounded_texts() -> None:
    comments = [{"id": str(number), "body": "y" * 200_000} for number in range(MOST_COMMENTS + 5)]
    shown = {"comments": comments, "total": len(comments)}
    read = jira_parsing.issue_from(
        {"id": "1", "key": "A-1", "fields": {"summary": "x" * 5_000, "comment": shown}}
    )
    assert [one.id for one in read.comments] == [str(number) for number in range(5, MOST_COMMENTS + 5)]
    assert not read.has_all_comments
    assert len(read.summary) < LONGEST_TITLE + SENTENCE
    assert max(len(one.text) for one in read.comments) < LONGEST_COMMENT + SENTENCE
