"""Untrusted Markdown parsed within bounds by markdown-it-py, for every adapter that writes it down again.

The parser knows CommonMark, tables and strikethrough. HTML stays text, so that nothing is hidden from the reader.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from orchestrator.domain.untrusted import visible

# The parser's time grows with the length times the nesting: 40,000 characters take at most about 4 s of CPU.
MAX_CHARS = 40_000
# The parser drops what is nested deeper.
MAX_NESTING = 24
# The parser fills short rows up to the width of the header, so that a few lines become a million cells.
MAX_CELLS = 10_000
_RULE_CHARACTERS = frozenset("|:-+*>.) \t0123456789")

_WEB = ("https://", "http://", "mailto:")
# The flag for case must not reach the ranges: some letters beyond ASCII are cases of `i`, `k` and `s`.
_ADDRESS = re.compile(
    r"(?<![A-Za-z])(?:(?i:https?)://|(?<![\w.@/-])(?i:www)\.(?=[\w-]{1,63}\.))[^\s<>\"'`|\\^{}\x00-\x20\x7f-\U0010ffff]+"
)
# In a link's text: an address, a domain or an e-mail address. A file name such as `cart.py` counts as a domain.
_LOOKS_LIKE_ADDRESS = re.compile(r"://|\bwww\.|[^\W_]\.[^\W\d_]{2}")
_SCHEME = re.compile(r"^(?:https?://|mailto:)?(?:www\.)?", re.IGNORECASE)


def parse(markdown: str) -> list[Token]:
    """The block tokens of at most `MAX_CHARS` characters. Raises ValueError if it is longer or nested too deep."""
    if len(markdown) > MAX_CHARS:
        raise ValueError("longer than the parser's bound")
    env: dict[str, Any] = {}
    tables = _most_cells(markdown) <= MAX_CELLS
    tokens = _parser(references=True, tables=tables).parse(markdown, env)
    # "[^1]: word" reads as a link definition and would vanish: only addresses may hide in one.
    if not all(is_web(definition["href"]) for definition in _definitions(env)):
        tokens = _parser(references=False, tables=tables).parse(markdown)
    if max((token.level for token in tokens), default=0) >= MAX_NESTING - 1:
        raise ValueError("nested deeper than the parser goes")
    for text in _texts(tokens):
        # Entities are decoded by now: `&#x202e;` is as good as the character.
        text.content = visible(text.content)
    return tokens


def _definitions(env: dict[str, Any]) -> list[dict[str, str]]:
    return [*env.get("references", {}).values(), *env.get("duplicate_refs", ())]


def _texts(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from (child for child in token.children or () if child.type == "text")


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
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING})
    parser.enable(["table", "strikethrough"] if tables else ["strikethrough"])
    return parser if references else parser.disable("reference")


def is_web(href: str) -> bool:
    """Whether a link may lead there: the web or a mailbox."""
    return href.lower().startswith(_WEB)


def is_deceptive(shown: str, href: str) -> bool:
    """Whether a link's text looks like an address, but not like the beginning of the one the link leads to."""
    # Other signs that look like a dot become one.
    text = unicodedata.normalize("NFKC", shown).replace("\u3002", ".").strip()
    if not _LOOKS_LIKE_ADDRESS.search(text):
        return False
    wanted, real = _without_scheme(text), _without_scheme(href)
    # The host has to be there as a whole: `bank.example` is no beginning of `bank.example.evil.example`.
    return not (real == wanted or real.startswith((f"{wanted}/", f"{wanted}?", f"{wanted}#")))


def _without_scheme(address: str) -> str:
    return _SCHEME.sub("", unquote(address)).casefold().rstrip("/")


def split_addresses(text: str) -> Iterator[tuple[str, str]]:
    """The text in pieces, each with the address it leads to: empty for what is no bare web address."""
    end = 0
    for found in _ADDRESS.finditer(text):
        address = _without_punctuation(found.group())
        yield text[end : found.start()], ""
        yield address, address if "://" in address[:8] else f"http://{address}"
        end = found.start() + len(address)
    yield text[end:], ""


def _without_punctuation(address: str) -> str:
    """The address without what ends the sentence around it."""
    address = address.rstrip(".,:;!?*_~]")
    extra = address.count(")") - address.count("(")
    tail = sum(1 for _ in takewhile(")".__eq__, reversed(address)))
    return address[: len(address) - max(0, min(extra, tail))].rstrip(".,:;!?*_~]")


def link_end(tokens: list[Token], start: int) -> int:
    """The index of the `link_close` for the `link_open` at `start`; links do not nest."""
    return next(at for at in range(start, len(tokens)) if tokens[at].type == "link_close")


def shown_text(tokens: list[Token]) -> str:
    """What a reader sees of inline tokens, without formatting."""
    return "".join(" " if token.type.endswith("break") else token.content for token in tokens)
