"""The words of a pull request: one line of title, and a body that notifies nobody and closes nothing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import fix, fix_job, fix_result

from orchestrator.domain.comment import pull_request_body, pull_request_title
from orchestrator.domain.untrusted import without_references

URL = "https://example.atlassian.net/browse/DEMO-1"
BREAK = "\u200b"


def _title(summary: str) -> str:
    return pull_request_title(fix(), fix_job(), fix_result(summary=summary))


def _body(text: str) -> str:
    return pull_request_body(fix(), fix_job(), fix_result(report=None, text=text), URL)


def _broken(markdown: str) -> str:
    return without_references(markdown).replace(BREAK, "|")


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
    assert title.replace(BREAK, "").isprintable()


@pytest.mark.parametrize(
    ("summary", "title"),
    [
        ("closes #12", "fix: closes #|12 [DEMO-1]"),
        ("tell `@team`", "fix: tell `@|team` [DEMO-1]"),
        ("https://github.com/o/r/issues/1 fails", "fix|: https://github.com/o/r/issues/1 fails [DEMO-1]"),
    ],
)
def test_a_title_is_a_commit_message_too_and_refers_to_nothing(summary: str, title: str) -> None:
    assert _title(summary).replace(BREAK, "|") == title


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


@pytest.mark.parametrize(
    ("markdown", "broken"),
    [
        ("@bob and @org/team", "@|bob and @|org/team"),
        ("(#12) #12", "(#|12) #|12"),
        ("o/r#12 and GH-12, gh-3", "o/r#|12 and GH-|12, gh-|3"),
        ("Fixes https://x/1, closed: <https://x>", "Fix|es https://x/1, clos|ed: <https://x>"),
        ("``` @x #1\ny @z", "``` @|x #|1\ny @|z"),
        ("\\` @team \\`", "\\` @|team \\`"),
        ("    ```\n\n@team\n\n    ```", "    ```\n\n@|team\n\n    ```"),
        ("~~~\n```\n~~~\n@team\n```\n@x\n```", "~~~\n```\n~~~\n@|team\n```\n@x\n```"),
        ("| a ` | @b ` |", "| a ` | @|b ` |"),
        ("```\n@a\n```\n@b", "```\n@a\n```\n@|b"),
    ],
)
def test_a_reference_outside_code_is_broken_up(markdown: str, broken: str) -> None:
    assert _broken(markdown) == broken


@pytest.mark.parametrize(
    "markdown",
    [
        "`@a #1` and ``@b ` #2``",
        "```python\n@app.route('/')  # 1\n#1\n```",
        "~~~~\n@a\n~~~\n#1\n~~~~",
        "- item\n    ```\n    @app\n\n    #1\n    ```",
        "a@b.example, https://x/y#frag, https://x/@y",
        "# Heading\n\n- fixes the cart\n- 100 % of #",
        "",
    ],
)
def test_code_links_and_plain_words_stay_as_they_are(markdown: str) -> None:
    assert without_references(markdown) == markdown


@given(st.text(st.sampled_from("`~@#a1 \n\\|-")))
def test_breaking_up_adds_breaks_and_changes_nothing_else(markdown: str) -> None:
    assert without_references(markdown).replace(BREAK, "") == markdown


@pytest.mark.parametrize(
    "text",
    [
        "`" * 40_000,
        "```\n" * 10_000,
        "` a" * 13_000,
        "```\n" + "\n" * 40_000,
        "   ```\n \n" * 5_000,
        "fix " * 10_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    without_references(text)
    assert time.process_time() - started < 1
