"""Markdown to ADF by markdown-it-py. The Markdown is untrusted; what may come out is decided in `adf_plain`.

The parser knows CommonMark, tables and strikethrough, and nothing that Jira would act on: HTML stays text.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from markdown_it.token import Token

from orchestrator.adapters.markdown_tokens import is_deceptive, link_end, parse, shown_text, split_addresses
from orchestrator.domain.adf_plain import as_code_block, only_plain, writable

__all__ = ["as_code_block", "only_plain", "to_adf"]

type Json = dict[str, Any]

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


def to_adf(markdown: str) -> Json:
    """A schema-valid ADF document of plain formatting; a code block when the text cannot be parsed whole."""
    try:
        return only_plain(_document(parse(writable(markdown))))
    except Exception:  # noqa: BLE001 - a parser's bug must not cost the ticket its answer
        return as_code_block(markdown)


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
    flow = _without_deception(list(tokens))
    marks: list[dict[str, Json]] = [{}]
    for token in flow:
        if token.nesting == 1:
            marks.append(_mark(token) | marks[-1])
        elif token.nesting == -1:
            marks.pop()
        else:
            yield from _inline_leaf(token, marks[-1])


def _without_deception(tokens: list[Token]) -> Iterator[Token]:
    """The tokens; a link whose text could be taken for another address is that text and its real address."""
    end, address = -1, ""
    for at, token in enumerate(tokens):
        if token.type == "link_open":
            end, address = link_end(tokens, at), str(token.attrs.get("href", ""))
            inner = tokens[at + 1 : end]
            has_image = any(part.type == "image" for part in inner)
            if not has_image and not is_deceptive(shown_text(inner), address):
                address = ""
        if not address or (at < end and token.type != "link_open"):
            yield token
        elif at == end:
            yield Token("text", "", 0, content=f" ({address})")
            address = ""


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
            yield from _image(token, marks)
        case _:
            yield from _linked(token.content, marks)


def _image(token: Token, marks: dict[str, Json]) -> Iterator[Json]:
    """What the image is called, and its address to be followed by hand."""
    source = str(token.attrs.get("src", ""))
    if token.content:
        yield _text(f"{token.content} (", marks)
    yield _text(source, marks | _link(source))
    yield _text(")" if token.content else "", marks)


def _link(href: str) -> dict[str, Json]:
    return {"link": {"type": "link", "attrs": {"href": href}}}


def _linked(text: str, marks: dict[str, Json]) -> Iterator[Json]:
    """The text with bare web addresses as links, as GitHub shows it; Jira does not do it by itself."""
    for piece, address in split_addresses(text):
        yield _text(piece, _link(address) | marks if address else marks)


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
