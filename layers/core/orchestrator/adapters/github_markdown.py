"""Everything that goes to GitHub as Markdown: parsed, made harmless and written down again.

No mention, reference, closing keyword, command, image, HTML or definition comes through; HTML is shown as text.
Our own marks are HTML comments, so they are appended afterwards and no text can forge them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from orchestrator.adapters.github_inline import lines_of, single_line
from orchestrator.adapters.github_text import guard_block
from orchestrator.adapters.markdown_tokens import MAX_CHARS, parse
from orchestrator.domain.review import Passage
from orchestrator.domain.untrusted import visible

# Of a description, a review's body and each comment.
LONGEST_BODY = 65_536
CUT = "[cut here: GitHub takes no longer text]"
# A passage that has less room than this is left out.
SHORTEST_PASSAGE = 400

_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")
# GitHub draws these or offers to apply them. They are shown as what they are.
_ACTIVE_LANGUAGES = frozenset({"suggestion", "mermaid", "math", "geojson", "topojson", "stl"})
_BACKTICKS = re.compile(r"`+")
_CHECKBOX = re.compile(r"\\\[([ xX])\\\](?= )")
_ALERT = re.compile(r"\\\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\\\]", re.IGNORECASE)
# What may follow a paragraph's last line, or precede its first, without becoming part of it.
_AFTER_WORDS = frozenset({"bullet_list", "blockquote", "fence", "heading", "hr"})
_BEFORE_WORDS = frozenset({"fence", "heading", "hr"})
_ALIGNMENTS = {"left": ":--", "right": "--:", "center": ":-:"}
# No line of Markdown ends there, but one of JavaScript's patterns does.
_OTHER_LINE_ENDS = str.maketrans({"\u2028": " ", "\u2029": " "})


def document(passages: Sequence[Passage], mark: str, limit: int = LONGEST_BODY) -> str:
    """The passages, each harmless and closed in itself, and the mark. Where they are too long, the longest is cut."""
    room = limit - len(mark) - len(CUT) - 4
    texts = [write_passage(passage, room) for passage in passages]
    excess = len("\n\n".join(texts)) - room
    if excess > 0:
        longest = max(range(len(texts)), key=lambda at: len(texts[at]))
        texts[longest] = write_passage(passages[longest], len(texts[longest]) - excess)
    return "\n\n".join(part for part in (*_whole(texts, room), mark) if part)


def _whole(texts: Iterable[str], room: int) -> Iterator[str]:
    """The texts up to the first that does not fit, and a sentence in its place."""
    left = room + 2
    for text in texts:
        left -= len(text) + 2
        if left < 0:
            yield CUT
            return
        yield text


def write_passage(passage: Passage, limit: int) -> str:
    """The passage with its suggestion and its mark in at most `limit` characters; cut where it does not fit."""
    parts = [_suggestion(passage), passage.mark]
    room = limit - sum(len(part) + 2 for part in parts)
    if room < SHORTEST_PASSAGE:
        parts, room = [CUT, passage.mark], limit - len(CUT) - len(passage.mark) - 4
    return "\n\n".join(part for part in (write_markdown(passage.markdown, room), *parts) if part)


def _suggestion(passage: Passage) -> str:
    """The replacement; to be applied by one click only if it is exactly what the finding says."""
    if not passage.replacement:
        return ""
    shown = visible(passage.replacement).translate(_OTHER_LINE_ENDS)
    is_exact = guard_block(shown) == shown == passage.replacement
    return "\n".join(_fence(shown, "suggestion" if passage.is_applicable and is_exact else ""))


def write_markdown(markdown: str, limit: int = LONGEST_BODY) -> str:
    """Harmless Markdown that GitHub shows as it would show this; at most `limit` characters, cut at the end."""
    source = visible(markdown).translate(_OTHER_LINE_ENDS).strip("\n")
    kept = source[:MAX_CHARS]
    text = _written(kept)
    if len(kept) == len(source) and len(text) <= limit:
        return text
    room = max(0, limit - len(CUT) - 2)
    while kept and len(text) > room:
        # At least a fifth goes each time, so that all tries together cost no more than five.
        kept = kept[: int(len(kept) * min(room / len(text), 0.8))]
        text = _written(kept)
    return "\n\n".join(part for part in (text, CUT) if part)


def _written(source: str) -> str:
    try:
        root = _tree(parse(source))
    except Exception:  # noqa: BLE001 - what the parser cannot take is shown as it is
        return "\n".join(_fence(source, ""))
    return "\n".join(_blocks(root.children))


def _tree(tokens: list[Token]) -> SyntaxTreeNode:
    """The tree of blocks; inline tokens, which may nest deeper than a tree of them could, stay a list."""
    for token in tokens:
        token.meta["inline"], token.children = token.children or [], None
    return SyntaxTreeNode(tokens)


def _blocks(nodes: Sequence[SyntaxTreeNode]) -> list[str]:
    """The lines of blocks that follow each other. Of two lists in a row the second has another marker."""
    lines: list[str] = []
    is_other = False
    for before, node in pairwise((None, *nodes)):
        assert node is not None  # noqa: S101 - only the first of all is none
        is_other = before is not None and before.type == node.type and not is_other
        block = _block(node, is_other=is_other)
        if lines and block and not _is_tight(before, node):
            lines.append("")
        lines += block
    return lines


def _is_tight(before: SyntaxTreeNode | None, node: SyntaxTreeNode) -> bool:
    """Whether no blank line stands between two blocks of a tight list's item: one would make the list loose."""
    if before is None:
        return False
    if before.type == "paragraph":
        return before.hidden and (node.type in _AFTER_WORDS or _first_number(node) == 1)
    return node.type == "paragraph" and node.hidden and before.type in _BEFORE_WORDS


