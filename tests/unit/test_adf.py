"""What people write in Jira arrives in the prompt as Markdown, whatever shape it is in."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.adf import text_length, to_markdown


def text(words: str, *marks: str, href: str = "") -> dict[str, Any]:
    link = [{"type": "link", "attrs": {"href": href}}] if href else []
    return {"type": "text", "text": words, "marks": [*({"type": mark} for mark in marks), *link]}


def node(kind: str, *content: Any, **attrs: Any) -> dict[str, Any]:
    words = [text(part) if isinstance(part, str) else part for part in content]
    return {"type": kind, "attrs": attrs, "content": words}


def para(*content: Any) -> dict[str, Any]:
    return node("paragraph", *content)


def item(*content: Any) -> dict[str, Any]:
    return node("listItem", *(para(part) if isinstance(part, str) else part for part in content))


def row(kind: str, *cells: Any) -> dict[str, Any]:
    return node("tableRow", *(node(kind, para(cell) if isinstance(cell, str) else cell) for cell in cells))


def markdown(*blocks: dict[str, Any]) -> str:
    return to_markdown({"type": "doc", "version": 1, "content": list(blocks)})


def test_nothing_is_empty_and_a_string_is_taken_as_it_is() -> None:
    assert to_markdown(None) == ""
    assert to_markdown({}) == ""
    assert to_markdown("*as* {it} is\n") == "*as* {it} is\n"


def test_blocks_are_set_apart_by_blank_lines() -> None:
    blocks = (node("heading", "Title", level=2), para("one"), para(), node("rule"), para("two"))
    assert markdown(*blocks) == "## Title\n\none\n\n---\n\ntwo"


def test_marks() -> None:
    parts = (
        text("s", "strong"), text(" "), text("e", "em"), text(" "), text("x", "strike"), text(" "),
        text("b", "strong", "em"), text(" "), text("c`d", "code"), text(" "), text("u", "underline"),
    )  # fmt: skip
    assert markdown(para(*parts)) == "**s** *e* ~~x~~ ***b*** ``c`d`` u"


def test_neighbours_with_equal_marks_are_one_run_and_marks_touch_the_words() -> None:
    assert markdown(para(text("a", "strong"), text("b ", "strong"), text("c"))) == "**ab** c"
    assert markdown(para(text("x", "code"), text(" ", "strong"), text("y"))) == "`x` y"


def test_links() -> None:
    linked = para(
        text("doc", href="https://x.example/a"),
        text(" "),
        text("https://y.example", href="https://y.example"),
    )
    assert markdown(linked) == "[doc](https://x.example/a) https://y.example"
    assert (
        markdown(para(text("odd", "strong", href="https://x.example/a (b)")))
        == "[**odd**](<https://x.example/a (b)>)"
    )


def test_nested_lists() -> None:
    inner = node("orderedList", item("b"), item("c", para("more")), order=3)
    assert (
        markdown(node("bulletList", item("a", inner), item("d"))) == "- a\n  3. b\n  4. c\n\n     more\n- d"
    )


def test_task_and_decision_lists() -> None:
    nested = node("taskList", node("taskItem", "b", state="DONE"))
    tasks = node(
        "taskList",
        node("taskItem", "a", state="TODO"),
        nested,
        node("blockTaskItem", para("c"), state="TODO"),
    )
    decisions = node("decisionList", node("decisionItem", "go", state="DECIDED"))
    assert markdown(tasks) == "- [ ] a\n  - [x] b\n- [ ] c"
    assert markdown(decisions) == "- Decision: go"


def test_a_code_block_has_its_language_and_a_fence_longer_than_its_backticks() -> None:
    assert markdown(node("codeBlock", "a\n  b", language="python")) == "```python\na\n  b\n```"
    assert markdown(node("codeBlock", "````\nx")) == "`````\n````\nx\n`````"
    assert markdown(node("codeBlock", "x", language="a`b\nc")).startswith("```abc\n")


def test_code_in_a_list_is_indented_with_it() -> None:
    listed = node("bulletList", item("run", node("codeBlock", "make\n\ntest")))
    assert markdown(listed) == "- run\n\n  ```\n  make\n\n  test\n  ```"


def test_tables() -> None:
    code = node("tableCell", para(text("x|y", "code")), node("bulletList", item("p"), item("q")))
    table = node(
        "table", row("tableHeader", "A", "B"), node("tableRow", code, node("tableCell", para("1|2")))
    )
    assert markdown(table) == "| A | B |\n| --- | --- |\n| `x\\|y`<br>- p<br>- q | 1\\|2 |"


def test_a_table_without_header_gets_an_empty_one() -> None:
    assert markdown(node("table", row("tableCell", "a"), row("tableCell", "b", "c"))) == (
        "|  |  |\n| --- | --- |\n| a |\n| b | c |"
    )


def test_quotes_panels_and_expands() -> None:
    assert markdown(node("blockquote", para("a"), para("b"))) == "> a\n> \n> b"
    assert markdown(node("panel", para("a"), panelType="warning")) == "> [!WARNING]\n> a"
    assert markdown(node("panel", para("a"), panelType="]\n# x")) == "> [!NOTE]\n> a"
    assert markdown(node("expand", para("a"), title="More")) == "**More**\n\na"


@pytest.mark.parametrize(
    ("inline", "shown"),
    [
        (node("mention", id="5", text="@Ann Lee"), "@Ann Lee"),
        (node("mention", id="5", text="Ann"), "@Ann"),
        (node("mention", id="5"), "@5"),
        (node("emoji", shortName=":tada:", text="🎉"), "🎉"),
        (node("emoji", shortName=":own:"), ":own:"),
        (node("date", timestamp="1700000000000"), "2023-11-14"),
        (node("date", timestamp=1700000000000), "2023-11-14"),
        (node("date", timestamp="soon"), "soon"),
        (node("date", timestamp="9" * 40), "9" * 40),
        (node("status", text="DONE", color="green"), "[DONE]"),
        (node("inlineCard", url="https://x.example"), "https://x.example"),
        (node("inlineCard", data={"url": "https://y.example"}), "https://y.example"),
        (node("mediaInline", id="f1", alt="plan"), "[image: plan]"),
        (node("hardBreak"), "  \n"),
        (node("placeholder", text="type here"), "type here"),
        (node("inlineExtension", text="macro"), "macro"),
        (node("unheard", "of"), "of"),
    ],
)  # fmt: skip
def test_inline_nodes(inline: dict[str, Any], shown: str) -> None:
    assert markdown(para("a", inline, "b")) == f"a{shown}b"


def test_cards_media_and_captions_on_their_own() -> None:
    media = node("mediaSingle", node("media", id="f1", fileName="a.png"), node("caption", "shown"))
    assert markdown(media) == "[image: a.png]\n\nshown"
    assert (
        markdown(node("mediaGroup", node("media", id="f1"), node("media", url="u")))
        == "[image: f1]\n\n[image: u]"
    )
    assert markdown(node("blockCard", url="https://x.example")) == "https://x.example"
    assert markdown(node("embedCard", url="https://x.example")) == "https://x.example"


def test_unknown_nodes_give_their_text() -> None:
    layout = node("layoutSection", node("layoutColumn", para("a")), node("layoutColumn", para("b")))
    assert (
        markdown(layout, node("bodiedExtension", para("c")), {"type": "new", "text": "d"})
        == "a\n\nb\n\nc\n\nd"
    )


@pytest.mark.parametrize(
    "words",
    [
        "שלום עולם \u202eabc\u202c", "a\u200bb\u2060c\ufeff", "</ticket></instructions>", "{{ x }} {% y %} {0}",
        "<script>x</script>", "# not a heading **not strong**", "back\\slash `tick`",
    ],
)  # fmt: skip
def test_text_is_data_and_passes_unchanged(words: str) -> None:
    assert markdown(para(words)) == words
    assert words in markdown(node("bulletList", item(words)))


@pytest.mark.parametrize(
    "broken",
    [
        {"content": None}, {"content": "text"}, {"content": [None, 7, "x", [], {}]}, {"type": 5}, {"type": ["a"]},
        {"content": [{"type": "heading", "attrs": {"level": "x"}}]}, {"content": [{"type": "text", "text": 5}]},
        {"content": [{"type": "text", "text": "a", "marks": "strong"}]},
        {"content": [{"type": "text", "text": "a", "marks": [{"type": {}}, 5, {"type": "link"}]}]},
        {"content": [{"type": "text", "text": "a", "marks": [{"type": "link", "attrs": {"href": 5}}]}]},
        {"content": [{"type": "orderedList", "attrs": {"order": 1e300}, "content": [{"type": "listItem"}]}]},
        {"content": [{"type": "table", "content": [{"type": "tableRow"}, 5]}]},
        {"content": [{"type": "table", "content": [{"type": "text", "text": "x"}]}]},
        {"content": [{"type": "date", "attrs": {"timestamp": []}}, {"type": "mention", "attrs": []}]},
    ],
)  # fmt: skip
def test_malformed_documents_raise_nothing(broken: Any) -> None:
    assert isinstance(to_markdown(broken), str)
    assert text_length(broken) >= 0


def _any_node(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.sampled_from(["type", "text", "attrs", "marks", "content", "level", "order"])
    kinds = st.sampled_from(["table", "bulletList", "listItem", "tableRow", "heading", "text"])
    return st.lists(inner, max_size=4) | st.dictionaries(keys, inner) | st.builds(node, kinds, inner)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@given(st.recursive(SCALARS, _any_node, max_leaves=20))
@settings(deadline=None, max_examples=40)
def test_no_json_raises(value: Any) -> None:
    assert isinstance(to_markdown(value), str)


@pytest.mark.parametrize(
    "kind", ["bulletList", "listItem", "blockquote", "paragraph", "table", "unheard", "expand"]
)
def test_nesting_thousands_deep_keeps_the_text(kind: str) -> None:
    deep: dict[str, Any] = para("bottom")
    for _ in range(5000):
        deep = node(kind, deep)
    assert "bottom" in markdown(deep)
    assert text_length(deep) == len("bottom") + 5001


def test_a_large_document_takes_no_more_than_a_moment() -> None:
    wide = [para("word " * 10) for _ in range(2_000)]
    deep: dict[str, Any] = node("codeBlock", "a\n" * 50_000)
    for _ in range(100):
        deep = node("bulletList", node("listItem", node("blockquote", deep)))
    table = node("table", *(row("tableCell", *["a|b"] * 10) for _ in range(200)))
    start = time.perf_counter()
    assert all(markdown(*blocks) for blocks in (wide, [deep], [table], [para(" " * 10**6 + "x")]))
    assert time.perf_counter() - start < 2


def test_the_length_is_all_text_and_one_per_block() -> None:
    document = node("doc", para("abc", node("mention", text="@Ann")), node("bulletList", item("de")))
    assert text_length(document) == 5 + 4
