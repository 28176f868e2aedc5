"""A file's patch as GitHub shows it: the lines of the new version that take a review comment."""

import re
from collections.abc import Mapping

_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def commentable_lines(patch: str | None) -> Mapping[int, str]:
    """The new version's lines inside the hunks by number; none where GitHub shows no patch (binary, too large)."""
    lines: dict[int, str] = {}
    number = 0
    for text in (patch or "").split("\n"):
        if hunk := _HUNK.match(text):
            number = int(hunk[1])
        elif number and text[:1] in {"+", " "}:
            lines[number] = text[1:]
            number += 1
    return lines
