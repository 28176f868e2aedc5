"""One line of ADF as Markdown: text, marks and inline nodes. No blocks here.

Text is passed on as it is: in a prompt it is data, and escaping would change what people wrote.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from orchestrator.domain.adf_node import Node, text_of

_WRAPPERS = (("strike", "~~"), ("em", "*"), ("strong", "**"))


def inline_markdown(nodes: Iterable[Node]) -> str:
    """Inline nodes as one piece of Markdown; a hard break is two spaces and a line end."""
    # Neighbours with equal marks are one run: "**a****b**" would not be read as strong.
    runs = groupby(nodes, key=lambda node: (node.kind == "text", node.marks))
    parts = (_run(is_text, marks, list(run)) for (is_text, marks), run in runs)
    return "".join(parts)


def longest_backtick_run(text: str) -> int:
    """Length of the longest row of backticks in the text."""
    return max(map(len, re.findall("`+", text)), default=0)


def _run(is_text: bool, marks: tuple[Mapping[str, Any], ...], run: list[Node]) -> str:
    if is_text:
        return _marked("".join(node.text for node in run), marks)
    return "".join("  \n" if node.kind == "hardBreak" else text_of(node) for node in run)


def _marked(text: str, marks: tuple[Mapping[str, Any], ...]) -> str:
    core = text.strip()
    if not core or not marks:
        return text
    # Marks must touch the words: "** a**" is not strong.
    start = text.index(core)
    wrapped = _linked(_emphasised(core, marks), core, _mark(marks, "link"))
    return text[:start] + wrapped + text[start + len(core) :]


def _emphasised(core: str, marks: tuple[Mapping[str, Any], ...]) -> str:
    if _mark(marks, "code") is not None:
        return _code_span(core)
    for kind, wrapper in _WRAPPERS:
        if _mark(marks, kind) is not None:
            core = f"{wrapper}{core}{wrapper}"
    return core


def _linked(shown: str, core: str, link: Mapping[str, Any] | None) -> str:
    attrs = link.get("attrs") if link else None
    href = attrs.get("href") if isinstance(attrs, Mapping) else None
    if not isinstance(href, str) or not href or href == core:
        return shown
    return f"[{shown}](<{href}>)" if re.search(r"[\s()]", href) else f"[{shown}]({href})"


def _code_span(text: str) -> str:
    ticks = "`" * (longest_backtick_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _mark(marks: tuple[Mapping[str, Any], ...], kind: str) -> Mapping[str, Any] | None:
    return next((mark for mark in marks if mark.get("type") == kind), None)
