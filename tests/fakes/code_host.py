"""The code host in memory: branches, pull requests, clones."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fakes.faults import Faults

from orchestrator.domain.changeset import Changeset
from orchestrator.domain.pull_request import ReviewSubject
from orchestrator.domain.review import standing_findings
from orchestrator.errors import JobFailed
from orchestrator.ports import (
    BranchPlan,
    Checkout,
    Cloner,
    Proposal,
    PullRequestReader,
    PullRequestWriter,
    ReviewGround,
    ReviewPost,
)


@dataclass
class FakePullRequests:
    """`branches` maps each branch to the state of its pull request: open, closed, or none.

    `subjects` are the pull requests that can be reviewed, `lines` where comments may stand in any of them.
    """

    branches: dict[str, str] = field(default_factory=dict)
    proposals: list[Proposal] = field(default_factory=list)
    subjects: dict[int, ReviewSubject] = field(default_factory=dict)
    lines: dict[str, dict[int, str]] = field(default_factory=dict)
    reviews: list[ReviewPost] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)

    def plan_branch(self, name: str) -> BranchPlan:
        self.faults.strike("plan_branch")
        candidates = (name if number == 1 else f"{name}-{number}" for number in count(1))
        free = next(branch for branch in candidates if self.branches.get(branch) != "closed")
        return BranchPlan(free, start_from=free if free in self.branches else None)

    def propose(self, proposal: Proposal) -> str:
        self.faults.strike("propose")
        if proposal.job not in [known.job for known in self.proposals]:
            self.proposals.append(proposal)
        self.branches[proposal.branch] = "open"
        return f"https://github.example/o/r/pull/{[*self.branches].index(proposal.branch) + 1}"

    def review_subject(self, number: int) -> ReviewSubject | None:
        self.faults.strike("review_subject")
        return self.subjects.get(number)

    def review_ground(self, number: int) -> ReviewGround:
        self.faults.strike("review_ground")
        posted = [post.review for post in self.reviews if post.number == number]
        passages = [
            passage
            for review in posted
            for passage in (*review.body, *(one.passage for one in review.comments))
        ]
        return ReviewGround(self.lines, standing_findings(passage.mark for passage in passages))

    def post_review(self, post: ReviewPost) -> str:
        self.faults.strike("post_review")
        if post.job not in [known.job for known in self.reviews]:
            self.reviews.append(post)
        position = [known.job for known in self.reviews].index(post.job) + 1
        return f"https://github.example/o/r/pull/{post.number}#pullrequestreview-{position}"


@dataclass(frozen=True)
class FakeCheckout:
    """A clone in which `found` has changed; None if that cannot be read. `carried` are the drafts put into it."""

    found: Changeset | None
    workspace: Path = Path("/workspace")
    fits: bool = True
    carried: list[Changeset] = field(default_factory=list)

    def carry_over(self, draft: Changeset) -> bool:
        if self.fits:
            self.carried.append(draft)
        return self.fits

    def changeset(self) -> Changeset:
        if self.found is None:
            raise JobFailed("The changes cannot be read.")
        return self.found


@dataclass
class FakeCloner:
    """Hands out one checkout; remembers what was asked for and whether it is still out."""

    checkout: FakeCheckout
    cloned: list[str | None] = field(default_factory=list)
    reviewed: list[ReviewSubject] = field(default_factory=list)
    is_out: bool = False
    faults: Faults = field(default_factory=Faults)

    @contextmanager
    def clone(self, branch: str | None) -> Iterator[FakeCheckout]:
        self.cloned.append(branch)
        self.faults.strike("clone")
        with self._out() as checkout:
            yield checkout

    @contextmanager
    def clone_review(self, subject: ReviewSubject) -> Iterator[FakeCheckout]:
        self.reviewed.append(subject)
        self.faults.strike("clone_review")
        with self._out() as checkout:
            yield checkout

    @contextmanager
    def _out(self) -> Iterator[FakeCheckout]:
        self.is_out = True
        try:
            yield self.checkout
        finally:
            self.is_out = False


if TYPE_CHECKING:
    _reader: PullRequestReader = FakePullRequests()
    _writer: PullRequestWriter = FakePullRequests()
    _checkout: Checkout = FakeCheckout(Changeset(base_sha=""))
    _cloner: Cloner = FakeCloner(FakeCheckout(Changeset(base_sha="")))
