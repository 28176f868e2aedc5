"""What goes to GitHub as Markdown, judged by GitHub's own renderer: nothing in it acts, and all of it can be read."""

import html
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.github_judge import judge, rendered, shown
from tests.contract.hostile_markdown import ACTS, FAMILIES, FRAGMENTS, HARMLESS
from tests.contract.markdown_corpus import BLOCKS, LISTS, MARKS, PLAIN, SAMPLES, Sample

from orchestrator.adapters.github_markdown import CUT, document, write_markdown, write_passage
from orchestrator.domain.review import Passage

BREAK = "\u200b"


@pytest.mark.parametrize("markdown", ACTS)
def test_what_would_act_on_github_arrives_harmless(markdown: str) -> None:
    assert judge(write_markdown(markdown)) == []


@pytest.mark.parametrize("markdown", [text for text in ACTS if judge(text)])
def test_the_judge_finds_what_would_act(markdown: str) -> None:
    assert judge(markdown) != []


def test_the_judge_finds_nearly_all_of_the_table() -> None:
    assert len([text for text in ACTS if not judge(text)]) <= 10


@pytest.mark.parametrize("markdown", HARMLESS)
def test_what_does_not_act_is_not_changed_for_the_reader(markdown: str) -> None:
    assert rendered(write_markdown(markdown)) == rendered(markdown)


HOSTILE = st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join)


@given(HOSTILE)
@settings(max_examples=600, deadline=None)
def test_nothing_acts_whatever_the_text_is_put_together_from(markdown: str) -> None:
    assert judge(write_markdown(markdown)) == []


@given(st.text("@#a1 \n*_`~<>[]()!\\/&;|-+.:$", max_size=80))
@settings(max_examples=600, deadline=None)
def test_nothing_acts_whatever_signs_the_text_is_made_of(markdown: str) -> None:
    assert judge(write_markdown(markdown)) == []


@given(st.text("abcdeé @{}<>/ \n*_#>-+.!\\", max_size=200))
@settings(max_examples=300, deadline=None)
def test_every_letter_of_any_text_can_be_read_in_order(markdown: str) -> None:
    assert [c for c in shown(write_markdown(markdown)) if c.isalpha()] == [c for c in markdown if c.isalpha()]


# What these lose on purpose: invisible characters, link titles, images, addresses that are no web addresses.
CHANGED = {
    *(
        "right to left",
        "zero width",
        "control characters",
        "lone surrogate",
        "very long line",
        "very long word",
    ),
    *(
        "deep list",
        "deep list on one line",
        "deep quotes",
        "empty quote",
        "table with image",
        "strike",
        "footnote",
    ),
}
INTACT = [sample for sample in (*PLAIN, *MARKS, *LISTS, *BLOCKS) if sample.name not in CHANGED]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_no_sample_acts(sample: Sample) -> None:
    assert judge(write_markdown(sample.markdown)) == []


@pytest.mark.parametrize("sample", INTACT, ids=lambda sample: sample.name)
def test_honest_formatting_arrives_as_github_would_show_it(sample: Sample) -> None:
    assert _look(write_markdown(sample.markdown)) == _look(sample.markdown)


def _look(markdown: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(rendered(markdown).replace(BREAK, "")))


@pytest.mark.parametrize("sample", INTACT, ids=lambda sample: sample.name)
def test_what_was_written_reads_the_same_when_it_is_written_again(sample: Sample) -> None:
    once = write_markdown(sample.markdown).replace(BREAK, "")
    assert write_markdown(once).replace(BREAK, "") == once


