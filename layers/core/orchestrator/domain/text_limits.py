"""How much text from people, repositories and the agent is processed. More is cut, with a sentence that says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Jira takes 32,767 characters of text; as Markdown a description may be several times as long.
LONGEST_DESCRIPTION = 200_000
LONGEST_TITLE = 1_000
LONGEST_COMMENT = 100_000
# The newest ones of an issue.
MOST_COMMENTS = 200
# An earlier result that an action builds on.
LONGEST_CONTEXT = 50_000
# What the agent says, and all comments made of it together: Jira takes 24,000 of them at once.
LONGEST_ANSWER = 200_000
LONGEST_RESULT = 250_000
LONGEST_REASON = 10_000
LONGEST_REPORT_TEXT = 20_000
MOST_REPORT_ITEMS = 300
# All texts of a report together.
LONGEST_REPORT = 100_000


def cut(text: str, limit: int, where: str) -> str:
    """At most `limit` characters, the last of them a sentence that says how much is missing and where the rest is.

    A second cut to the same limit changes nothing.
    """
    if len(text) <= limit:
        return text
    note = "\n[cut here: {} more characters are in {}]"
    kept = max(0, limit - len(note.format(len(text), where)))
    return text[:kept] + note.format(len(text) - kept, where)


def cut_report(report: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The report with long texts and lists cut; None if there is none. Its depth is the caller's to bound."""
    if report is None:
        return None
    left = _Left(LONGEST_REPORT)
    return {name: left.fitted(value) for name, value in report.items()}


@dataclass
class _Left:
    """How many characters the rest of a report may have."""

    characters: int

    def fitted(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            items = [self.fitted(item) for item in value[:MOST_REPORT_ITEMS]]
            more = len(value) - len(items)
            return [*items, f"[cut here: {more} more items are in the transcript]"] if more > 0 else items
        if isinstance(value, Mapping):
            return {name: self.fitted(part) for name, part in list(value.items())[:MOST_REPORT_ITEMS]}
        return value

    def _text(self, text: str) -> str:
        limit = max(0, min(LONGEST_REPORT_TEXT, self.characters))
        self.characters -= min(limit, len(text))
        return cut(text, limit, "the transcript")
