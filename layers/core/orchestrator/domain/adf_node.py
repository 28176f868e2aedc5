"""ADF nodes as we read them: any JSON becomes a tidy tree of bounded depth. No Markdown here.

Format: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

# Deeper than any editor lets people nest, shallow enough to render by recursion.
MAX_DEPTH = 30

INLINE_KINDS = frozenset(
    {
        "text",
        "hardBreak",
        "mention",
        "emoji",
        "date",
        "status",
        "inlineCard",
        "placeholder",
        "inlineExtension",
        "mediaInline",
    }
)


@dataclass(frozen=True, slots=True)
class Node:
    """One ADF node whose fields have the types they should have."""

    kind: str
    text: str = ""
    attrs: Mapping[str, Any] = field(default_factory=dict)
    marks: tuple[Mapping[str, Any], ...] = ()
    content: "tuple[Node, ...]" = ()

    @property
    def is_inline(self) -> bool:
        """Whether it stands within a line; an unknown leaf does."""
        return self.kind in INLINE_KINDS or not (self.content or self.kind in _BLOCK_LEAVES)

    def attr(self, name: str) -> str:
        """An attribute as text; empty when it is missing or no text."""
        value = self.attrs.get(name)
        return value if isinstance(value, str) else ""


_BLOCK_LEAVES = frozenset(
    {
        "doc",
        "paragraph",
        "heading",
        "bulletList",
        "orderedList",
        "taskList",
        "taskItem",
        "decisionList",
        "decisionItem",
        "listItem",
        "codeBlock",
        "blockquote",
        "rule",
        "table",
        "tableRow",
        "tableCell",
        "tableHeader",
        "panel",
        "expand",
        "nestedExpand",
        "blockCard",
        "embedCard",
        "media",
        "mediaSingle",
        "mediaGroup",
        "extension",
        "bodiedExtension",
    }
)


def parse(value: object, depth: int = MAX_DEPTH) -> Node:
    """Read any JSON value as a node; what lies deeper than `depth` becomes one text."""
    raw = _mapping(value)
    kind = _text(raw.get("type"))
    if depth <= 0 and kind != "text":
        return Node("text", text=plain_text(raw))
    content = tuple(parse(child, depth - 1) for child in _children(raw))
    return Node(kind, _text(raw.get("text")), _mapping(raw.get("attrs")), _marks(raw), content)


def plain_text(value: object) -> str:
    """The text of a whole JSON tree, however deep; blocks are set apart by one space."""
    parts = (f"{_shown(raw)} " if _is_block(raw) else _shown(raw) for raw in _walk(value))
    return "".join(parts).strip()


def text_of(node: Node) -> str:
    """The text of a node with nothing set apart, as inside a code block."""
    return label(node) + "".join(text_of(child) for child in node.content)


def text_length(adf: Mapping[str, Any]) -> int:
    """Characters of all text nodes plus one per block: what counts toward Jira's text limit."""
    return sum(_length(raw) for raw in _walk(adf))


def label(node: Node) -> str:
    """What a reader sees of the node itself, without its content."""
    if node.kind in ("text", "hardBreak"):
        return node.text if node.kind == "text" else "\n"
    if node.kind in ("media", "mediaInline"):
        return f"[image: {_first(node, 'alt', 'fileName', '__fileName', 'name', 'url', 'id')}]"
    special = _LABELS.get(node.kind)
    return special(node) if special else node.text or _first(node, "text", "title")


def _mention(node: Node) -> str:
    return f"@{(node.attr('text') or node.attr('id')).removeprefix('@')}"


def _emoji(node: Node) -> str:
    return _first(node, "text", "shortName")


def _status(node: Node) -> str:
    return f"[{node.attr('text')}]"


def _card(node: Node) -> str:
    data = _mapping(node.attrs.get("data"))
    return node.attr("url") or _text(data.get("url")) or _text(data.get("@id"))


def _date(node: Node) -> str:
    stamp = str(node.attrs.get("timestamp", ""))
    try:
        return datetime.fromtimestamp(int(stamp) / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return stamp


_LABELS = {
    "mention": _mention,
    "emoji": _emoji,
    "status": _status,
    "date": _date,
    "inlineCard": _card,
    "blockCard": _card,
    "embedCard": _card,
}


def _first(node: Node, *names: str) -> str:
    return next(filter(None, map(node.attr, names)), "")


def _walk(value: object) -> Iterator[Mapping[str, Any]]:
    # A stack of our own: a document may nest deeper than Python may recurse.
    stack = [_mapping(value)]
    while stack:
        raw = stack.pop()
        yield raw
        stack.extend(_mapping(child) for child in reversed(_children(raw)))


def _length(raw: Mapping[str, Any]) -> int:
    if raw.get("type") == "text":
        return len(_text(raw.get("text")))
    return int(_is_block(raw) and raw.get("type") != "doc")


def _is_block(raw: Mapping[str, Any]) -> bool:
    return _text(raw.get("type")) not in INLINE_KINDS


def _shown(raw: Mapping[str, Any]) -> str:
    return label(Node(_text(raw.get("type")), _text(raw.get("text")), _mapping(raw.get("attrs"))))


def _children(raw: Mapping[str, Any]) -> list[object]:
    content = raw.get("content")
    return content if isinstance(content, list) else []


def _marks(raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    marks = raw.get("marks")
    return tuple(filter(None, map(_mapping, marks))) if isinstance(marks, list) else ()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
