"""Measures how the CPU time of a function grows with hostile input: families of input, and the judgement."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import process_time
from typing import Any

# Characters of the largest input. A small one comes first, so that a function that would never end is caught there.
LARGEST = 8_000
FIRST = 16
# Below this nothing can be measured, and nothing is slow.
FLOOR_S = 0.02
# A linear function takes twice as long for twice the input, a quadratic one four times.
MOST_GROWTH = 3.0
# From here on it is measured several times.
SUSPECT = 2.4
# For any input up to the largest.
MOST_S = 1.5
REPEATS = 3

type Family = Callable[[int], str]


class TooSlowError(Exception):
    """The function was interrupted."""


def _repeated(piece: str) -> Family:
    return lambda size: (piece * (size // len(piece) + 1))[:size]


def _around(head: str, piece: str, tail: str) -> Family:
    return lambda size: f"{head}{_repeated(piece)(size)}{tail}"


def _deeper(piece: str) -> Family:
    """Lines, each one level deeper than the one before."""

    def lines(size: int) -> str:
        deepest = int((2 * size / len(piece)) ** 0.5)
        return "\n".join(f"{piece * level}x" for level in range(deepest))

    return lines


def _longer(char: str) -> Family:
    """Runs of a character, each longer than the one before: none closes another."""

    def runs(size: int) -> str:
        return "a".join(char * length for length in range(1, int((2 * size) ** 0.5)))

    return runs


_PIECES = {
    "spaces": " ",
    "tabs": "\t",
    "newlines": "\n",
    "blank lines": " \n",
    "carriage returns": "\r",
    "backticks": "`",
    "backticks apart": "` ",
    "asterisks": "*",
    "emphasis opened": "**a ",
    "emphasis mixed": "*a _b **c ",
    "emphasis around": "*a* _b_ ",
    "underscores": "_",
    "tildes": "~",
    "strikethrough": "~~a ",
    "brackets opened": "[",
    "brackets closed": "]",
    "links opened": "[a](",
    "links of links": "[a](<",
    "images opened": "![",
    "images": "![a](b) ",
    "link definitions": "[a]: b\n",
    "footnotes": "[^a]: b\n",
    "reference links": "[a][b] ",
    "pipes": "|",
    "table cells": "|a",
    "table rows": "|a|b|\n|-|-|\n",
    "table rules": "| - ",
    "less than": "<",
    "tags": "<a ",
    "autolinks": "<http://a",
    "comments": "<!-- ",
    "ampersands": "&",
    "entities": "&amp;",
    "numeric entities": "&#1",
    "at signs": "@",
    "mentions": "@a ",
    "hashes": "#",
    "references": "#1 ",
    "digits": "1",
    "numbers": "1.",
    "letters": "a",
    "words": "aa bb ",
    "dots": "a.",
    "dashes": "a-",
    "hyphens": "-",
    "backslashes": "\\",
    "quotes": '"',
    "apostrophes": "'",
    "parentheses": "(",
    "braces": "{",
    "colons": ": ",
    "semicolons": "; r=",
    "slashes": "/",
    "parents": "../",
    "combining": "a\u0301",
    "invisible": "\u200d",
    "joined": "é\u200d",
    "variation selectors": "\ufe0f",
    "nulls": "\0",
    "unwritable": "\ufffe",
    "addresses": "https://a/b/c ",
    "pull addresses": "https://a/b/c/pull/",
    "address in address": "https://",
    "fences of tildes": "~~~x\n",
    "fences of backticks": "```x\n",
    "fences in lists": "- ```x\n",
    "list markers": "- ",
    "list lines": "- a\n",
    "numbered lines": "1. a\n",
    "quotes of quotes": ">",
    "quote lines": "> a\n",
    "headings": "# a\n",
    "setext": "a\n=\n",
    "checkboxes": "- [ ] a\n",
    "PR": "PR ",
    "PR and spaces": "PR" + " " * 200,
    "invalid ticket": "invalid ticket ",
    "passwords": "password=",
    "bearer": "bearer ",
    "web tokens": "eyJaaaaaaaa.",
    "private keys": "-----BEGIN PRIVATE KEY",
    "options": "--a",
    "refusals": ": Permission denied\n",
    "refusals in a line": ": Permission denied ",
    "missing files": "/etc/x: No such file or directory ",
    "ssh": "ssh: : ",
    "mount": "mount: ",
    "exit codes": "Exit code 126\n: ./a",
    "connections": ": Failed to connect to a",
    "job folders": "/alm-job-a",
    "ARNs": "arn:aws:",
    "kills": "kill -1 ",
    "hunks": "@@ -1 +1 @@\n+a\n",
    "marks": "<!-- alm-finding: ",
    "models": "opus-4-",
    "JSON lists": "[1,",
}
FAMILIES: Mapping[str, Family] = {
    **{name: _repeated(piece) for name, piece in _PIECES.items()},
    "PR, spaces, x": _around("PR", " ", "x"),
    "pull request, spaces, x": _around("pull", " ", "request x"),
    "address, then parentheses": _around("https://a.b/", ")", ""),
    "address, then dots": _around("https://a.b/", ".", "a"),
    "word, then spaces": _around("a", " ", "a"),
    "bar, then spaces": _around("|a|\n|-", " ", "a|"),
    "backtick runs": _longer("`"),
    "asterisk runs": _longer("*"),
    "deeper lists": _deeper("  - "),
    "deeper quotes": _deeper("> "),
    "deeper indents": _deeper("  "),
    "wide and long table": lambda size: (
        "|" + "a|" * (size // 6) + "\n|" + "-|" * (size // 6) + "\na" * (size // 6)
    ),
    "many wide tables": lambda size: (
        (f"|{'a|' * 80}\n|{'-|' * 80}\n" + "a\n" * 160 + "\n") * (size // 650 + 1)
    ),
    "lazy quotes": lambda size: "> " * 18 + "a\n" * (size // 2),
    "lazy lists": lambda size: "- " * 18 + "a\n" * (size // 2),
    "images in emphasis": _repeated("![*"),
    "escaped quotes": _repeated('\\"'),
    "longer fences": lambda size: "\n".join("`" * n for n in range(3, int((2 * size) ** 0.5))),
}


def adf_families() -> Mapping[str, Callable[[int], Any]]:
    """Documents of about that many nodes."""
    return {
        "wide paragraph": lambda size: _doc(_node("paragraph", *[_text("a")] * size)),
        "different marks": lambda size: _doc(_node("paragraph", *_marked(size))),
        "many paragraphs": lambda size: _doc(*[_node("paragraph", _text("a"))] * size),
        "many marks": lambda size: _doc({"type": "text", "text": "a", "marks": [{"type": "em"}] * size}),
        "deep lists": lambda size: _doc(_nested(size, "bulletList", "listItem")),
        "deep quotes": lambda size: _doc(_nested(size, "blockquote")),
        "deep panels": lambda size: _doc(_nested(size, "panel")),
        "deep tasks": lambda size: _doc(_nested(size, "taskList", "taskItem")),
        "deep unknown": lambda size: _doc(_nested(size, "x")),
        "deep tables": lambda size: _doc(_nested(size, "table", "tableRow", "tableCell")),
        "deep lists of lines": lambda size: _doc(
            _nested(40, "bulletList", "listItem", inner=[_node("paragraph", _text("a\n" * size))])
        ),
        "wide list": lambda size: _doc(_node("bulletList", *[_node("listItem", _text("a"))] * size)),
        "wide row": lambda size: _doc(_node("table", _node("tableRow", *[_node("tableCell")] * size))),
        "many rows": lambda size: _doc(_node("table", *[_node("tableRow", _node("tableCell"))] * size)),
        "hard breaks": lambda size: _doc(_node("paragraph", *[{"type": "hardBreak"}] * size)),
        "backticks in code": lambda size: _doc(_node("codeBlock", *[_text("`")] * size)),
        "list in list": _listed,
        "deep attributes": lambda size: _doc({"type": "date", "attrs": {"timestamp": "1" * size}}),
    }


def _doc(*content: Any) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": list(content)}


def _node(kind: str, *content: Any) -> dict[str, Any]:
    return {"type": kind, "content": list(content)}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _marked(size: int) -> list[dict[str, Any]]:
    marks = ([{"type": "em"}], [{"type": "strong"}])
    return [{"type": "text", "text": "a ", "marks": marks[number % 2]} for number in range(size)]


def _nested(size: int, *kinds: str, inner: Any = ()) -> dict[str, Any]:
    content = list(inner) or [_text("a")]
    for number in range(size):
        content = [_node(kinds[number % len(kinds)], *content)]
    whole: dict[str, Any] = content[0]
    return whole


def _listed(size: int) -> Any:
    value: Any = "a"
    for _ in range(size):
        value = [value]
    return value


def fault(function: Callable[[Any], object], family: Callable[[int], Any], largest: int = LARGEST) -> str:
    """How the function fails on the family; empty where its time grows about linearly."""
    times = []
    for size in (largest // FIRST, largest // 2, largest):
        times.append(_spent_s(function, family(size)))
        if times[-1] > MOST_S:
            return f"takes more than {MOST_S:.1f} s for size {size}"
    _, half_s, whole_s = times
    if whole_s > FLOOR_S and whole_s > SUSPECT * half_s and _grows(function, family, largest):
        return f"takes {half_s:.3f} s for size {largest // 2}, {whole_s:.3f} s for size {largest}"
    return ""


def _grows(function: Callable[[Any], object], family: Callable[[int], Any], size: int) -> bool:
    """Whether it takes too much longer for the size than for half of it, and again for twice the size.

    Once may be a threshold. The least of several times is the one that nothing disturbed.
    """
    times = []
    for measured in (size // 2, size, size * 2):
        value = family(measured)
        times.append(min(_spent_s(function, value) for _ in range(REPEATS)))
    half_s, whole_s, twice_s = times
    return whole_s > MOST_GROWTH * half_s and twice_s > min(MOST_S, MOST_GROWTH * whole_s)


def _spent_s(function: Callable[[Any], object], value: Any) -> float:
    began = process_time()
    try:
        with _interrupted_after(MOST_S):
            function(value)
    except TooSlowError:
        return 2 * MOST_S
    return process_time() - began


@contextmanager
def _interrupted_after(cpu_s: float) -> Iterator[None]:
    """Raise in the function once it has used that much: a cubic one would never end."""

    def interrupt(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_s, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
