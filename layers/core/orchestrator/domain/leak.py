"""What looks like a secret in a change: where it is, and what the ticket says of it. Never the value."""

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.domain.publishable import shown
from orchestrator.domain.secret_allow import ALLOW_FILE

MOST_NAMED = 10
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD_BYTES = 1_000


@dataclass(frozen=True)
class Leak:
    """One value. `line` counts from 1 in the new file; 0 means the path itself, which is redacted then."""

    path: str
    line: int
    rule: str


def text_of(content: bytes) -> str:
    """The text of a file in whatever encoding it is: bytes that are none become one character each."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    head = content[:_HEAD_BYTES]
    # ASCII text in UTF-16 without a mark: every other byte is NUL.
    if head and head.count(0) * 3 > len(head):
        return content.decode("utf-16-le" if not any(head[1::2]) else "utf-16-be", "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def leak_reason(leaks: Iterable[Leak]) -> str:
    """Why nothing is published, where the values are, and what people can do, as Markdown."""
    named = [f"- {_place(leak)}: `{leak.rule}`" for leak in leaks]
    more = [f"- and {len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
    lines = "\n".join((*named[:MOST_NAMED], *more))
    return (
        f"Nothing was published, since the change holds what looks like a secret (path, line, rule):\n\n{lines}\n\n"
        "Nobody should publish this change by hand as it is. "
        "If a value is a real credential, renew it: the agent has read or written it. If it is a false alarm, add a "
        f"line with the path, the rule and the SHA-256 of the value to `{ALLOW_FILE}` on the default branch, and run "
        "the action again."
    )


def _place(leak: Leak) -> str:
    return f"{shown(leak.path)} line {leak.line}" if leak.line else f"{shown(leak.path)}, the name itself"
