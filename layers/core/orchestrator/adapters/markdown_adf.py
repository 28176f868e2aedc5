"""Markdown to ADF by markdown-it-py. The Markdown is untrusted; what may come out is decided in `adf_plain`.

The parser knows CommonMark, tables and strikethrough, and nothing that Jira would act on: HTML stays text.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import takewhile
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from orchestrator.domain.adf_plain import as_code_block, only_plain, writable

__all__ = ["as_code_block", "only_plain", "to_adf"]

type Json = dict[str, Any]

# Callers split at Jira's 32,767; much beyond it the parser's quadratic corners would take seconds.
_MAX_CHARS = 40_000
# The parser drops what is nested deeper, so such text is shown as code; brackets cost time times this.
_MAX_NESTING = 40
# The parser fills short rows up to the width of the header, so that a few lines become a million cells.
_MAX_CELLS = 10_000
_RULE_CHARACTERS = frozenset("|:-+*>.) \t0123456789")

_KINDS = {
    "paragraph_open": "paragraph",
    "heading_open": "heading",
    "bullet_list_open": "bulletList",
    "ordered_list_open": "orderedList",
    "list_item_open": "listItem",
    "blockquote_open": "blockquote",
    "table_open": "table",
    "tr_open": "tableRow",
    "th_open": "tableHeader",
    "td_open": "tableCell",
}
_FRAMES = frozenset({"thead_open", "thead_close", "tbody_open", "tbody_close"})
_MARKS = {"strong_open": "strong", "em_open": "em", "s_open": "strike", "link_open": "link"}
_CHECKBOX = re.compile(r"\[([ xX])\](?:\s+|$)")
_BARE_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"'`|\\^{}\x00-\x20\x7f-\U0010ffff]+")


def to_adf(markdown: str) -> Json:
    """A schema-valid ADF document of plain formatting; a code block when the text cannot be parsed whole."""
    if len(markdown) > _MAX_CHARS:
        return as_code_block(markdown)
    try:
        return only_plain(_document(_tokens(writable(markdown))))
    except Exception:  # noqa: BLE001 - a parser's bug must not cost the ticket its answer
        return as_code_block(markdown)


def _tokens(markdown: str) -> list[Token]:
    env: dict[str, Any] = {}
    tables = _most_cells(markdown) <= _MAX_CELLS
    tokens = _parser(references=True, tables=tables).parse(markdown, env)
    # "[^1]: word" reads as a link definition and would vanish: only addresses may hide in one.
    if not all(_is_web(definition["href"]) for definition in _definitions(env)):
        tokens = _parser(references=False, tables=tables).parse(markdown)
    if max((token.level for token in tokens), default=0) >= _MAX_NESTING - 1:
        raise RecursionError("nested deeper than the parser goes")
    return tokens


def _definitions(env: dict[str, Any]) -> list[dict[str, str]]:
    return [*env.get("references", {}).values(), *env.get("duplicate_refs", ())]


def _is_web(href: str) -> bool:
    return href.lower().startswith(("https://", "http://", "mailto:"))


def _most_cells(markdown: str) -> int:
    """No fewer cells than the tables of the text can have: each line that may separate a header counts."""
    cells, rows = 0, 0
    for line in reversed(markdown.split("\n")):
        rows = rows + 1 if line.strip() else 0
        if "|" in line and _RULE_CHARACTERS.issuperset(line):
            cells += (line.count("|") + 1) * rows
    return cells


@cache
def _parser(*, references: bool, tables: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _MAX_NESTING})
    parser.enable(["table", "strikethrough"] if tables else ["strikethrough"])
    return parser if references else parser.disable("reference")


def _document(tokens: Iterable[Token]) -> Json:
    stack: list[Json] = [{"type": "doc", "content": []}]
    for token in tokens:
        if token.nesting == 1 and token.type not in _FRAMES:
            stack.append(_opened(token))
        elif token.nesting == -1 and token.type not in _FRAMES:
            closed = stack.pop()
            stack[-1]["content"].append(_as_tasks(closed))
        elif token.nesting == 0:
            stack[-1]["content"].extend(_leaf(token))
    return stack[0]


def _opened(token: Token) -> Json:
    attrs: Json = {"order": token.attrs.get("start", 1)} if token.type == "ordered_list_open" else {}
    if token.type == "heading_open":
        attrs = {"level": int(token.tag.removeprefix("h"))}
    return {"type": _KINDS.get(token.type, token.type), "attrs": attrs, "content": []}


def _leaf(token: Token) -> list[Json]:
    if token.type == "inline":
        return list(_inline(token.children or ()))
    if token.type == "hr":
        return [{"type": "rule"}]
    language = next(iter(token.info.split()), "")
    text = _text(token.content.removesuffix("\n"), {})
    return [{"type": "codeBlock", "attrs": {"language": language}, "content": [text]}]


def _inline(tokens: Iterable[Token]) -> Iterator[Json]:
    """Inline nodes; the marks of each text are those opened and not yet closed before it."""
    marks: list[dict[str, Json]] = [{}]
    for token in tokens:
        if token.nesting == 1:
            marks.append(_mark(token) | marks[-1])
        elif token.nesting == -1:
            marks.pop()
        else:
            yield from _inline_leaf(token, marks[-1])


def _mark(token: Token) -> dict[str, Json]:
    kind = _MARKS.get(token.type, token.type)
    return {kind: {"type": kind, "attrs": {"href": str(token.attrs.get("href", ""))}}}


def _inline_leaf(token: Token, marks: dict[str, Json]) -> Iterator[Json]:
    match token.type:
        case "hardbreak":
            yield {"type": "hardBreak"}
        case "softbreak":
            yield _text(" ", marks)
        case "code_inline":
            yield _text(token.content, marks | {"code": {"type": "code"}})
        case "image":
            yield _image(token, marks)
        case _:
            yield from _linked(token.content, marks)


def _image(token: Token, marks: dict[str, Json]) -> Json:
    source = str(token.attrs.get("src", ""))
    link = {"link": {"type": "link", "attrs": {"href": source}}}
    return _text(token.content or source, link | marks)


def _linked(text: str, marks: dict[str, Json]) -> Iterator[Json]:
    """The text with bare web addresses as links, as GitHub shows it; Jira does not do it by itself."""
    end = 0
    for found in _BARE_ADDRESS.finditer(text):
        address = _without_punctuation(found.group())
        yield _text(text[end : found.start()], marks)
        yield _text(address, {"link": {"type": "link", "attrs": {"href": address}}} | marks)
        end = found.start() + len(address)
    yield _text(text[end:], marks)


def _without_punctuation(address: str) -> str:
    """The address without what ends the sentence around it."""
    address = address.rstrip(".,:;!?*_~]")
    extra = address.count(")") - address.count("(")
    tail = sum(1 for _ in takewhile(")".__eq__, reversed(address)))
    return address[: len(address) - max(0, min(extra, tail))].rstrip(".,:;!?*_~]")


def _text(text: str, marks: dict[str, Json]) -> Json:
    return {"type": "text", "text": text, "marks": list(marks.values())}


def _as_tasks(node: Json) -> Json:
    """A bullet list as task list when each item is a checkbox line with at most nested tasks below."""
    if node["type"] != "bulletList" or not all(map(_is_task, node["content"])):
        return node
    return {"type": "taskList", "content": [part for item in node["content"] for part in _task(item)]}


def _is_task(item: Json) -> bool:
    first, *rest = item["content"] or [{}]
    only_tasks = all(block["type"] == "taskList" for block in rest)
    return only_tasks and first.get("type") == "paragraph" and _checkbox(first) is not None


def _checkbox(paragraph: Json) -> re.Match[str] | None:
    first = paragraph["content"][0] if paragraph["content"] else {}
    return None if first.get("marks") else _CHECKBOX.match(first.get("text", ""))


def _task(item: Json) -> list[Json]:
    paragraph, *nested = item["content"]
    box = _checkbox(paragraph)
    first, *rest = paragraph["content"]
    words = first | {"text": first["text"][box.end() :]} if box else first
    state = "DONE" if box and box.group(1) != " " else "TODO"
    return [{"type": "taskItem", "attrs": {"state": state}, "content": [words, *rest]}, *nested]