@pytest.mark.parametrize(
    ("markdown", "written"),
    [
        ("[bank.example](https://evil.example/)", "bank.example (<https://evil.example/>)"),
        ("[https://a.example](https://b.example)", "<https://a.example> (<https://b.example>)"),
        ("[a.example](https://a.example.evil.example)", "a.example (<https://a.example.evil.example>)"),
        ("[a.example/x](https://a.example/x/y)", "[a.example/x](<https://a.example/x/y>)"),
        ("[the docs](https://a.example)", "[the docs](<https://a.example>)"),
        ("[x](javascript:alert(1))", "\\[x\\](javascript:alert(1))"),
        ("[up](../a.py)", "up (../a.py)"),
        ("![chart](https://x.example/c.png)", "chart (<https://x.example/c.png>)"),
        ("a <b>c</b>", "a &lt;b>c&lt;/b>"),
        ("@bob, #12", f"@{BREAK}bob, #{BREAK}12"),
        ("/approve", f"{BREAK}/approve"),
        ("```\n/approve\n```", "```\n\\/approve\n```"),
        ("[skip ci]", f"\\[{BREAK}skip ci\\]"),
        ("```mermaid\na\n```", "```\na\n```"),
        ("```py x\na\n```", "```py\na\n```"),
    ],
)
def test_what_is_written_instead(markdown: str, written: str) -> None:
    assert write_markdown(markdown) == written


def test_an_unclosed_fence_ends_with_its_passage() -> None:
    text = document([Passage(markdown="```\nopen"), Passage(markdown="after")], "<!-- mark -->")
    assert text == "```\nopen\n```\n\nafter\n\n<!-- mark -->"


@pytest.mark.parametrize(
    "word", ["word ", "<", "@a", "/a\n", "&a", "> > > > a\nb\n", "```\n[skip ci]\n```\n"]
)
def test_a_long_text_is_cut_to_what_github_takes_and_says_so(word: str) -> None:
    passages = [Passage(markdown="first"), Passage(markdown=word * 40_000), Passage(markdown="last")]
    text = document(passages, "<!-- mark -->")
    assert len(text) <= 65_536
    assert text.startswith("first\n\n")
    assert text.endswith(f"{CUT}\n\nlast\n\n<!-- mark -->")
    assert judge(text) == ["comment  mark "]


def test_passages_beyond_what_github_takes_are_left_out_from_the_end() -> None:
    text = document([Passage(markdown="word " * 5_000)] * 6, "<!-- mark -->")
    assert 40_000 < len(text) <= 65_536
    assert text.endswith(f"{CUT}\n\n<!-- mark -->")


@pytest.mark.parametrize(
    ("replacement", "is_applicable", "info"),
    [
        ("x = 1", True, "suggestion"),
        ("x = 1", False, ""),
        ("x\u202e = 1", True, ""),
        ("/ok-to-test", True, ""),
        ("# [skip ci]", True, ""),
        ("<!-- alm-finding: 0123456789abcdef -->", True, ""),
    ],
)
def test_a_replacement_is_applied_by_one_click_only_if_it_is_what_it_looks_like(
    replacement: str, is_applicable: bool, info: str
) -> None:
    passage = Passage(
        markdown="m", replacement=replacement, is_applicable=is_applicable, fingerprint="0" * 32
    )
    text = write_passage(passage, 65_536)
    assert text.startswith(f"m\n\n```{info}\n")
    assert text.endswith(f"\n```\n\n<!-- alm-finding: {'0' * 32} -->")
    assert "\u202e" not in text


@pytest.mark.parametrize("longest", [3, 4, 50])
def test_a_replacement_cannot_close_its_own_fence(longest: int) -> None:
    inner, fence = "`" * longest, "`" * (longest + 1)
    code = f"a\n{inner}\n@team\n{inner}"
    text = write_passage(Passage(markdown="m", replacement=code, is_applicable=True), 65_536)
    assert text == f"m\n\n{fence}suggestion\n{code}\n{fence}"


@pytest.mark.parametrize("family", FAMILIES)
def test_time_grows_with_the_length_of_the_text(family: str) -> None:
    def seconds(size: int) -> float:
        started = time.process_time()
        write_markdown(FAMILIES[family](size))
        return time.process_time() - started

    # Four times the length takes four times the time, sixteen times where it grows with the square.
    short, long = min(seconds(8_000) for _ in range(3)), seconds(32_000)
    assert long < max(12 * short, 3)
