"""What the GitHub stand-in knows: settings, one repository, its pull requests and their comments; no HTTP."""

import itertools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from alm.standins.github_git import ABSENT, BareRepository, CommitDraft, Signature


@dataclass(frozen=True)
class GitHubSettings:
    """What the stand-in pretends to be."""

    owner: str = "acme"
    name: str = "shop"
    # Not "main", so that a hard-coded name is caught.
    default_branch: str = "trunk"
    login: str = "alm-bot"
    # Some plans have no draft pull requests in private repositories.
    has_drafts: bool = True
    # As long and dotted as installation tokens are today.
    read_token: str = f"ghs_1_read.{'r' * 480}.{'s' * 24}"
    write_token: str = f"ghs_1_write.{'w' * 480}.{'s' * 24}"

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def is_app(self) -> bool:
        """Whether the account is a GitHub App's, which its token tells: no person, and no `/user` of its own."""
        return self.write_token.startswith("ghs_")


@dataclass(frozen=True)
class PullComment:
    """A comment in the conversation of a pull request."""

    id: int
    number: int
    author: str
    body: str
    created_at: str


@dataclass(frozen=True)
class PullRequest:
    """A pull request as it is at one moment; `head` and `base` are branch names."""

    number: int
    title: str
    body: str
    head: str
    base: str
    head_sha: str
    base_sha: str
    author: str
    created_at: str
    updated_at: str
    state: Literal["open", "closed"] = "open"
    draft: bool = False
    closed_at: str = ""
    merge_commit_sha: str = ""
    # owner/name of the head's repository when it is another one.
    fork: str = ""

    @property
    def head_ref(self) -> str:
        """Where the hub keeps the head; git hides the forks' refs, as they are in repositories of their own."""
        return f"refs/forks/{self.fork}/heads/{self.head}" if self.fork else f"refs/heads/{self.head}"

    @property
    def merged(self) -> bool:
        """Whether it was merged rather than just closed."""
        return bool(self.merge_commit_sha)


@dataclass(frozen=True)
class Review:
    """A review of a pull request; `state` in GitHub's words."""

    id: int
    number: int
    author: str
    body: str
    state: str
    commit_id: str
    submitted_at: str = ""


@dataclass(frozen=True)
class ReviewComment:
    """A comment beside a line; `diff_hunk` is the hunk down to that line."""

    id: int
    review_id: int
    number: int
    author: str
    body: str
    path: str
    line: int
    side: str
    commit_id: str
    diff_hunk: str
    created_at: str = ""


class Rejected(Exception):  # noqa: N818 - GitHub's answer, not an error of ours
    """GitHub says no, in these words."""


