"""What people write in Jira (ADF) as Markdown for a prompt. Nothing here raises on malformed input."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby, pairwise
from typing import Any

from orchestrator.domain.adf_inline import inline_markdown, longest_backtick_run
from orchestrator.domain.adf_node import Node, label, parse, text_length, text_of

__all__ = ["text_length", "to_markdown"]

_LISTS = frozenset({"bulletList", "orderedList", "taskList", "decisionList"})
_ALERTS = {"success": "TIP", "tip": "TIP", "warning": "WARNING", "error": "CAUTION"}
_MAX_LIST_START = 999_999_999  # the longest number CommonMark reads as a list marker


def to_markdown(adf: Mapping[str, Any] | str | None) -> str:
    """ADF as Markdown; a string is taken to be text already, and None is empty."""
    if isinstance(adf, str):
        return adf
    return _block(parse(adf)).strip("\n")


def _block(node: Node) -> str:
    if node.kind in _LISTS:
        return _list(node)
    return _RENDERERS.get(node.kind, _container)(node)


def _blocks(nodes: Iterable[Node]) -> str:
    return "\n\n".join(part for _, part in _parts(nodes))


def _parts(nodes: Iterable[Node]) -> list[tuple[str, str]]:
    """Kind and Markdown of each block; inline nodes in a row make one paragraph."""
    parts: list[tuple[str, str]] = []
    for is_inline, group in groupby(nodes, key=lambda node: node.is_inline):
        if is_inline:
            parts.append(("paragraph", inline_markdown(group)))
        else:
            parts.extend((node.kind, _block(node)) for node in group)
    return [(kind, part) for kind, part in parts if part.strip()]


def _container(node: Node) -> str:
    return "\n\n".join(filter(None, (label(node), _blocks(node.content))))


def _line(node: Node) -> str:
    return inline_markdown(node.content)


def _heading(node: Node) -> str:
    level = node.attrs.get("level")
    marker = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1)  # noqa: PLR2004 - Markdown has six
    return f"{marker} {' '.join(_line(node).split())}"


def _code_block(node: Node) -> str:
    code = text_of(node)
    fence = "`" * max(3, longest_backtick_run(code) + 1)
    language = re.sub(r"[\s`]", "", node.attr("language"))
    end = "" if code.endswith("\n") else "\n"
    return f"{fence}{language}\n{code}{end}{fence}"


def _quote(node: Node) -> str:
    return _quoted(_blocks(node.content))


def _quoted(text: str) -> str:
    return "> " + text.replace("\n", "\n> ")


def _panel(node: Node) -> str:
    alert = _ALERTS.get(node.attr("panelType"), "NOTE")
    return _quoted(f"[!{alert}]\n{_blocks(node.content)}")


def _expand(node: Node) -> str:
    title = node.attr("title").strip()
    return "\n\n".join(filter(None, (title and f"**{title}**", _blocks(node.content))))


def _rule(_: Node) -> str:
    return "---"


def _list(node: Node) -> str:
    start = node.attrs.get("order")
    number = start if isinstance(start, int) and 0 <= start <= _MAX_LIST_START else 1
    lines: list[str] = []
    for child in node.content:
        lines.append(_list_entry(child, f"{number}. " if node.kind == "orderedList" else "- "))
        number += 1
    return "\n".join(lines)


def _list_entry(child: Node, marker: str) -> str:
    # ADF puts a nested task list beside the items, Markdown inside the item before it.
    if child.kind in _LISTS:
        return "  " + _indented(_list(child), "  ")
    body = _item_body(child)
    return f"{marker}{_checkbox(child)}{_indented(body, ' ' * len(marker))}".rstrip(" ")


def _checkbox(item: Node) -> str:
    if item.kind == "decisionItem":
        return "Decision: "
    if item.kind not in ("taskItem", "blockTaskItem"):
        return ""
    return "[x] " if item.attr("state") == "DONE" else "[ ] "


def _item_body(item: Node) -> str:
    parts = _parts(item.content) if item.content else [("paragraph", label(item))]
    gaps = ["\n" if after in _LISTS else "\n\n" for _, (after, _) in pairwise(parts)]
    return "".join(part + gap for (_, part), gap in zip(parts, [*gaps, ""], strict=False))


def _indented(text: str, pad: str) -> str:
    return re.sub(r"\n(?!\n)", f"\n{pad}", text)


def _table(node: Node) -> str:
    rows = [row.content for row in node.content if row.content]
    if not rows:
        return label(node)
    # Not padded to a rectangle: one very wide row would multiply the size of all others.
    columns = max(map(len, rows))
    head = [rows.pop(0)] if any(cell.kind == "tableHeader" for cell in rows[0]) else [()]
    body = [_row([*map(_cell, row)]) for row in rows]
    header = [_cell(cell) for cell in head[0]] + [""] * (columns - len(head[0]))
    return "\n".join([_row(header), _row(["---"] * columns), *body])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Node) -> str:
    text = _blocks([cell]) if cell.is_inline else _container(cell)
    lines = (line.strip() for line in text.replace("|", "\\|").split("\n"))
    return "<br>".join(filter(None, lines))


_RENDERERS = {
    "paragraph": _line,
    "caption": _line,
    "heading": _heading,
    "codeBlock": _code_block,
    "blockquote": _quote,
    "panel": _panel,
    "expand": _expand,
    "nestedExpand": _expand,
    "rule": _rule,
    "table": _table,
    "media": label,
}
