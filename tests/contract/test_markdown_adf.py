"""Markdown to ADF against Atlassian's own schema, with a corpus and with anything hypothesis finds."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, ValidationError
from jsonschema.validators import extend
from tests.contract.contract_files import document, missing
from tests.contract.markdown_corpus import EXTENSIONS, HTML, SAMPLES, Sample

from orchestrator.adapters.markdown_adf import as_code_block, only_plain, to_adf
from orchestrator.domain.adf import text_length

BLOCKS = {
    "doc", "paragraph", "heading", "bulletList", "orderedList", "listItem", "taskList", "taskItem",
    "codeBlock", "blockquote", "rule", "table", "tableRow", "tableCell", "tableHeader",
}  # fmt: skip
ALLOWED = BLOCKS | {"text", "hardBreak"}
MARKS = {"strong", "em", "strike", "code", "link"}
BY_NAME = {sample.name: sample for sample in SAMPLES}

Check = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def valid() -> Check:
    schema = document("adf-v1.json")
    if schema is None:
        pytest.skip(missing("adf-v1.json"))
    validator = _by_type(schema)
    return lambda document: validator.validate(json.loads(json.dumps(document)))


def _by_type(schema: dict[str, Any]) -> Any:
    """A validator that skips the alternatives for other node types: plain anyOf takes exponential time."""

    def types(part: dict[str, Any]) -> set[str]:
        if "$ref" in part:
            return types(schema["definitions"][part["$ref"].rpartition("/")[2]])
        found = set(part.get("properties", {}).get("type", {}).get("enum", ()))
        return found.union(*map(types, part.get("allOf", ())))

    def any_of(validator: Any, parts: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
        kind = instance.get("type") if isinstance(instance, dict) else None
        likely = [part for part in parts if not types(part) or kind in types(part)]
        if not any(not list(validator.descend(instance, part)) for part in likely):
            yield ValidationError(f"{kind} is not valid under any of its schemas")

    return extend(Draft4Validator, {"anyOf": any_of})(schema)  # type: ignore[no-untyped-call]


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("content", ()):
        yield from _nodes(child)


def _visible(document: dict[str, Any]) -> str:
    return "".join(node.get("text", "\n" if node["type"] in BLOCKS else "") for node in _nodes(document))


def _kinds(markdown: str) -> set[str]:
    return {node["type"] for node in _nodes(to_adf(markdown))}


def _links(markdown: str) -> list[str]:
    marks = [mark for node in _nodes(to_adf(markdown)) for mark in node.get("marks", ())]
    return [mark["attrs"]["href"] for mark in marks if mark["type"] == "link"]


def test_the_check_itself_refuses_what_the_schema_refuses(valid: Check) -> None:
    heading = {"type": "heading", "attrs": {"level": 1}, "content": []}
    item = {"type": "listItem", "content": [heading]}
    with pytest.raises(ValidationError):
        valid({"type": "doc", "version": 1, "content": [{"type": "bulletList", "content": [item]}]})


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_sample_is_valid_plain_and_still_readable(sample: Sample, valid: Check) -> None:
    document = to_adf(sample.markdown)
    valid(document)
    assert {node["type"] for node in _nodes(document)} <= ALLOWED
    assert {mark["type"] for node in _nodes(document) for mark in node.get("marks", ())} <= MARKS
    assert [text for text in sample.keeps if text not in _visible(document)] == []


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_links_lead_only_to_web_and_mail_addresses(sample: Sample) -> None:
    assert all(
        href.lower().startswith(("https://", "http://", "mailto:")) for href in _links(sample.markdown)
    )


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_sample_can_be_shown_as_code(sample: Sample, valid: Check) -> None:
    valid(as_code_block(sample.markdown))


@pytest.mark.parametrize("sample", [*HTML, *EXTENSIONS], ids=lambda sample: sample.name)
def test_html_and_library_extensions_come_out_as_text(sample: Sample) -> None:
    assert _kinds(sample.markdown) <= BLOCKS | {"text"}


def test_formatting_arrives() -> None:
    markdown = "# T\n\n- a\n\n1. b\n\n- [x] c\n\n> d\n\n```py\ne\n```\n\n---\n\n|f|\n|-|\n|g|\n\nh  \ni"
    assert _kinds(markdown) == ALLOWED


def test_marks_arrive_in_one_order_and_code_keeps_only_its_link() -> None:
    content = to_adf("[***~~a~~***](https://x.example) **`b`** [`c`](https://y.example)")["content"][0][
        "content"
    ]
    kinds = {node["text"]: [mark["type"] for mark in node.get("marks", ())] for node in content}
    assert kinds == {"a": ["strong", "em", "strike", "link"], " ": [], "b": ["code"], "c": ["code", "link"]}


def test_a_fence_keeps_its_language() -> None:
    assert to_adf("```python title=x\nprint()\n```")["content"] == [
        {
            "type": "codeBlock",
            "attrs": {"language": "python"},
            "content": [{"type": "text", "text": "print()"}],
        }
    ]


@pytest.mark.parametrize(
    ("markdown", "shown", "links"),
    [
        ("![chart](https://x.example/c.png)", "chart (https://x.example/c.png)", ["https://x.example/c.png"]),
        ("![](https://x.example/c.png)", "https://x.example/c.png", ["https://x.example/c.png"]),
        (
            "[![badge](https://x.example/b.svg)](https://x.example)",
            "badge (https://x.example/b.svg) (https://x.example)",
            ["https://x.example/b.svg", "https://x.example"],
        ),
        ("![x](../c.png)", "x (../c.png)", []),
    ],
)
def test_an_image_becomes_a_link_whose_address_is_shown(markdown: str, shown: str, links: list[str]) -> None:
    assert (_visible(to_adf(markdown)).strip(), _links(markdown)) == (shown, links)


def test_a_link_that_shows_another_address_is_replaced_by_both_addresses() -> None:
    document = to_adf("[https://bank.example](https://evil.example)")
    assert _visible(document).strip() == "https://bank.example (https://evil.example)"
    assert _links("[https://bank.example](https://evil.example)") == [
        "https://bank.example",
        "https://evil.example",
    ]


def test_an_entity_cannot_bring_in_what_cannot_be_seen() -> None:
    assert _visible(to_adf("a&#x202e;b&ZeroWidthSpace;c")).strip() == "a<U+202E>b<U+200B>c"


def test_a_bare_address_becomes_a_link_without_the_punctuation_around_it() -> None:
    markdown = "(see https://x.example/a_(b).) or **https://y.example/p?q=1,** `https://code.example`"
    assert _links(markdown) == ["https://x.example/a_(b)", "https://y.example/p?q=1"]


def test_link_definitions_work_but_cannot_hide_text() -> None:
    assert _links("[a][r]\n\n[r]: https://x.example") == ["https://x.example"]
    assert "hidden" in _visible(to_adf("text[^1]\n\n[^1]: hidden"))


def test_task_items_have_ids_that_depend_on_the_text_only() -> None:
    markdown = "- [ ] a\n- [x] b\n  - [ ] c"
    tasks = [node["attrs"] for node in _nodes(to_adf(markdown)) if node["type"].startswith("task")]
    assert to_adf(markdown) == to_adf(markdown)
    assert len({task["localId"] for task in tasks}) == len(tasks) == 5
    assert [task["state"] for task in tasks if "state" in task] == ["TODO", "DONE", "TODO"]


def test_checkboxes_that_are_no_plain_task_list_stay_readable() -> None:
    assert "[x] b" in _visible(to_adf("- [x] b\n- c"))
    assert "[x] b" in _visible(to_adf("> - [x] b"))
    assert "[x] b" in _visible(to_adf("- a\n  - [x] b"))


@pytest.mark.parametrize(
    "markdown",
    ["- " * 2000 + "bottom", ">" * 500 + " bottom", "x" * 50_000, "![" * 10_000 + "bottom", "[a](" * 8000],
    ids=["lists", "quotes", "too long", "images", "links"],
)
def test_what_the_parser_cannot_take_is_still_shown_whole(markdown: str, valid: Check) -> None:
    document = to_adf(markdown)
    valid(document)
    assert _visible(document).strip().endswith(markdown[-6:])


def test_a_code_block_document_shows_refused_characters() -> None:
    text = "a\x00b\ud83dc\x1b[0m\r\nd\ufffee"
    assert _visible(as_code_block(text)).strip() == "a�b�c�[0m\nd�e"
    json.dumps(as_code_block(text)).encode("utf-8")


HOSTILE: tuple[dict[str, Any], ...] = (
    {"type": "mention", "attrs": {"id": "1", "text": "@Ann"}},
    {"type": "status", "attrs": {"text": "Ann", "color": "green"}},
    {"type": "inlineCard", "attrs": {"url": "https://Ann.example"}},
    {"type": "panel", "attrs": {"panelType": "info"}, "content": [{"type": "text", "text": "Ann"}]},
    {"type": "expand", "attrs": {"title": "Ann"}, "content": [{"type": "paragraph"}]},
    {"type": "extension", "attrs": {"extensionKey": "k", "extensionType": "t", "text": "Ann"}},
    {"type": "mediaSingle", "content": [{"type": "media", "attrs": {"url": "https://x", "alt": "Ann"}}]},
    {"type": "layoutSection", "content": [{"type": "layoutColumn", "content": [{"type": "x", "text": "Ann"}]}]},
    {"type": "text", "text": "Ann", "marks": [{"type": "link", "attrs": {"href": "javascript:x"}}]},
    {"type": "text", "text": "Ann", "marks": [{"type": "textColor", "attrs": {"color": "#ff0000"}}, 7]},
)  # fmt: skip


@pytest.mark.parametrize(
    "parent", ["doc", "paragraph", "listItem", "tableCell", "codeBlock", "taskItem", "heading"]
)
@pytest.mark.parametrize("node", HOSTILE, ids=lambda node: str(node["type"]))
def test_only_plain_turns_what_is_not_allowed_into_its_text(
    node: dict[str, Any], parent: str, valid: Check
) -> None:
    document = only_plain({"type": "doc", "content": [{"type": parent, "content": [node]}]})
    valid(document)
    assert {found["type"] for found in _nodes(document)} <= ALLOWED
    assert not [found for found in _nodes(document) if "marks" in found]
    assert "Ann" in _visible(document)


KINDS = st.sampled_from([*sorted(ALLOWED), "panel", "mention", "unheard of"])


def _any_node(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    content = st.lists(inner, max_size=4)
    optional = {"text": inner, "attrs": inner, "marks": inner}
    return content | st.fixed_dictionaries({"type": KINDS, "content": content}, optional=optional)


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)


@given(st.recursive(SCALARS, _any_node, max_leaves=30))
@settings(max_examples=150, deadline=None)
def test_only_plain_makes_any_json_a_valid_document(valid: Check, value: Any) -> None:
    valid(only_plain({"type": "doc", "version": 1, "content": [value]}))


@given(st.text() | st.text("ab1 \t\n*_`~#>-+.|[]()!\\<&;:/=xX'\"", max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_makes_a_valid_document(valid: Check, text: str) -> None:
    valid(to_adf(text))


# Without what Markdown defines as unseen: info strings, addresses, references, surplus table cells.
@given(st.text("abcdeé @{}<>/ \n*_#>-+.!\\", max_size=200))
@settings(max_examples=300, deadline=None)
def test_every_letter_of_any_text_stays_visible_in_order(text: str) -> None:
    assert [c for c in _visible(to_adf(text)) if c.isalpha()] == [c for c in text if c.isalpha()]


WORD = st.text("abcdefg", min_size=1, max_size=6)
BLOCK = st.one_of(
    WORD,
    WORD.map("## {}".format),
    st.lists(WORD, min_size=1).map(lambda words: "\n".join(f"- **{word}**" for word in words)),
    st.lists(WORD, min_size=1).map(lambda words: "\n".join(f"1. [{word}](https://1)" for word in words)),
    st.lists(WORD, min_size=1).map(lambda words: "\n".join(f"- [x] {word}" for word in words)),
    st.lists(WORD, min_size=1).map(lambda words: "|" + "|".join(words) + "|\n" + "|-" * len(words) + "|"),
    WORD.map("```\n{}\n```".format),
    WORD.map("> - # {}".format),
    WORD.map("<b>\n*{}*".format),
)


@given(st.lists(BLOCK))
@settings(max_examples=100, deadline=None)
def test_every_word_of_a_document_stays_visible_in_order(blocks: list[str]) -> None:
    markdown = "\n\n".join(blocks)
    shown = [c for c in _visible(to_adf(markdown)) if c in "abcdefg"]
    hidden = markdown.replace("https", "")
    assert shown == [c for c in hidden if c in "abcdefg"]


def test_the_length_counts_text_and_blocks() -> None:
    assert text_length(to_adf("# ab\n\n- c\n\n`d`")) == 4 + 5
