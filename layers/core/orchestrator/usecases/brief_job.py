"""Gather what a job has to know of its ticket: text, earlier results, the pull request it speaks of."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from orchestrator.domain import adf, comment
from orchestrator.domain.action import Action, Catalogue, Produces
from orchestrator.domain.issue import Issue, OwnComment
from orchestrator.domain.job import Brief, ContextResult, PastResult
from orchestrator.domain.outcome import Outcome, Verdict
from orchestrator.domain.pull_reference import ForeignPullRequest, PullReference, find_reference
from orchestrator.domain.text_limits import LONGEST_CONTEXT, LONGEST_DESCRIPTION, MOST_COMMENTS, cut
from orchestrator.ports import ArtifactStore, Commenter, IssueReader
from orchestrator.usecases.stored_results import read_result


@dataclass(frozen=True)
class BriefJob:
    """Asks the tracker only for what the issue, as it was read, does not hold."""

    issues: IssueReader
    comments: Commenter
    artifacts: ArtifactStore
    catalogue: Catalogue
    server_url: str
    repo: str

    def __call__(self, issue: Issue, action: Action | None) -> tuple[Brief, Verdict | None]:
        """The brief of a job of that action on the issue; and why the action is not for it, None if it is."""
        description = cut(adf.to_markdown(issue.description), LONGEST_DESCRIPTION, "the ticket")
        reference = self._reference(issue, action, description)
        brief = Brief(
            issue_type=issue.issue_type,
            summary=issue.summary,
            description=description,
            url=self.issues.issue_url(issue.key),
            context=tuple(self._context(issue, action)),
            latest=dict(issue.latest),
            unfinished=issue.unfinished,
            pull_request=reference.number if isinstance(reference, PullReference) else None,
        )
        return brief, self._rejection(issue, action, reference)

    def bare(self, issue: Issue) -> Brief:
        """The brief of a job that runs nothing: what the ticket keeps of its past, and none of its text."""
        return Brief(
            issue_type="",
            summary="",
            description="",
            url=self.issues.issue_url(issue.key),
            latest=dict(issue.latest),
            unfinished=issue.unfinished,
        )

    def _rejection(
        self, issue: Issue, action: Action | None, reference: PullReference | ForeignPullRequest | None
    ) -> Verdict | None:
        if action is None:
            return None
        if not action.accepts(issue.issue_type):
            return _wrong_type(issue, action)
        return self._without_pull_request(issue, reference) if action.produces is Produces.REVIEW else None

    def _without_pull_request(
        self, issue: Issue, reference: PullReference | ForeignPullRequest | None
    ) -> Verdict | None:
        if isinstance(reference, PullReference):
            return None
        # This is posted as a comment, and the next review looks through the comments: it must name no pull request.
        if isinstance(reference, ForeignPullRequest):
            named = reference.url.partition("://")[2]
            reason = f"The ticket names `{named}`, which is not in `{self.server_url}/{self.repo}`."
        else:
            read = (
                "" if issue.has_all_comments else f" in its description and {MOST_COMMENTS} newest comments"
            )
            reason = f"The ticket names no pull request{read}."
        address = f"`{self.server_url}/{self.repo}/pull/NUMBER`"
        how = f"Write its address ({address}) or `PR #NUMBER` into the description or a comment."
        return Verdict(outcome=Outcome.REJECTED, reason=f"{reason} {how} Nothing was run.")

    def _reference(
        self, issue: Issue, action: Action | None, description: str
    ) -> PullReference | ForeignPullRequest | None:
        if action is None or action.produces is not Produces.REVIEW:
            return None
        return find_reference(self._texts(issue, description), self.server_url, self.repo)

    def _texts(self, issue: Issue, description: str) -> Iterator[str]:
        """The description, then the comments from the newest to the oldest."""
        yield description
        if issue.has_all_comments:
            yield from (one.text for one in reversed(issue.comments))
        else:
            yield from (one.text for one in islice(self.issues.comments(issue.key), MOST_COMMENTS))

    def _context(self, issue: Issue, action: Action | None) -> Iterator[ContextResult]:
        """The latest successful result of each action this one builds on, in the front matter's order."""
        for name in action.context if action else ():
            source, past = self.catalogue.named(name), issue.latest.get(name)
            if source and past and past.belongs_to(issue.key, name) and _still_told(issue, past):
                text = self._stored_text(source, past) or self._told_text(issue, past)
                text = cut(text, LONGEST_CONTEXT, "the ticket")
                yield from [ContextResult(action=name, title=source.title, text=text)] if text else []

    def _stored_text(self, source: Action, past: PastResult) -> str:
        stored = read_result(self.artifacts, past.job_id)
        if stored is None or stored.verdict.outcome is not Outcome.SUCCEEDED:
            return ""
        return comment.body(source, stored)

    def _told_text(self, issue: Issue, past: PastResult) -> str:
        """The result as our own marked comments tell it, for when the stored one has expired."""
        parts = [one for one in self.comments.own_comments(issue.key) if _tells(one, past)]
        return "\n\n".join(one.text for one in sorted(parts, key=lambda one: one.part))


def _tells(own: OwnComment, past: PastResult) -> bool:
    return own.job_id == past.job_id and own.part >= 0 and own.outcome == Outcome.SUCCEEDED


def _still_told(issue: Issue, past: PastResult) -> bool:
    """A person who deletes the comment takes the result back."""
    return not issue.has_all_comments or any(one.id == past.comment_id for one in issue.comments)


def _wrong_type(issue: Issue, action: Action) -> Verdict:
    reason = (
        f"`{action.label}` is for issues of type {' or '.join(action.issue_types)}; "
        f"this one is of type {issue.issue_type}. Nothing was run."
    )
    return Verdict(outcome=Outcome.REJECTED, reason=reason, heading="INVALID ISSUE TYPE")
