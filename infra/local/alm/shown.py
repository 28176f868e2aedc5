"""What commands print: tables for people, JSON for scripts. Text of tickets and agents is shown, never obeyed."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.domain.untrusted import visible


def plain(value: object) -> Text:
    """The value as text: no markup, no terminal escapes, no invisible characters."""
    return Text("".join(_inert(character) for character in visible(str(value))))


def _inert(character: str) -> str:
    return character if character.isprintable() or character in "\n\t" else "�"


def say(text: object) -> None:
    """A line for the person."""
    _console().print(plain(text), soft_wrap=True)


def say_bytes(content: bytes) -> None:
    """The bytes as they are, for the next program; on a terminal, what it would obey is made visible."""
    if sys.stdout.isatty():
        say(content.decode("utf-8", "replace"))
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def say_json(value: Any) -> None:
    """The value for a script; escapes in it stay escaped."""
    print(json.dumps(value, indent=2))


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows under headers, as wide as they need where nobody looks."""
    made = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        made.add_row(*map(plain, row))
    console = _console()
    if not console.is_terminal:
        console.width = 400
    console.print(made)


def _console() -> Console:
    return Console(highlight=False)
