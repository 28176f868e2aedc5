"""The tracker: issues, labels, claims and comments."""

from collections.abc import Iterator
from typing import Protocol

from orchestrator.domain.issue import Comment, Issue, Left, OwnComment
from orchestrator.domain.job import Job
from orchestrator.domain.outcome import Outcome


class IssueReader(Protocol):
    """The tracker, as a poll sees it."""

    def search(self, jql: str) -> Iterator[Issue]:
        """Every issue that matches, as the index has them: labels and our claim, perhaps stale; page after page."""

    def read(self, key: str) -> Issue | None:
        """The issue as it is now, or None when it is gone."""

    def look(self, key: str) -> Issue | None:
        """The issue's labels and our properties as they are now, and none of its text; None when it is gone."""

    def claim(self, job: Job, takes_off: frozenset[str]) -> None:
        """One atomic edit: `ai-processing` on, those labels off, the claim written."""

    def comments(self, key: str) -> Iterator[Comment]:
        """Everybody's comments, newest first, fetched as they are asked for."""

    def issue_url(self, key: str) -> str:
        """Where a person reads the issue."""


class Commenter(Protocol):
    """The tracker's comments, as our service account writes and finds them again."""

    def own_comments(self, key: str) -> Iterator[OwnComment]:
        """Our service account's marked comments, newest first, fetched as they are asked for."""

    def comment(self, key: str, markdown: str, mark: OwnComment) -> str:
        """Post the text as one comment that carries the mark; its id."""

    def edit_comment(self, key: str, comment_id: str, markdown: str) -> None:
        """Replace the text of a comment of ours; one that is gone is no error."""


class IssueWriter(Protocol):
    """The tracker, as a publication sees it: never the ticket's text."""

    def look(self, key: str) -> Issue | None:
        """The issue's labels and our properties as they are now, and none of its text.

        None when it is gone or in another project.
        """

    def release(self, job: Job, outcome: Outcome, left: Left) -> None:
        """One atomic edit: `ai-processing` off, how the claim ended and what the ticket keeps of it written.

        An issue that is gone is no error.
        """

    def issue_url(self, key: str) -> str:
        """Where a person reads the issue."""