class Hub:
    """The repository and its pull requests; every write is one step."""

    def __init__(
        self, settings: GitHubSettings, repository: BareRepository, clock: Callable[[], float]
    ) -> None:
        self.settings = settings
        self.repository = repository
        self.clock = clock
        self.lock = threading.RLock()
        self.pulls: dict[int, PullRequest] = {}
        self.comments: list[PullComment] = []
        self.reviews: list[Review] = []
        self.review_comments: list[ReviewComment] = []
        # Issues and comments are numbered across GitHub; only pull requests from 1.
        self._comment_ids = itertools.count(3_000_000_001)

    def now(self) -> str:
        """Return the time as GitHub writes it."""
        return f"{datetime.fromtimestamp(self.clock(), UTC):%Y-%m-%dT%H:%M:%SZ}"

    def branch(self, name: str) -> str | None:
        """Return the head of a branch."""
        return self.repository.ref(f"refs/heads/{name}")

    def set_ref(self, ref: str, sha: str, old: str = ABSENT) -> None:
        """Move a ref and whatever follows it: the pull requests from and to this branch."""
        with self.lock:
            self.repository.set_ref(ref, sha, old)
            for pull in self.pulls.values():
                if pull.state == "open" and ref in {pull.head_ref, f"refs/heads/{pull.base}"}:
                    self._follow(pull)

    def all_pulls(self) -> tuple[PullRequest, ...]:
        """Return every pull request, oldest first."""
        with self.lock:
            return tuple(self.pulls.values())

    def open_pull(self, draft: PullRequest) -> PullRequest:
        """Create a pull request under a new number, or raise `Rejected` for GitHub's reasons."""
        with self.lock:
            if draft.draft and not self.settings.has_drafts:
                raise Rejected("Draft pull requests are not supported in this repository.")
            head_sha, base_sha = self.repository.ref(draft.head_ref), self.branch(draft.base)
            if head_sha is None or base_sha is None:
                raise Rejected("invalid " + ("head" if head_sha is None else "base"))
            if any(self._same_ends(draft, pull) for pull in self.pulls.values()):
                raise Rejected(f"A pull request already exists for {self.head_label(draft)}.")
            if not self.repository.between(base_sha, head_sha):
                raise Rejected(f"No commits between {draft.base} and {draft.head}")
            number = len(self.pulls) + 1
            return self._follow(replace(draft, number=number))

    def make_draft(self, number: int) -> PullRequest:
        """Make a draft of an open pull request."""
        if not self.settings.has_drafts:
            raise Rejected("Draft pull requests are not supported in this repository.")
        self.edit_pull(number, lambda pull: replace(pull, draft=True))
        return self.pulls[number]

    def edit_pull(self, number: int, change: Callable[[PullRequest], PullRequest]) -> PullRequest:
        """Change a pull request."""
        with self.lock:
            changed = change(self.pulls[number])
            self.pulls[number] = replace(changed, updated_at=self.now())
            return self.pulls[number]

    def close(self, number: int) -> PullRequest:
        """Close a pull request unmerged."""
        return self.edit_pull(number, lambda pull: replace(pull, state="closed", closed_at=self.now()))

    def reopen(self, number: int) -> PullRequest:
        """Open a closed pull request again."""
        with self.lock:
            pull = self.pulls[number]
            if pull.merged or self.repository.ref(pull.head_ref) is None:
                raise Rejected("state cannot be changed.")
            self.edit_pull(number, lambda pull: replace(pull, state="open", closed_at=""))
            return self._follow(self.pulls[number])

    def merge(self, number: int) -> PullRequest:
        """Merge a pull request with a merge commit."""
        with self.lock:
            pull = self.pulls[number]
            tree = self.repository.merged_tree(pull.base_sha, pull.head_sha)
            if pull.state != "open" or tree is None:
                raise Rejected("Pull Request is not mergeable")
            who = Signature(self.settings.owner, f"{self.settings.owner}@example.com", self.now())
            head = self.head_label(pull).replace(":", "/", 1)
            message = f"Merge pull request #{number} from {head}\n\n{pull.title}\n"
            merge = self.repository.commit(
                CommitDraft(tree, (pull.base_sha, pull.head_sha), message, who, who)
            )
            # Closed before the base moves, so that the diff stays what was merged.
            self.close(number)
            merged = self.edit_pull(number, lambda pull: replace(pull, merge_commit_sha=merge))
            self.set_ref(f"refs/heads/{pull.base}", merge, pull.base_sha)
            return merged

    def comment(self, number: int, author: str, body: str) -> PullComment:
        """Add a comment to a pull request's conversation."""
        with self.lock:
            comment = PullComment(next(self._comment_ids), number, author, body, self.now())
            self.comments.append(comment)
            return comment

    def head_label(self, pull: PullRequest) -> str:
        """Return `owner:branch` of a pull request's head."""
        return f"{(pull.fork or self.settings.full_name).partition('/')[0]}:{pull.head}"

    def add_review(self, draft: Review, comments: Iterable[ReviewComment]) -> Review:
        """Store a review with its comments, all of it at once."""
        with self.lock:
            review = replace(draft, id=next(self._comment_ids), submitted_at=self.now())
            self.reviews.append(review)
            self.review_comments += [
                replace(
                    comment, id=next(self._comment_ids), review_id=review.id, created_at=review.submitted_at
                )
                for comment in comments
            ]
            return review

    def _same_ends(self, draft: PullRequest, pull: PullRequest) -> bool:
        return pull.state == "open" and (pull.head_ref, pull.base) == (draft.head_ref, draft.base)

    def _follow(self, pull: PullRequest) -> PullRequest:
        head_sha, base_sha = self.repository.ref(pull.head_ref), self.branch(pull.base)
        followed = replace(pull, head_sha=head_sha or pull.head_sha, base_sha=base_sha or pull.base_sha)
        if followed != self.pulls.get(pull.number):
            self.pulls[pull.number] = replace(followed, updated_at=self.now())
            # GitHub keeps the head under this name, branch or no branch.
            ref = f"refs/pull/{pull.number}/head"
            self.repository.set_ref(ref, followed.head_sha, self.repository.ref(ref) or ABSENT)
        return self.pulls[pull.number]
