"""Long Markdown cut into comments. Lines only: what the Markdown means is the adapters' business."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MARKER = r"(?:[-*+]|\d{1,9}[.)])"
_STARTS_BLOCK = re.compile(rf"\s*{_MARKER}\s|#{{1,6}}\s")
# A fence may open on the line of a list item; the info string of a backtick fence holds no backtick.
_FENCE = re.compile(rf"(?P<lead>\s*(?:{_MARKER}\s+)*)(?P<fence>`{{3,}}(?=[^`]*$)|~{{3,}})(?P<info>.*)")
_RULE_CELL = re.compile(r":?-++:?")
_DEEPEST_TABLE = 3
_TOO_DEEP = re.compile(rf"[ \t]{{4,}}(?:{_MARKER}\s|```|~~~)")


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that are best kept together, and the frame that a piece of them needs to stand alone."""

    text: str
    body: str = ""
    first: tuple[str, str] = ("", "")
    others: tuple[str, str] = ("", "")


def split_markdown(text: str, limit: int) -> tuple[str, ...]:
    """The text in parts of at most `limit` characters; blank text gives one empty part.

    Cut between blocks, else between lines, else at spaces, else anywhere. A cut fence is closed and opened
    again, a cut table repeats its header. Only white space around a cut goes.
    """
    if limit < 1:
        raise ValueError(f"A part must hold at least one character, not {limit}.")
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(unified) <= limit:
        return (unified.strip("\n") if unified.strip() else "",)
    pieces = (piece for block in _blocks(unified) for piece in _pieces(block, limit))
    parts = (part.strip("\n") for part in _packed(pieces, limit))
    return tuple(part for part in parts if part.strip()) or ("",)


def _packed(pieces: Iterable[str], limit: int) -> Iterator[str]:
    part: list[str] = []
    size = 0
    for piece in pieces:
        # Line ends at the end of a part are stripped, so they need no room.
        if part and size + len(piece.rstrip("\n")) > limit:
            yield "".join(part)
            part, size = [], 0
        part.append(piece if part else _outdented(piece))
        size += len(part[-1])
    yield "".join(part)


def _outdented(piece: str) -> str:
    """The piece as the start of a part: nested lists and fences would be read as indented code there."""
    return textwrap.dedent(piece) if _TOO_DEEP.match(piece) else piece


def _pieces(block: _Block, limit: int) -> Iterator[str]:
    if len(block.text.rstrip("\n")) <= limit:
        yield block.text
        return
    frame = max(len(head + tail) + 1 for head, tail in (block.first, block.others))
    # With most of a part spent on repeating the frame there would be no end of parts.
    if not block.body or frame > limit // 2:
        yield from _chunks(block.text, limit)
        return
    for number, chunk in enumerate(_chunks(block.body, limit - frame)):
        head, tail = block.others if number else block.first
        yield f"{head}{chunk.removesuffix('\n')}\n{tail}"


def _chunks(text: str, room: int) -> Iterator[str]:
    start = 0
    while len(text) - start > room:
        end = _cut(text, start, start + room)
        yield text[start:end]
        start = end
    yield text[start:]


def _cut(text: str, start: int, end: int) -> int:
    for separator in ("\n", " "):
        found = text.rfind(separator, start, end)
        if found > start:
            return found + 1
    return end


def _blocks(text: str) -> Iterator[_Block]:
    """The whole text as blocks, each with the blank lines that follow it."""
    # Not splitlines: form feeds and U+2028 end no line in Markdown.
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    start = 0
    while start < len(lines):
        end, block = _fence(lines, start) or _table(lines, start) or _prose(lines, start)
        yield block
        start = end


def _fence(lines: list[str], start: int) -> tuple[int, _Block] | None:
    opening = _FENCE.match(lines[start].rstrip("\n"))
    if opening is None:
        return None
    mark = opening["fence"]
    closing = re.compile(rf"\s*{mark}{mark[0]}*\s*")
    end = next((n for n in range(start + 1, len(lines)) if closing.fullmatch(lines[n])), len(lines))
    body = "".join(lines[start + 1 : end])
    return min(end + 1, len(lines)), _fence_block("".join(lines[start : end + 1]), body, opening)


def _fence_block(text: str, body: str, opening: re.Match[str]) -> _Block:
    lead, char = opening["lead"], opening["fence"][0]
    # A cut inside a line may leave a row of backticks alone on a line: it must not close the fence.
    inner = max(map(len, re.findall(f"{char}+", body)), default=0)
    mark = char * max(len(opening["fence"]), inner + 1)
    head = f"{mark}{opening['info']}\n"
    return _Block(text, body, (lead + head, f"{' ' * len(lead)}{mark}\n"), (head, f"{mark}\n"))


def _table(lines: list[str], start: int) -> tuple[int, _Block] | None:
    if not _is_table(lines, start):
        return None
    end = next((n for n in range(start, len(lines)) if not lines[n].strip()), len(lines))
    head = "".join(lines[start : start + 2])
    body = "".join(lines[start + 2 : end])
    return end, _Block("".join(lines[start:end]), body, (head, ""), (head, ""))


def _is_table(lines: list[str], start: int) -> bool:
    header, rule = lines[start], "".join(lines[start + 1 : start + 2]).rstrip("\n")
    return "|" in header and "|" in rule and _is_rule(rule)


def _is_rule(line: str) -> bool:
    """Whether the line separates a table's header from its rows, as in `| --- | :-: |`."""
    text = line.strip(" ")
    if text.startswith("|") and len(line) - len(line.lstrip(" ")) > _DEEPEST_TABLE:
        return False
    cells = text.removeprefix("|").removesuffix("|").split("|")
    return all(_RULE_CELL.fullmatch(cell.strip(" ")) for cell in cells)


def _prose(lines: list[str], start: int) -> tuple[int, _Block]:
    end = next((n for n in range(start + 1, len(lines)) if _starts_block(lines, n)), len(lines))
    return end, _Block("".join(lines[start:end]))


def _starts_block(lines: list[str], number: int) -> bool:
    after_blank = not lines[number - 1].strip() and bool(lines[number].strip())
    opens = _STARTS_BLOCK.match(lines[number]) or _FENCE.match(lines[number].rstrip("\n"))
    return after_blank or opens is not None or _is_table(lines, number)
