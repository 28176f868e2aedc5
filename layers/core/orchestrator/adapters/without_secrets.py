"""Ports that replace secrets in every text before it leaves: whatever holds one of these cannot go around it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from orchestrator.domain.issue import OwnComment
from orchestrator.domain.review import Passage, Review
from orchestrator.ports import (
    Commenter,
    Events,
    Proposal,
    PullRequestWriter,
    ReviewGround,
    ReviewPost,
    SecretScanner,
)

# GitHub takes 256 characters; a placeholder may be longer than the value it replaces.
LONGEST_TITLE = 250


@dataclass(frozen=True)
class CommentsWithoutSecrets:
    """The tracker's comments."""

    comments: Commenter
    scanner: SecretScanner

    def own_comments(self, key: str) -> Iterator[OwnComment]:
        """Our service account's marked comments, newest first, fetched as they are asked for."""
        return self.comments.own_comments(key)

    def comment(self, key: str, markdown: str, mark: OwnComment) -> str:
        """Post the text as one comment that carries the mark; its id."""
        return self.comments.comment(key, self.scanner.redact(markdown), mark)

    def edit_comment(self, key: str, comment_id: str, markdown: str) -> None:
        """Replace the text of a comment of ours; one that is gone is no error."""
        self.comments.edit_comment(key, comment_id, self.scanner.redact(markdown))


@dataclass(frozen=True)
class PullRequestsWithoutSecrets:
    """The code host, with a write token. The change itself is not touched: it is blocked or published as it is."""

    pull_requests: PullRequestWriter
    scanner: SecretScanner

    def propose(self, proposal: Proposal) -> str:
        """Make or continue branch and pull request; the pull request's URL. A second call finds the first's."""
        redact = self.scanner.redact
        title = redact(proposal.title)[:LONGEST_TITLE]
        body = tuple(map(redact, proposal.body))
        return self.pull_requests.propose(replace(proposal, title=title, body=body))

    def review_ground(self, number: int) -> ReviewGround:
        """What a review of the pull request has to fit to."""
        return self.pull_requests.review_ground(number)

    def post_review(self, post: ReviewPost) -> str:
        """Post one review; its URL. Lines that are refused after all move to its body. A second call finds it."""
        return self.pull_requests.post_review(replace(post, review=self._review(post.review)))

    def _review(self, review: Review) -> Review:
        body = tuple(map(self._passage, review.body))
        comments = tuple(
            one.model_copy(update={"passage": self._passage(one.passage)}) for one in review.comments
        )
        return review.model_copy(update={"body": body, "comments": comments})

    def _passage(self, passage: Passage) -> Passage:
        """A replacement with a secret is shown without it, and cannot be applied: it would write the placeholder."""
        replacement = self.scanner.redact(passage.replacement)
        return passage.model_copy(
            update={
                "markdown": self.scanner.redact(passage.markdown),
                "replacement": replacement,
                "is_applicable": passage.is_applicable and replacement == passage.replacement,
            }
        )


@dataclass(frozen=True)
class EventsWithoutSecrets:
    """The structured log. Only warnings quote words that are not ours."""

    events: Events
    scanner: SecretScanner

    def info(self, event: str, **fields: object) -> None:
        """Something happened."""
        self.events.info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something happened that a person may have to look at."""
        safe = {
            name: self.scanner.redact(value) if isinstance(value, str) else value
            for name, value in fields.items()
        }
        self.events.warning(event, **safe)

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        """A number to be added up and alarmed on."""
        self.events.metric(name, value, **dimensions)
