"""The code host and the clone of its repository."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.domain.changeset import Changeset
from orchestrator.domain.job import Job
from orchestrator.domain.pull_request import ReviewSubject
from orchestrator.domain.review import Review


@dataclass(frozen=True)
class BranchPlan:
    """The branch a pull request will come from, and the branch the agent starts from (None: the default)."""

    name: str
    start_from: str | None


class PullRequestReader(Protocol):
    """The code host, with a read token."""

    def plan_branch(self, name: str) -> BranchPlan:
        """Continue the branch if its pull request is open or was never made; else the next free name."""

    def review_subject(self, number: int) -> ReviewSubject | None:
        """The pull request with that number and the merge base of its head, None if there is none."""


@dataclass(frozen=True)
class Proposal:
    """A pull request to be: `title` and the passages of `body` are untrusted; the adapter makes them harmless.

    If `draft`, it is a draft before its commits are there, or it is not made.
    """

    job: Job
    branch: str
    changeset: Changeset
    title: str
    body: tuple[str, ...]
    draft: bool = False


@dataclass(frozen=True)
class ReviewGround:
    """Per path the lines that take a comment, with their text, and the findings that were posted already.

    `standing` holds the fingerprint of each finding in comments and reviews of our own account.
    """

    lines: Mapping[str, Mapping[int, str]]
    standing: tuple[str, ...]


@dataclass(frozen=True)
class ReviewPost:
    """A review to be, of the pull request at the head the agent saw."""

    job: Job
    number: int
    head_sha: str
    review: Review
    request_changes: bool = False


class RepositoryFiles(Protocol):
    """The repository as the code host has it, whatever a worker says of it."""

    def content(self, path: str, commit: str | None = None) -> bytes | None:
        """The file at the commit (None: the default branch), None if there is none or it cannot be read."""

    def executables(self, commit: str) -> frozenset[str]:
        """Every executable file of the commit, as far as the code host lists them."""


class PullRequestWriter(Protocol):
    """The code host, with a write token."""

    def propose(self, proposal: Proposal) -> str:
        """Make or continue branch and pull request; the pull request's URL. A second call finds the first's."""

    def review_ground(self, number: int) -> ReviewGround:
        """What a review of the pull request has to fit to."""

    def post_review(self, post: ReviewPost) -> str:
        """Post one review; its URL. Lines that are refused after all move to its body. A second call finds it."""


class Checkout(Protocol):
    """A clone whose trusted half the agent cannot reach."""

    @property
    def workspace(self) -> Path:
        """The working tree, the agent's."""

    def carry_over(self, draft: Changeset) -> bool:
        """Put an unfinished run's changes on top, before the agent starts; False if they do not fit.

        Then nothing is changed; else they stay changes, which `changeset` holds too.
        """

    def changeset(self) -> Changeset:
        """Everything that differs from the commit that was cloned."""


class Cloner(Protocol):
    """Fetches the repository."""

    def clone(self, branch: str | None) -> AbstractContextManager[Checkout]:
        """A shallow clone of the branch (None: the default), gone when the context ends."""

    def clone_review(self, subject: ReviewSubject) -> AbstractContextManager[Checkout]:
        """The pull request's head, forks included, with the merge base at `MERGE_BASE_REF`."""
