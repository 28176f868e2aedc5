"""A file's patch as GitHub shows it: which lines of the new version a review comment may stand at."""

import re

_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def commentable_lines(patch: str | None) -> frozenset[int]:
    """The new version's line numbers inside the hunks; none where GitHub shows no patch (binary, too large)."""
    lines: set[int] = set()
    number = 0
    for text in (patch or "").split("\n"):
        if hunk := _HUNK.match(text):
            number = int(hunk[1])
        elif number and text[:1] in {"+", " "}:
            lines.add(number)
            number += 1
    return frozenset(lines)
