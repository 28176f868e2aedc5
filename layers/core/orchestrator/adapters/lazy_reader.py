"""The reader of pull requests, made only by jobs that ask it something: PyGithub takes a while to import."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.domain.pull_request import ReviewSubject
from orchestrator.ports import BranchPlan, PullRequestReader


@dataclass(frozen=True)
class LazyReader:
    """See `PullRequestReader`."""

    make: Callable[[], PullRequestReader]

    def plan_branch(self, name: str) -> BranchPlan:
        """See `PullRequestReader`."""
        return self._reader.plan_branch(name)

    def review_subject(self, number: int) -> ReviewSubject | None:
        """See `PullRequestReader`."""
        return self._reader.review_subject(number)

    @cached_property
    def _reader(self) -> PullRequestReader:
        return self.make()


if TYPE_CHECKING:
    _reader: PullRequestReader = LazyReader(lambda: _reader)
