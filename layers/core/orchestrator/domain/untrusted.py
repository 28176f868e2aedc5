"""Text that strangers wrote: made visible, bounded, and fenced so that it cannot end its own fence."""

import unicodedata

# Emoji and several scripts need the joiners; every other format character can only hide something.
_JOINERS = frozenset("\u200c\u200d")
_LINE_BREAKS = frozenset("\n\t")


def visible(text: str) -> str:
    """Invisible format and control characters written out, so that model and reader see the same text."""
    return "".join(_shown(character) for character in text.replace("\r\n", "\n").replace("\r", "\n"))


def _shown(character: str) -> str:
    if character.isprintable() or character in _LINE_BREAKS or character in _JOINERS:
        return character
    if unicodedata.category(character) in {"Cf", "Cc", "Cs"}:
        return f"<U+{ord(character):04X}>"
    return character


def one_line(text: str, limit: int) -> str:
    """The text as one line of at most `limit` characters, for titles."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def bounded(text: str, limit: int) -> str:
    """The first `limit` characters, with a sentence that says how much is missing."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n[cut here: {len(text) - limit} more characters are in the ticket]"


def fenced(tag: str, text: str, nonce: str) -> str:
    """The text between tags that it cannot forge, since `nonce` was drawn after it was written."""
    name = f"{tag}-{nonce}"
    return f"<{name}>\n{visible(text).replace(nonce, '')}\n</{name}>"
