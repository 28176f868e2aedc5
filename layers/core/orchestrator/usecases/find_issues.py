"""Which issues a poll looks at and in which order: every claimed one, and no page of waiting ones in vain."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, islice

from orchestrator.domain.action import Catalogue
from orchestrator.domain.issue import Issue
from orchestrator.domain.job import PROCESSING_LABEL, RETRY_LABEL
from orchestrator.domain.jql import labelled_issues
from orchestrator.ports import IssueReader

# The most Jira puts on one page of a search.
PAGE = 100
# Of so many waiting issues one comes from the new end: a backlog must not hide what was asked for today.
EVERY = 4


@dataclass(frozen=True)
class FindIssues:
    """The poll's search. `turn` picks one of that many turns to begin with.

    By chance: a poll with room for one job only would otherwise take from the same end for ever.
    """

    issues: IssueReader
    catalogue: Catalogue
    project_key: str
    turn: Callable[[int], int] = secrets.randbelow

    def __call__(self, free: int) -> Iterator[Issue]:
        """The issues the index shows, claimed ones first; waiting ones only if there is room for `free` jobs.

        The labels may be stale. No issue comes twice, and a page is fetched when one of its issues is asked for.
        """
        seen: set[str] = set()
        oldest = self._search(*self._asking, PROCESSING_LABEL)
        page = tuple(islice(oldest, PAGE))
        backlog = len(page) == PAGE
        claimed = (issue for issue in page if PROCESSING_LABEL in issue.labels)
        yield from _unseen(chain(claimed, self._search(PROCESSING_LABEL) if backlog else ()), seen)
        if free > 0:
            waiting = _unseen(chain(page, oldest), seen)
            yield from self._fairly(waiting, seen) if backlog else waiting

    def _fairly(self, oldest: Iterator[Issue], seen: set[str]) -> Iterator[Issue]:
        """One of every four from the new end. Once one end has come to its last, so has the other."""
        newest = _unseen(self._search(*self._asking, newest_first=True), seen)
        for turn in count(self.turn(EVERY)):
            issue = next(newest if turn % EVERY == 0 else oldest, None)
            if issue is None:
                return
            yield issue

    @property
    def _asking(self) -> tuple[str, ...]:
        return *self.catalogue.labels, RETRY_LABEL

    def _search(self, *labels: str, newest_first: bool = False) -> Iterator[Issue]:
        return self.issues.search(labelled_issues(self.project_key, labels, newest_first=newest_first))


def _unseen(found: Iterable[Issue], seen: set[str]) -> Iterator[Issue]:
    for issue in found:
        if issue.key not in seen:
            seen.add(issue.key)
            yield issue
