"""The words of a pull request: one line of title, and the passages of its body."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import fix, fix_job, fix_result

from orchestrator.domain.comment import pull_request_body, pull_request_title

URL = "https://example.atlassian.net/browse/DEMO-1"


def _title(summary: str) -> str:
    return pull_request_title(fix(), fix_job(), fix_result(summary=summary))


def _body(text: str) -> str:
    return "\n\n".join(pull_request_body(fix(), fix_job(), fix_result(report=None, text=text), URL))


def test_a_title_is_prefix_summary_and_key() -> None:
    assert _title("Ten pieces cost full price") == "fix: Ten pieces cost full price [DEMO-1]"


@pytest.mark.parametrize(
    ("summary", "title"),
    [
        ("two\r\nlines\u2028here", "fix: two lines here [DEMO-1]"),
        ("\u202eevil\u202c", "fix: <U+202E>evil<U+202C> [DEMO-1]"),
        ("עברית", "fix: עברית [DEMO-1]"),
        (" ", "fix: [DEMO-1]"),
        ("", "fix: [DEMO-1]"),
    ],
)
def test_a_title_is_one_line_that_hides_nothing(summary: str, title: str) -> None:
    assert _title(summary) == title


@given(st.text(st.sampled_from("ab @#1\n\u202e\U0001f600`"), max_size=600))
def test_a_title_keeps_its_key_and_githubs_limit(summary: str) -> None:
    title = _title(summary)
    assert title.startswith("fix:")
    assert title.endswith(" [DEMO-1]")
    assert len(title) <= 256
    assert title.isprintable()


def test_a_body_leads_to_the_ticket_and_ends_with_what_it_cost() -> None:
    assert _body("Done.") == (
        f"Ticket: [DEMO-1]({URL})\n\n"
        "*The agent did not give its answer in the form it was asked for; here it is as it was written.*\n\n"
        "Done.\n\n---\n\n"
        "*claude-test-1 · 4 turns · $0.25 · 1 min 1 s · job DEMO-1-fix-ba9876543210*"
    )


def test_an_empty_report_leaves_no_gap() -> None:
    assert f"({URL})\n\n---\n\n" in _body("")


@pytest.mark.parametrize("text", ["word " * 40_000, "@a" * 60_000, "```\n" + "@a #1\n" * 30_000])
def test_a_long_report_is_cut_to_what_github_takes_and_says_so(text: str) -> None:
    told = _body(text)
    assert len(told) <= 65_536
    assert "\n\n*The report is longer: the ticket has all of it.*\n\n---\n\n" in told


def test_what_cannot_be_seen_is_written_out_in_a_body() -> None:
    assert "a<U+202E>b" in _body("a\u202eb")
