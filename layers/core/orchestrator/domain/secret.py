"""Secrets in text: where one is, what replaces it, and the text as a reader of its Markdown sees it.

How a secret is recognised is not decided here: that is the scanner's, behind the port `SecretScanner`.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from orchestrator.errors import JobFailed

# Markup that a renderer removes, so that the characters around it become neighbours: comments, tags, entities, the
# end of a link, escapes, emphasis and code marks, and characters without width. Every repetition has an upper bound.
_MARKUP = re.compile(
    r"""
      <!--.{0,200}?-->
    | </?[A-Za-z][^<>]{0,200}>
    | &(?:\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});
    | \]\([^()\s]{0,200}\)
    | \\(?=[!-/:-@\[-`{-~])
    | [*`~\[\u00ad\u034f\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]
    """,
    re.VERBOSE | re.DOTALL,
)


class ScanTimeout(JobFailed):
    """A text could not be searched for secrets in time, so it was not published."""


@dataclass(frozen=True)
class SecretFinding:
    """Where a value that looks like a secret stands in a text, in characters, and which rule says so."""

    rule: str
    start: int
    end: int

    def line_in(self, text: str) -> int:
        """The line of the value in that text, counted from 1."""
        return text.count("\n", 0, self.start) + 1


def placeholder(rule: str) -> str:
    """What a reader sees instead of a value."""
    return f"[secret removed: {rule}]"


def redacted(text: str, findings: Iterable[SecretFinding]) -> str:
    """The text with every finding replaced by a placeholder that names the rule."""
    pieces, position = [], 0
    for finding in sorted(findings, key=lambda one: (one.start, -one.end)):
        if finding.end <= position:
            continue
        if finding.start >= position:
            pieces += [text[position : finding.start], placeholder(finding.rule)]
        position = finding.end
    return "".join((*pieces, text[position:]))


def in_rendered(markdown: str, find: Callable[[str], Iterable[SecretFinding]]) -> Iterator[SecretFinding]:
    """Findings in the text that a renderer makes of the Markdown, as spans of the Markdown."""
    rendered, spans = _rendered(markdown)
    if rendered != markdown:
        for finding in find(rendered):
            yield SecretFinding(finding.rule, spans[finding.start][0], spans[finding.end - 1][1])


def _rendered(markdown: str) -> tuple[str, list[tuple[int, int]]]:
    """The characters that stay when markup is removed, and the span of the Markdown that each comes from."""
    pieces: list[str] = []
    spans: list[tuple[int, int]] = []
    position = 0
    for markup in _MARKUP.finditer(markdown):
        pieces.append(markdown[position : markup.start()])
        spans += ((at, at + 1) for at in range(position, markup.start()))
        shown = html.unescape(markup[0]) if markup[0].startswith("&") else ""
        pieces.append(shown)
        spans += [markup.span()] * len(shown)
        position = markup.end()
    pieces.append(markdown[position:])
    spans += ((at, at + 1) for at in range(position, len(markdown)))
    return "".join(pieces), spans
