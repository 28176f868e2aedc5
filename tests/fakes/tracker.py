"""Jira in memory, with an index that can lag behind."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.fakes.faults import Faults

from alm.standins.jql import Query, parse_jql
from orchestrator.domain.issue import Issue, OwnComment
from orchestrator.domain.job import PROCESSING_LABEL, Job
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import NotFoundError
from orchestrator.ports import IssueReader, IssueWriter


@dataclass
class FakeTracker:
    """Issues by key. `index` holds what a search still shows where that differs from the issue itself."""

    issues: dict[str, Issue] = field(default_factory=dict)
    index: dict[str, Issue] = field(default_factory=dict)
    comments: dict[str, list[OwnComment]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    _edits: int = 0

    def add(self, *issues: Issue) -> None:
        """Put issues into the tracker and its index."""
        self.issues |= {issue.key: issue for issue in issues}

    def delete(self, key: str) -> None:
        """Delete an issue; the index does not know yet."""
        self.index[key] = self.issues.pop(key)

    def search(self, jql: str) -> Iterator[Issue]:
        self._request("search", jql)
        query = parse_jql(jql)
        shown = {**self.issues, **self.index}
        return (issue for issue in shown.values() if _matches(query, issue))

    def read(self, key: str) -> Issue | None:
        self._request("read", key)
        return self.issues.get(key)

    def claim(self, job: Job) -> None:
        self._request("claim", job.issue_key)
        labels = self._existing(job.issue_key).labels - {job.label} | {PROCESSING_LABEL}
        self._edit(job.issue_key, labels, job.model_dump(mode="json"))

    def release(self, job: Job, outcome: Outcome) -> None:
        self._request("release", job.issue_key)
        if job.issue_key in self.issues:
            labels = self.issues[job.issue_key].labels - {PROCESSING_LABEL}
            self._edit(job.issue_key, labels, {**job.model_dump(mode="json"), "outcome": outcome.value})

    def comment(self, key: str, markdown: str, mark: OwnComment) -> None:
        self._request("comment", key)
        self._existing(key)
        self.comments.setdefault(key, []).append(replace(mark, text=markdown))

    def own_comments(self, key: str) -> Iterator[OwnComment]:
        self._request("own_comments", key)
        self._existing(key)
        return reversed(self.comments.get(key, ()))

    def issue_url(self, key: str) -> str:
        return f"https://example.atlassian.net/browse/{key}"

    def texts(self, key: str) -> list[str]:
        """The comments of an issue as text, oldest first."""
        return [comment.text for comment in self.comments.get(key, ())]

    def calls(self) -> list[str]:
        """The names of the requests so far."""
        return [name for name, _ in self.requests]

    def _request(self, name: str, about: str) -> None:
        self.requests.append((name, about))
        self.faults.strike(name)

    def _existing(self, key: str) -> Issue:
        if key not in self.issues:
            raise NotFoundError
        return self.issues[key]

    def _edit(self, key: str, labels: frozenset[str], claim: dict[str, Any]) -> None:
        self._edits += 1
        self.issues[key] = replace(
            self.issues[key], labels=labels, claim=claim, updated=f"edit {self._edits}"
        )


def _matches(query: Query, issue: Issue) -> bool:
    facts: dict[str, frozenset[str]] = {
        "project": frozenset({issue.key.rpartition("-")[0]}),
        "labels": issue.labels,
    }
    return all(facts[clause.field].intersection(clause.values) for clause in query.clauses)


if TYPE_CHECKING:
    _reader: IssueReader = FakeTracker()
    _writer: IssueWriter = FakeTracker()
