"""Inline Markdown for GitHub: escaped, without images and hidden addresses, broken where something would act."""

import re
from collections.abc import Iterator

from markdown_it.token import Token

from orchestrator.adapters.github_text import BREAK, COMMAND, break_references, guard_span, is_marker
from orchestrator.adapters.markdown_tokens import (
    is_deceptive,
    is_web,
    link_end,
    shown_text,
    split_addresses,
)

_MARKS = {"strong": "**", "em": "*", "s": "~~"}
_SPECIAL = re.compile(
    r"[\\`*\[\]~|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|<|&(?=[#A-Za-z])|!(?=\[|$)|(?<=\$)$|[^\S ]"
)
_NAMED = {"<": "&lt;", "&": "&amp;", "": BREAK}
_WORD = re.compile(r"[A-Za-z0-9]")
_BACKTICKS = re.compile(r"`+")
# What needs no percent sign in an address; the rest could end it or mean something around it.
_NO_ADDRESS_CHARACTER = re.compile(r"[^A-Za-z0-9\-._~:/?#&=+,%]")
_LEAD = re.compile(r"(?:\\\[[ xX]\\\] )?(?:&#\d{1,6};|[ *\[]|~~)*")
_FORMATTING = str.maketrans(dict.fromkeys("*~[]<\\"))
_LONGEST_COMMAND = 100
_BLOCK_START = re.compile(r"(?P<number>\d{1,9})(?=[.)])|(?=[#>+\-=:])")


def lines_of(tokens: list[Token]) -> list[str]:
    """A paragraph's lines. None begins with a command or reads as the start of another block."""
    return [guard_line(line.strip(" ")) for line in "".join(_pieces(tokens)).split("\n")]


def single_line(tokens: list[Token]) -> str:
    """The same for a heading or a cell, which are one line."""
    spaced = [_space() if token.type.endswith("break") else token for token in tokens]
    return " ".join(lines_of(spaced))


def _space() -> Token:
    return Token("text", "", 0, content=" ")


def guard_line(line: str) -> str:
    """The line, a U+200B before a command, a backslash before what begins a heading, a list, a quote or a table."""
    lead = _LEAD.match(line)
    at = lead.end() if lead else 0
    if COMMAND.match(line[at : at + _LONGEST_COMMAND].translate(_FORMATTING)):
        return f"{line[:at]}{BREAK}{line[at:]}"
    if start := _BLOCK_START.match(line):
        return f"{start['number'] or ''}\\{line[start.end() :]}"
    return line


def _pieces(tokens: list[Token], *, in_link: bool = False, before_link: bool = False) -> Iterator[str]:
    leads = _leads_to_link(tokens, before_link)
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.type == "link_open":
            end = link_end(tokens, at)
            yield _link(tokens[at + 1 : end], str(token.attrs.get("href", "")), before_link=leads[end])
            at = end
        elif token.type == "text":
            yield from _text(token.content, in_link=in_link, before_link=leads[at])
        else:
            yield _other(token, in_link=in_link)
        at += 1


def _leads_to_link(tokens: list[Token], found: bool) -> list[bool]:
    """Of each token, whether only formatting and signs stand between it and a link; `found` is the end's."""
    leads = []
    for token in reversed(tokens):
        leads.append(found)
        if token.type in {"link_open", "image"}:
            found = True
        elif _WORD.search(token.content):
            before_address, _ = next(split_addresses(token.content))
            found = token.type == "text" and not _WORD.search(before_address)
    return leads[::-1]


def _other(token: Token, *, in_link: bool) -> str:
    match token.type:
        case "hardbreak":
            return "\\\n"
        case "softbreak":
            return "\n"
        case "code_inline":
            return code_span(token.content)
        case "image":
            return _image(token, in_link=in_link)
        case _:
            return _MARKS[token.tag]


def code_span(content: str) -> str:
    """Code within a line, in as many backticks as it needs."""
    code = guard_span(content)
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(code)), default=0))
    is_padded = code[:1] in {"`", " "} or code[-1:] in {"`", " "}
    pad = " " if is_padded and code.strip() else ""
    return f"{fence}{pad}{code}{pad}{fence}"


def _text(text: str, *, in_link: bool, before_link: bool) -> Iterator[str]:
    pieces = [(text, "")] if in_link else list(split_addresses(text))
    for at, (piece, address) in enumerate(pieces):
        if address:
            yield _bare(piece, address)
        else:
            is_last = at == len(pieces) - 1
            yield _escaped(break_references(piece, before_link=before_link or not is_last))


def _bare(shown: str, address: str) -> str:
    target = _target(address)
    return f"<{target}>" if shown == address else f"[{_escaped(break_references(shown))}](<{target}>)"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character in _NAMED:
        return _NAMED[character]
    if character in "\n\t\u2028\u2029":
        return " "
    return f"&#{ord(character)};" if character.isspace() else f"\\{character}"


def _link(inner: list[Token], href: str, *, before_link: bool) -> str:
    """The link; where its text could be taken for another address, both, and each leads where it says."""
    shown = shown_text(inner)
    if not is_web(href):
        address = "".join(_text(href, in_link=True, before_link=False))
        words = "".join(_pieces(inner, before_link=before_link))
        return f"{words} ({address})" if href else words
    target = _target(href)
    is_plain = href.lower().startswith("http") and shown in {"", href}
    if is_plain:
        return f"<{target}>"
    if is_deceptive(shown, href) or any(token.type == "image" for token in inner):
        return f"{''.join(_pieces(inner, before_link=True))} ({_bare(target, target)})"
    words = "".join(_pieces(inner, in_link=True, before_link=before_link))
    # The brackets of the link would make a CI marker of `skip ci`.
    return f"[{BREAK if is_marker(words) else ''}{words}](<{target}>)"


def _image(token: Token, *, in_link: bool) -> str:
    """What the image is called, and its address to be followed by hand."""
    source, name = str(token.attrs.get("src", "")), _escaped(break_references(token.content))
    if is_web(source) and not in_link:
        address = f"<{_target(source)}>"
    else:
        address = "".join(_text(source, in_link=True, before_link=False))
    return f"{name} ({address})" if name and address else name or address


def _target(href: str) -> str:
    kept = "@" if href.lower().startswith("mailto:") else ""
    return _NO_ADDRESS_CHARACTER.sub(lambda found: found[0] if found[0] in kept else _percent(found[0]), href)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
