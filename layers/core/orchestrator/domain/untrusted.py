"""Text that strangers wrote: made visible, and fenced so that it cannot end its own fence."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator

_LINE_BREAKS = frozenset("\n\t")
# Invisible although Unicode counts them as letters and marks: fillers, grapheme joiner, variation selectors.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0d\uffa0\U000e0000-\U000e0fff]"
)
# Emoji and several scripts need joiners and two of the selectors, but no row of them, and no joiner after ASCII.
_NEEDED = "\u200c\u200d\ufe0e\ufe0f"
_JOINING = re.compile(
    rf"(?<![{_NEEDED}])(?:(?<=[^\x00-\x7f])[\ufe0e\ufe0f]?[\u200c\u200d]|[\ufe0e\ufe0f])(?![{_NEEDED}])"
    rf"|(?P<stray>[{_NEEDED}])"
)

# What looks like a credential, by its form or by the name before it. Short tails count: a text may have been cut.
_CREDENTIAL = re.compile(
    r"""
    (?<![A-Za-z0-9])(?:gh[a-z]_|github_pat_|glpat-|sk-ant-|sk-proj-|xox[a-z]-|ATATT)[\w-]{4,}
    |(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{4,}
    |(?<![A-Za-z0-9])eyJ[\w-]{8,}(?:\.[\w-]*)*
    |-----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY.*
    |(?<=://)[^\s/@]+(?=@)
    |(?P<name>
        (?:passw(?:or)?d|pwd|secret|token|api[_-]?key|access[_-]?key|authorization|credential)s?["']?\s*[=:]\s*
        |(?<![\w-])--[\w-]*(?:password|secret|token|key)\s+
        |\bbearer\s+
    )(?:"[^"]*"?|'[^']*'?|(?:(?:bearer|basic|token)\s+)?[^\s&;,"']+)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_LONGEST_SCRUBBED = 4000


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


# Half a surrogate pair, which JSON can carry and UTF-8 cannot, becomes a question mark.
StorableText = Annotated[str, AfterValidator(_storable)]


def visible(text: str) -> str:
    """Invisible format and control characters written out, so that model and reader see the same text."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    shown = "".join(map(_shown, _BLANK.sub(lambda blank: _name(blank[0]), unified)))
    return _JOINING.sub(lambda joining: _name(joining[0]) if joining["stray"] else joining[0], shown)


def _name(character: str) -> str:
    return f"<U+{ord(character):04X}>"


def _shown(character: str) -> str:
    if character.isprintable() or character in _LINE_BREAKS or character in _NEEDED:
        return character
    if unicodedata.category(character) in {"Cf", "Cc", "Cs"}:
        return _name(character)
    return character


def one_line(text: str, limit: int) -> str:
    """The text as one line of at most `limit` characters, for titles."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def scrubbed(text: str, limit: int) -> str:
    """One line of at most `limit` characters for the log, with what looks like a credential taken out."""
    line = one_line(text[:_LONGEST_SCRUBBED], 2 * _LONGEST_SCRUBBED)
    return one_line(_CREDENTIAL.sub(lambda found: f"{found['name'] or ''}[…]", line), limit)


def fenced(tag: str, text: str, nonce: str) -> str:
    """The text between tags that it cannot forge, since `nonce` was drawn after it was written."""
    name = f"{tag}-{nonce}"
    # Not replaced by nothing: what stood around it could close up to another one.
    return f"<{name}>\n{visible(text).replace(nonce, '[…]')}\n</{name}>"
