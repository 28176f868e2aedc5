"""Long comments are cut where a reader would cut them, and nothing is lost."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.comment_text import split_markdown

TABLE = "|name|value|\n|-|-|\n"


def _words(parts: tuple[str, ...]) -> list[str]:
    return [word for part in parts for word in part.split()]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\n" * 500, " \n" * 500])
def test_blank_text_is_one_empty_part(text: str) -> None:
    assert split_markdown(text, 100) == ("",)


def test_short_text_is_one_part_without_the_blank_lines_around_it() -> None:
    assert split_markdown("\n  a\r\n\r\nb\n", 100) == ("  a\n\nb",)


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one character"):
        split_markdown("a", 0)


def test_paragraphs_stay_whole() -> None:
    assert split_markdown("one two\n\nthree four\n\nfive", 20) == ("one two\n\nthree four", "five")


def test_list_items_stay_whole() -> None:
    assert split_markdown("- one\n  more\n- two\n- three", 20) == ("- one\n  more\n- two", "- three")


def test_a_heading_starts_a_block() -> None:
    assert split_markdown("some text here\n## Next\nmore", 16) == ("some text here", "## Next\nmore")


def test_a_nested_item_at_the_start_of_a_part_is_still_an_item() -> None:
    assert split_markdown("- a\n    - bb\n    - cc", 8) == ("- a", "- bb", "- cc")


def test_a_cut_fence_is_closed_and_opened_again_with_its_language() -> None:
    text = "```python\nfirst = 1\nsecond = 2\nthird = 3\n```\n\nafter"
    assert split_markdown(text, 36) == (
        "```python\nfirst = 1\nsecond = 2\n```",
        "```python\nthird = 3\n```\n\nafter",
    )


def test_a_fence_that_fits_is_not_cut() -> None:
    fence = "~~~\na\n\nb\n~~~"
    assert split_markdown(f"some words before\n\n{fence}", 20) == ("some words before", fence)


def test_a_fence_in_a_list_closes_within_its_item() -> None:
    parts = split_markdown("1. ```sh\n   " + "make x\n   " * 9 + "```", 60)
    assert parts[0].startswith("1. ```sh\n   make x")
    assert parts[0].endswith("\n   ```")
    assert all(part.startswith("```sh\n") and part.endswith("\n```") for part in parts[1:])


def test_backticks_that_a_cut_leaves_alone_on_a_line_do_not_close_the_fence() -> None:
    parts = split_markdown("```\n" + "word " * 20 + "```` end\n```", 60)
    assert all(part.startswith("`````\n") and part.endswith("\n`````") for part in parts)


def test_a_fence_that_is_never_closed_is_closed_when_cut() -> None:
    assert split_markdown("```\naaaa\nbbbb\ncccc\ndddd", 19) == (
        "```\naaaa\nbbbb\n```",
        "```\ncccc\ndddd\n```",
    )


def test_a_cut_table_repeats_its_header() -> None:
    parts = split_markdown(TABLE + "|aaaa|1111|\n|bbbb|2222|\n|cccc|3333|\n\nafter", 50)
    assert parts == (f"{TABLE}|aaaa|1111|\n|bbbb|2222|", f"{TABLE}|cccc|3333|\n\nafter")


def test_a_long_line_is_cut_at_a_space_and_a_long_word_anywhere() -> None:
    assert split_markdown("aaa bbb ccc", 8) == ("aaa bbb ", "ccc")
    assert split_markdown("aaaaabbbbbcc", 5) == ("aaaaa", "bbbbb", "cc")


def test_frames_that_would_fill_most_of_a_part_are_not_repeated() -> None:
    parts = split_markdown(f"```{'x' * 40}\n{'code ' * 20}\n```", 50)
    assert len(parts) < 5


@pytest.mark.parametrize("line", ["x", "```\n", "| a |\n", "- [ ] a\n", "\n", "> a\n", "|a|\n|-|\n"])
def test_a_long_text_is_cut_in_time_that_grows_with_its_length(line: str) -> None:
    text = line * (100_000 // len(line))
    start = time.perf_counter()
    assert all(len(part) <= 30_000 for part in split_markdown(text, 30_000))
    assert time.perf_counter() - start < 2


ANY = st.text() | st.text("ab \n`~|-#1.*>\t", max_size=300)


@given(ANY, st.integers(1, 60))
@settings(deadline=None)
def test_every_part_keeps_the_limit(text: str, limit: int) -> None:
    parts = split_markdown(text, limit)
    assert parts
    assert all(len(part) <= limit for part in parts)
    assert parts == ("",) or all(part.strip() for part in parts)


@given(ANY, st.integers(1, 60))
@settings(deadline=None)
def test_every_visible_character_is_kept_in_order(text: str, limit: int) -> None:
    left = iter("".join(split_markdown(text, limit)))
    assert all(character in left for character in text if not character.isspace())


PROSE = st.lists(st.text("abc", min_size=1, max_size=9).map("- {} end.\n\nnext".format))


@given(PROSE, st.integers(10, 60))
@settings(deadline=None)
def test_without_fences_and_tables_nothing_is_added(paragraphs: list[str], limit: int) -> None:
    text = "\n\n".join(paragraphs)
    assert "".join(_words(split_markdown(text, limit))) == "".join(text.split())
