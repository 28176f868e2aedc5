"""The code host in memory: branches, pull requests, clones."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fakes.faults import Faults

from orchestrator.domain.changeset import Changeset
from orchestrator.ports import BranchPlan, Checkout, Cloner, Proposal, PullRequestReader, PullRequestWriter


@dataclass
class FakePullRequests:
    """`branches` maps each branch to the state of its pull request: open, closed, or none."""

    branches: dict[str, str] = field(default_factory=dict)
    proposals: list[Proposal] = field(default_factory=list)
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


@dataclass(frozen=True)
class FakeCheckout:
    """A clone in which `found` has changed."""

    found: Changeset
    workspace: Path = Path("/workspace")
    branch: str = "main"
    default_branch: str = "main"

    def changeset(self) -> Changeset:
        return self.found


@dataclass
class FakeCloner:
    """Hands out one checkout; remembers what was asked for and whether it is still out."""

    checkout: FakeCheckout
    cloned: list[str | None] = field(default_factory=list)
    is_out: bool = False
    faults: Faults = field(default_factory=Faults)

    @contextmanager
    def clone(self, branch: str | None) -> Iterator[FakeCheckout]:
        self.cloned.append(branch)
        self.faults.strike("clone")
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
