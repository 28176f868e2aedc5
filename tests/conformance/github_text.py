"""What a text does on GitHub: what it notifies, closes, loads, runs or hides, as a CommonMark renderer reads it."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from markdown_it import MarkdownIt
from markdown_it.token import Token


class Effect(StrEnum):
    """Something that happens, or that a reader sees, because of words alone."""

    MENTION = "mentions somebody"
    CLOSE = "closes an issue"
    IMAGE = "loads a picture"
    HTML = "is raw HTML"
    COMMAND = "commands another bot"
    SKIP = "keeps CI from running"


_CODE = "\x00"  # stands for a code span
_WORDS = {
    # GitHub looks for names in what is shown, after markup and entities have been read.
    Effect.MENTION: re.compile(r"(?<![A-Za-z0-9])@(?=[A-Za-z0-9])"),
    Effect.CLOSE: re.compile(
        r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+"
        r"(?:[\w./-]*#\d|GH-\d|<?https?://\S+/(?:issues|pull)/\d)",
        re.IGNORECASE,
    ),
    Effect.COMMAND: re.compile(r"^\s*(?:/[a-z][a-z-]*\b(?!/)|bors\s+\w|@[\w-]+\s+\w)", re.MULTILINE),
}
_SKIP = re.compile(
    r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]|^skip-checks:\s*true",
    re.IGNORECASE | re.MULTILINE,
)
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_KINDS = {"image": Effect.IMAGE, "html_inline": Effect.HTML, "html_block": Effect.HTML}


def effects(markdown: str) -> frozenset[Effect]:
    """What a body or a comment does, outside code."""
    return frozenset(_effects(_MARKDOWN.parse(markdown)))


def effects_of_line(text: str) -> frozenset[Effect]:
    """What a title or the message of a commit does: it is no Markdown, and has no code."""
    found = {effect for effect, words in _WORDS.items() if words.search(text)}
    return frozenset(found | ({Effect.SKIP} if _SKIP.search(text) else set()))


def _effects(tokens: Sequence[Token]) -> Iterator[Effect]:
    for token in tokens:
        if token.type in _KINDS:
            yield _KINDS[token.type]
        if token.children is not None:
            yield from _effects(token.children)
            shown = "".join(map(_shown, token.children))
            yield from (effect for effect, words in _WORDS.items() if words.search(shown))


def _shown(token: Token) -> str:
    """What is read of a token; a link also says where it leads."""
    if token.type == "link_open":
        return f"{token.attrs['href']} "
    return {"code_inline": _CODE, "softbreak": "\n", "hardbreak": "\n"}.get(token.type, token.content)