def _first_number(node: SyntaxTreeNode) -> int:
    return int(node.attrs.get("start", 1)) if node.type == "ordered_list" else 0


def _block(node: SyntaxTreeNode, *, is_other: bool) -> list[str]:
    match node.type:
        case "paragraph":
            return lines_of(_inline(node))
        case "bullet_list" | "ordered_list":
            return _list(node, is_other=is_other)
        case "fence" | "code_block":
            return _fence(node.content.removesuffix("\n"), _language(node.info))
        case _:
            return list(_OTHER_BLOCKS[node.type](node))


def _inline(node: SyntaxTreeNode) -> list[Token]:
    """The inline tokens of a paragraph, a heading or a cell."""
    return [token for child in node.children for token in child.meta["inline"]]


def _heading(node: SyntaxTreeNode) -> Iterator[str]:
    words = single_line(_inline(node))
    bare = words.rstrip("#")
    # Signs at the end would be taken for the heading's own.
    yield f"{'#' * int(node.tag[1:])} {bare}{'\\#' * (len(words) - len(bare))}".rstrip(" ")


def _quote(node: SyntaxTreeNode) -> Iterator[str]:
    lines = _blocks(node.children)
    alert = _ALERT.fullmatch(lines[0]) if lines else None
    shown = [f"[!{alert[1]}]", *lines[1:]] if alert else lines
    return (f"> {line}" if line else ">" for line in shown)


def _list(node: SyntaxTreeNode, *, is_other: bool) -> list[str]:
    start, is_loose = _first_number(node), _is_loose(node)
    lines: list[str] = []
    for number, item in enumerate(node.children):
        marker = "-*"[is_other]
        if node.type == "ordered_list":
            marker = f"{min(start + number, 999_999_999)}{'.)'[is_other]}"
        if lines and is_loose:
            lines.append("")
        lines += _item(marker, item)
    return lines


def _is_loose(node: SyntaxTreeNode) -> bool:
    items = (block for item in node.children for block in item.children)
    return any(block.type == "paragraph" and not block.hidden for block in items)


def _item(marker: str, item: SyntaxTreeNode) -> list[str]:
    first, *rest = _blocks(item.children) or [""]
    indent = " " * (len(marker) + 1)
    words = _CHECKBOX.sub(r"[\1]", first, count=1) if _CHECKBOX.match(first) else first
    return [f"{marker} {words}" if words else marker, *(f"{indent}{line}" if line else "" for line in rest)]


def _table(node: SyntaxTreeNode) -> Iterator[str]:
    head, *body = (row for part in node.children for row in part.children)
    yield _row(_cell(cell) for cell in head.children)
    yield _row(_alignment(cell) for cell in head.children)
    yield from (_row(_cell(cell) for cell in row.children) for row in body)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _alignment(cell: SyntaxTreeNode) -> str:
    return _ALIGNMENTS.get(str(cell.attrs.get("style", "")).removeprefix("text-align:"), "---")


def _cell(node: SyntaxTreeNode) -> str:
    tokens = _inline(node)
    for token in tokens:
        if token.type == "code_inline":
            token.content = token.content.replace("|", "\\|")
    return single_line(tokens)


def _language(info: str) -> str:
    name = next(iter(info.split()), "")
    is_active = name.casefold() in _ACTIVE_LANGUAGES
    return name if _LANGUAGE.fullmatch(name) and not is_active else ""


def _fence(code: str, language: str) -> list[str]:
    """A code block whose own backticks cannot end it."""
    guarded = guard_block(code)
    mark = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(guarded)), default=0))
    return [f"{mark}{language}", *(guarded.split("\n") if guarded else ()), mark]


def _rule(_: SyntaxTreeNode) -> Iterator[str]:
    # Not dashes, which could underline a heading or be taken for a list.
    yield "___"


_OTHER_BLOCKS: dict[str, Callable[[SyntaxTreeNode], Iterator[str]]] = {
    "heading": _heading,
    "blockquote": _quote,
    "table": _table,
    "hr": _rule,
}
