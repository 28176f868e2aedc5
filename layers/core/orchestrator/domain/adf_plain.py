"""What we let ourselves write to Jira: an allow-list of ADF, valid by construction. No Markdown here.

Whoever made the document may be hostile: no node here can notify, embed, load or run anything.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

from orchestrator.domain.adf_node import Node, label, parse, text_of

type Json = dict[str, Any]

# Nested lists take two levels each; what lies deeper is kept as text. Also bounds recursion in JSON encoders.
_MAX_DEPTH = 24

_LISTS = frozenset({"bulletList", "orderedList"})
# What list items and quotes may hold in every version of the schema that Jira sites run.
_IN_ITEM = frozenset({"paragraph", "codeBlock"}) | _LISTS
_IN_CELL = _IN_ITEM | {"heading", "blockquote", "rule", "taskList"}
_IN_DOC = _IN_CELL | {"table"}

_PLAIN_MARKS = ("strong", "em", "strike")
# Anything else as a link could run script, read files or lead to a place that depends on where it is shown.
_WEB_ADDRESS = re.compile(r"(?:https?://[^\s/]|mailto:)\S*", re.IGNORECASE)
_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")
# XML 1.0 has no other characters, and Jira stores and exports XML.
_UNWRITABLE = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def only_plain(adf: Mapping[str, Any]) -> Json:
    """The document with nothing but plain formatting, always schema-valid; all else becomes its text."""
    root = parse(adf, _MAX_DEPTH)
    content = _fit(root.content if root.kind == "doc" else (root,), _IN_DOC)
    document = {"type": "doc", "version": 1, "content": content or [{"type": "paragraph"}]}
    _number_tasks(content)
    return document


def as_code_block(text: str) -> Json:
    """A document that shows the text as it is, in one code block."""
    return {
        "type": "doc",
        "version": 1,
        "content": _code_block(Node("codeBlock", content=(Node("text", text),))),
    }


def writable(text: str) -> str:
    """The text with one kind of line end, and U+FFFD for each character that Jira refuses."""
    return _UNWRITABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def _fit(nodes: Iterable[Node], allowed: frozenset[str]) -> list[Json]:
    """The nodes as blocks that may stand in a parent that allows these kinds."""
    blocks: list[Json] = []
    for is_inline, group in groupby(nodes, key=lambda node: node.is_inline):
        if is_inline:
            blocks.extend(_loose_paragraph(group))
        else:
            blocks.extend(block for node in group for block in _block(node, allowed))
    return blocks


def _block(node: Node, allowed: frozenset[str]) -> list[Json]:
    if node.kind in allowed:
        return _BUILDERS[node.kind](node)
    replaced = _REPLACED.get(node.kind)
    return replaced(node) if replaced else _spliced(node, allowed)


def _spliced(node: Node, allowed: frozenset[str]) -> list[Json]:
    own = (Node("text", label(node)), *node.content)
    return _fit(own, allowed)


def _loose_paragraph(nodes: Iterable[Node]) -> list[Json]:
    content = _inlines(nodes)
    return [{"type": "paragraph", "content": content}] if content else []


def _paragraph(node: Node) -> list[Json]:
    return _loose_paragraph(node.content) or [{"type": "paragraph"}]


def _heading(node: Node) -> list[Json]:
    level = node.attrs.get("level")
    level = min(max(level, 1), 6) if isinstance(level, int) else 1
    return [{"type": "heading", "attrs": {"level": level}, "content": _inlines(node.content)}]


def _code_block(node: Node) -> list[Json]:
    text, language = writable(text_of(node)), node.attr("language")
    block: Json = {"type": "codeBlock"}
    if _LANGUAGE.fullmatch(language):
        block["attrs"] = {"language": language}
    return [block | {"content": [{"type": "text", "text": text}]}] if text else [block]


def _quote(node: Node) -> list[Json]:
    return [{"type": "blockquote", "content": _fit(node.content, _IN_ITEM) or [{"type": "paragraph"}]}]


def _rule(_: Node) -> list[Json]:
    return [{"type": "rule"}]


def _list(node: Node) -> list[Json]:
    items = [_list_item(child) for child in node.content]
    order = node.attrs.get("order")
    block: Json = {"type": node.kind}
    if node.kind == "orderedList" and isinstance(order, int) and order >= 0:
        block["attrs"] = {"order": int(order)}
    return [block | {"content": items}] if items else []


def _list_item(child: Node) -> Json:
    content = _fit(child.content or (child,), _IN_ITEM)
    # Older schemas want a paragraph or code before a nested list.
    if not content or content[0]["type"] in _LISTS:
        content.insert(0, {"type": "paragraph"})
    return {"type": "listItem", "content": content}


def _task_list(node: Node) -> list[Json]:
    content: list[Json] = []
    for child in node.content:
        content.extend(_task_list(child) if child.kind == "taskList" else [_task_item(child)])
    return [{"type": "taskList", "attrs": {}, "content": content}] if content else []


def _task_item(node: Node) -> Json:
    state = "DONE" if node.attrs.get("state") == "DONE" else "TODO"
    return {"type": "taskItem", "attrs": {"state": state}, "content": _inlines(_flat(node))}


def _number_tasks(blocks: list[Json]) -> None:
    # The schema wants ids; ours are counted, so that equal Markdown gives equal documents.
    stack, number = list(blocks), 0
    while stack:
        block = stack.pop()
        stack.extend(block.get("content", ()))
        if block["type"] in ("taskList", "taskItem"):
            number += 1
            block["attrs"]["localId"] = f"task-{number}"


def _table(node: Node) -> list[Json]:
    rows = [{"type": "tableRow", "content": [*map(_cell, row.content or (row,))]} for row in node.content]
    return [{"type": "table", "content": rows}] if rows else []


def _cell(node: Node) -> Json:
    kind = "tableHeader" if node.kind == "tableHeader" else "tableCell"
    return {"type": kind, "content": _fit(node.content or (node,), _IN_CELL) or [{"type": "paragraph"}]}


def _heading_as_strong(node: Node) -> list[Json]:
    strong = {"type": "strong"}
    words = (Node("text", part.text or text_of(part), marks=(*part.marks, strong)) for part in node.content)
    return _loose_paragraph(words)


def _table_as_rows(node: Node) -> list[Json]:
    return [block for row in node.content for block in _loose_paragraph(_row_line(row))]


def _row_line(row: Node) -> list[Node]:
    cells = [_flat(cell) for cell in row.content] or [[row]]
    return [part for cell in cells for part in (Node("text", " | "), *cell)][1:]


def _tasks_as_list(node: Node) -> list[Json]:
    items: list[list[Node]] = []
    for child in node.content:
        # A nested task list stands beside the item it belongs to.
        if child.kind == "taskList" and items:
            items[-1].append(child)
        else:
            mark = "[x] " if child.attrs.get("state") == "DONE" else "[ ] "
            items.append([Node("text", mark), *_flat(child)])
    return _list(Node("bulletList", content=tuple(Node("listItem", content=tuple(item)) for item in items)))


def _nothing(_: Node) -> list[Json]:
    return []


def _flat(node: Node) -> list[Node]:
    """All inline nodes below, blocks set apart by a space."""
    if node.is_inline or node.kind == "codeBlock":
        return [Node("text", text_of(node), marks=node.marks)]
    parts = [_flat(child) for child in node.content]
    gaps = [] if all(child.is_inline for child in node.content) else [Node("text", " ")]
    return [Node("text", label(node)), *(leaf for part in parts for leaf in (*part, *gaps))]


def _inlines(nodes: Iterable[Node]) -> list[Json]:
    """Text and hard breaks; neighbours with equal marks become one text, empty texts none."""
    result: list[Json] = []
    for (is_break, marks), group in groupby(nodes, key=lambda node: (node.kind == "hardBreak", _marks(node))):
        if is_break:
            result.extend({"type": "hardBreak"} for _ in group)
        elif text := writable("".join(map(text_of, group))).replace("\n", " "):
            node: Json = {"type": "text", "text": text}
            result.append(node | {"marks": marks} if marks else node)
    return result


def _marks(node: Node) -> list[Json]:
    by_kind = {mark["type"]: mark for mark in node.marks if isinstance(mark.get("type"), str)}
    # Code admits no other mark than a link.
    kinds = ("code",) if "code" in by_kind else tuple(kind for kind in _PLAIN_MARKS if kind in by_kind)
    return [{"type": kind} for kind in kinds] + _link(by_kind.get("link", {}))


def _link(mark: Mapping[str, Any]) -> list[Json]:
    attrs = mark.get("attrs")
    href = attrs.get("href") if isinstance(attrs, Mapping) else None
    if not isinstance(href, str) or not _WEB_ADDRESS.fullmatch(href) or writable(href) != href:
        return []
    return [{"type": "link", "attrs": {"href": href}}]


_BUILDERS: dict[str, Callable[[Node], list[Json]]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "codeBlock": _code_block,
    "blockquote": _quote,
    "rule": _rule,
    "bulletList": _list,
    "orderedList": _list,
    "taskList": _task_list,
    "table": _table,
}

# How kinds that the parent does not allow are kept; any other gives up its own frame only.
_REPLACED: dict[str, Callable[[Node], list[Json]]] = {
    "heading": _heading_as_strong,
    "table": _table_as_rows,
    "taskList": _tasks_as_list,
    "rule": _nothing,
}
