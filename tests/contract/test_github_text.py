"""Titles, which are commits' first lines too, and code: what GitHub and bots act upon is broken in both."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.github_text import guard_block, guard_span, plain_line

BREAK = "\u200b"


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("fix: closes #12 [DEMO-1]", "fix: closes #|12 [DEMO-1]"),
        ("fix: tell `@team` [DEMO-1]", "fix: tell `@|team` [DEMO-1]"),
        ("fix: _@octocat_ é@octocat /@octocat", "fix: _@|octocat_ é@|octocat /@|octocat"),
        ("fix: https://github.com/o/r/issues/1 fails", "fi|x: https://github.com/o/r/issues/1 fails"),
        ("fix: o/r#3, GH-12 and gh-12", "fix: o/r#|3, GH-|12 and gh-|12"),
        ("fix: DEMO-2 #close #time 2d", "fix: DEMO-2 #|close #|time 2d"),
        ("fix: a [skip ci] [ci skip] [no ci]", "fix: a [|skip ci] [|ci skip] [|no ci]"),
        ("fix: [skip actions] [actions skip]", "fix: [|skip actions] [|actions skip]"),
        ("fix: ***NO_CI*** skip-checks: true", "fix: ***NO_|CI*** skip-|checks: true"),
        ("/approve", "|/approve"),
        ("bors r+", "|bors r+"),
        ("two\nlines", "two lines"),
        (
            "fix: mail a@b.example, 100 % of 5 @ 3, issue 12",
            "fix: mail a@b.example, 100 % of 5 @ 3, issue 12",
        ),
    ],
)
def test_a_title_acts_upon_nothing(title: str, written: str) -> None:
    assert plain_line(title, 256).replace(BREAK, "|") == written


@pytest.mark.parametrize("word", ["@a", "word ", "#1 "])
def test_a_long_title_is_cut_and_keeps_the_tickets_key(word: str) -> None:
    line = plain_line(f"fix: {(word * 240)[:225]} [DEMO-1]", 256)
    assert len(line) <= 256
    assert line.endswith(" [DEMO-1]")


@given(st.text(st.sampled_from("ab @#1\n`[]/!")), st.integers(100, 300))
def test_a_title_is_one_line_within_its_limit(title: str, limit: int) -> None:
    line = plain_line(title, limit)
    assert len(line) <= limit
    assert "\n" not in line


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("/ok-to-test", "\\/ok-to-test"),
        ("x\n  /approve now", "x\n  \\/approve now"),
        ("bors r+", "\\bors r+"),
        ("@dependabot merge", "@\\dependabot merge"),
        ("# [skip ci]", "# [\\skip ci]"),
        ("# closes #12", "# closes \\#12"),
        ("skip-checks: true", "skip-\\checks: true"),
        ("<!-- alm-finding: 0 -->", "<!\\-- alm-finding: 0 -->"),
        ("<!-- ALM-Job: x -->", "<!\\-- ALM-Job: x -->"),
    ],
)
def test_what_bots_act_upon_in_code_is_broken_where_it_can_be_seen(code: str, shown: str) -> None:
    assert guard_block(code) == shown


@pytest.mark.parametrize(
    "code",
    [
        "@app.route('/users')\ndef f(): ...  # 1",
        "/usr/bin/env python\n/* comment */\n// comment\n/re/.test(x)",
        ".then(x)\n!important\nmerge(a, b)\nrebase()",
        "pip --skip-checks\nNO_CI=1\nlist[0]",
        "@Test\n@Override public void f()",
    ],
)
def test_ordinary_code_is_not_changed(code: str) -> None:
    assert guard_block(code) == code


def test_code_within_a_line_begins_no_line() -> None:
    assert guard_span("/users") == "/users"


@pytest.mark.parametrize(
    "word", ["fix ", "@", "[", "[skip ", "GH-", "closes a/", "/a\n", " ", "#1", "skip-checks: "]
)
def test_time_grows_with_the_length(word: str) -> None:
    text = word * (200_000 // len(word))
    started = time.process_time()
    guard_block(text)
    plain_line(text, 300_000)
    assert time.process_time() - started < 10
