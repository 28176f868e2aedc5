"""Reviews on GitHub: the pull request to be reviewed, where comments may stand, and one review posted once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice
from typing import Any

import requests
from github.PullRequest import PullRequest
from github.Repository import Repository

from orchestrator.adapters.github_errors import translated
from orchestrator.adapters.github_markdown import LONGEST_BODY, document, write_passage
from orchestrator.domain.job import Job
from orchestrator.domain.patch import commentable_lines
from orchestrator.domain.pull_request import PullState, ReviewSubject
from orchestrator.domain.review import Passage, Review, standing_findings
from orchestrator.domain.text_limits import LONGEST_DESCRIPTION, LONGEST_TITLE, cut
from orchestrator.errors import JobFailed, NotFoundError, RefusedError
from orchestrator.ports import ReviewGround, ReviewPost

TRAILER = "ALM-Job"
# https://docs.github.com/rest/pulls/pulls#list-pull-requests-files
MOST_FILES = 3_000
PER_PAGE = 100
# Of reviews or comments of one pull request, which anybody may write: 20,000 take about a minute to list.
MOST_PAGES = 200
COMMENT = "COMMENT"


def marker(job: Job) -> str:
    """What a job leaves in everything it writes, for a second delivery to find."""
    return f"<!-- {TRAILER}: {job.job_id} -->"


def review_subject(repository: Repository, number: int) -> ReviewSubject | None:
    """The pull request with that number and the merge base of its head, None if there is none."""
    try:
        with translated():
            pull = repository.get_pull(number)
            state = _state(pull)
    except NotFoundError:
        return None
    with translated():
        return ReviewSubject(
            number=number,
            url=pull.html_url,
            title=cut(pull.title, LONGEST_TITLE, "the pull request"),
            body=cut(pull.body or "", LONGEST_DESCRIPTION, "the pull request"),
            state=state,
            head_sha=pull.head.sha,
            merge_base_sha=_merge_base(repository, pull, state),
            changed_files=pull.changed_files,
        )


def _state(pull: PullRequest) -> PullState:
    return PullState.MERGED if pull.merged else PullState(pull.state)


def _merge_base(repository: Repository, pull: PullRequest, state: PullState) -> str:
    # Of a branch that holds the change already, the head would be its own merge base.
    base = pull.base.ref if state is PullState.OPEN else pull.base.sha
    try:
        with translated():
            # One commit of the comparison is enough: it would come with all of them.
            comparison = repository.compare(base, pull.head.sha, comparison_commits_per_page=1)
            return comparison.merge_base_commit.sha
    except NotFoundError as error:
        raise JobFailed(
            f"Pull request #{pull.number} has no commit in common with `{pull.base.ref}`, so there is no diff."
        ) from error


@dataclass(frozen=True)
class _Draft:
    """A review on its way; without a `commit_id` GitHub takes the pull request's newest commit."""

    review: Review
    event: str
    mark: str
    commit_id: str

    @property
    def body(self) -> dict[str, Any]:
        """What is sent. GitHub would take `position` too, which moves with every push."""
        commit = {"commit_id": self.commit_id} if self.commit_id else {}
        comments = [
            {
                "path": one.path,
                "line": one.line,
                "side": "RIGHT",
                "body": write_passage(one.passage, LONGEST_BODY),
            }
            for one in self.review.comments
        ]
        return {
            **commit,
            "body": document(self.review.body, self.mark),
            "event": self.event,
            "comments": comments,
        }

    def weaker(self, said: str) -> "_Draft | None":
        """What to try next when GitHub has refused this one in these words; None when nothing is left."""
        if self.event != COMMENT and "own pull request" in said:
            return replace(self, event=COMMENT)
        if self.review.comments:
            return replace(self, review=self.review.without_comments)
        if self.commit_id:
            # A forced push took the commit away: then the text says what it is about.
            about = f"This review is about {self.commit_id}, which the pull request no longer has."
            body = (Passage(markdown=about), *self.review.body)
            return replace(self, commit_id="", review=Review(body=body))
        return None


@dataclass(frozen=True)
class GitHubReviews:
    """Reviews written and read as the account of one token."""

    repository: Repository

    def ground(self, number: int) -> ReviewGround:
        """What a review of the pull request has to fit to."""
        with translated():
            pull = self.repository.get_pull(number).url
            lines = {
                file["filename"]: commentable_lines(file.get("patch"))
                for file in islice(self._all(f"{pull}/files"), MOST_FILES)
                if file["status"] != "removed"
            }
            ours = chain(self._own(f"{pull}/reviews"), self._own(f"{pull}/comments"))
            return ReviewGround(lines, standing_findings(entry["body"] or "" for entry in ours))

    def post(self, post: ReviewPost) -> str:
        """Post one review; its URL. Lines that are refused after all move to its body. A second call finds it."""
        with translated():
            reviews, mark = f"{self.repository.get_pull(post.number).url}/reviews", marker(post.job)
            for review in self._own(reviews):
                if mark in (review["body"] or ""):
                    return str(review["html_url"])
            event = "REQUEST_CHANGES" if post.request_changes else COMMENT
            return self._posted(reviews, _Draft(post.review, event, mark, post.head_sha))

    def _posted(self, reviews: str, draft: _Draft) -> str:
        """The URL of the draft, or of the strongest weaker one that GitHub takes."""
        try:
            with translated():
                _, answer = self.repository.requester.requestJsonAndCheck("POST", reviews, input=draft.body)
                return str(answer["html_url"])
        except RefusedError as refusal:
            weaker = draft.weaker(str(refusal))
            if refusal.status != requests.codes.unprocessable_entity or weaker is None:
                raise
        return self._posted(reviews, weaker)

    def _own(self, url: str) -> Iterator[dict[str, Any]]:
        return (entry for entry in self._all(url) if self._is_own(entry))

    def _is_own(self, entry: dict[str, Any]) -> bool:
        author = entry["user"]
        if author is None:  # the account was deleted
            return False
        return bool(author["login"] == self._login if self._login else author["type"] == "Bot")

    @cached_property
    def _login(self) -> str:
        """Our account; empty for a GitHub App's, which may not ask and is known to be a bot."""
        try:
            with translated():
                _, answer = self.repository.requester.requestJsonAndCheck("GET", "/user")
                return str(answer["login"])
        except RefusedError as refusal:
            if refusal.status != requests.codes.forbidden:
                raise
            return ""

    def _all(self, url: str) -> Iterator[dict[str, Any]]:
        # PyGithub's own lists come thirty at a time, and take a proxy's page for an empty one.
        for page in range(1, MOST_PAGES + 1):
            headers, entries = self.repository.requester.requestJsonAndCheck(
                "GET", url, {"per_page": PER_PAGE, "page": page}
            )
            if not isinstance(entries, list):
                raise TypeError
            yield from entries
            if 'rel="next"' not in headers.get("link", ""):
                return
