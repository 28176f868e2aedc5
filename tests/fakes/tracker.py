"""Jira in memory, with an index that can lag behind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.builders import SIGNER
from tests.fakes.faults import Faults

from alm.standins.jql import Query, parse_jql
from orchestrator.domain.issue import Comment, Issue, Left, OwnComment
from orchestrator.domain.job import PROCESSING_LABEL, Job
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import NotFoundError
from orchestrator.ports import Commenter, IssueReader, IssueWriter


@dataclass
class FakeTracker:
    """Issues by key. `index` holds what a search still shows where that differs from the issue itself."""

    issues: dict[str, Issue] = field(default_factory=dict)
    index: dict[str, Issue] = field(default_factory=dict)
    own: dict[str, list[OwnComment]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    vouch: Callable[[Issue], Issue | None] = SIGNER.vouch
    _edits: int = 0
    _comments: int = 0

    def add(self, *issues: Issue) -> None:
        """Put issues into the tracker and its index."""
        self.issues |= {issue.key: issue for issue in issues}

    def say(self, key: str, text: str) -> None:
        """Let a person comment."""
        self._comments += 1
        issue = self.issues[key]
        said = Comment(f"said-{self._comments}", text)
        self.issues[key] = replace(issue, comments=(*issue.comments, said))

    def delete_comments(self, key: str) -> None:
        """Let a person delete every comment of an issue."""
        self.own.pop(key, None)
        self.issues[key] = replace(self.issues[key], comments=())

    def relabel(self, key: str, *, on: str = "", off: str = "") -> None:
        """Let a person put a label on, or take one off."""
        issue = self.issues[key]
        self._edit(key, (issue.labels | ({on} if on else set())) - {off}, issue.claim)

    def put_claim(self, job: Job) -> None:
        """Leave the job's claim on its issue as a poll would, unless one is there."""
        issue = self.issues.get(job.issue_key)
        if issue is not None and issue.claim is None:
            self.issues[job.issue_key] = replace(issue, claim=job.model_dump(mode="json"))

    def delete(self, key: str) -> None:
        """Delete an issue; the index does not know yet."""
        self.index[key] = self.issues.pop(key)

    def search(self, jql: str) -> Iterator[Issue]:
        self._request("search", jql)
        query = parse_jql(jql)
        shown = {**self.issues, **self.index}
        return filter(None, map(self.vouch, (issue for issue in shown.values() if _matches(query, issue))))

    def read(self, key: str) -> Issue | None:
        self._request("read", key)
        issue = self.issues.get(key)
        return issue and self.vouch(issue)

    def look(self, key: str) -> Issue | None:
        self._request("look", key)
        issue = self.issues.get(key)
        seen = issue and replace(issue, issue_type="", summary="", description=None, comments=())
        return seen and self.vouch(seen)

    def claim(self, job: Job, takes_off: frozenset[str]) -> None:
        self._request("claim", job.issue_key)
        labels = self._existing(job.issue_key).labels - takes_off | {PROCESSING_LABEL}
        self._edit(job.issue_key, labels, job.model_dump(mode="json"))

    def release(self, job: Job, outcome: Outcome, left: Left) -> None:
        self._request("release", job.issue_key)
        if job.issue_key in self.issues:
            labels = self.issues[job.issue_key].labels - {PROCESSING_LABEL}
            self._edit(job.issue_key, labels, {**job.model_dump(mode="json"), "outcome": outcome.value})
            issue = self.issues[job.issue_key]
            kept = replace(issue, latest=dict(left.latest), unfinished=left.unfinished)
            self.issues[job.issue_key] = kept

    def comment(self, key: str, markdown: str, mark: OwnComment) -> str:
        self._request("comment", key)
        issue = self._existing(key)
        self._comments += 1
        identity = str(self._comments)
        self.own.setdefault(key, []).append(replace(mark, text=markdown, id=identity))
        self.issues[key] = replace(issue, comments=(*issue.comments, Comment(identity, markdown)))
        return identity

    def edit_comment(self, key: str, comment_id: str, markdown: str) -> None:
        self._request("edit_comment", key)
        if key not in self.issues:
            return
        issue, own = self.issues[key], self.own.get(key, [])
        self.own[key] = [replace(one, text=markdown) if one.id == comment_id else one for one in own]
        shown = (replace(one, text=markdown) if one.id == comment_id else one for one in issue.comments)
        self.issues[key] = replace(issue, comments=tuple(shown))

    def own_comments(self, key: str) -> Iterator[OwnComment]:
        self._request("own_comments", key)
        self._existing(key)
        return reversed(self.own.get(key, ()))

    def comments(self, key: str) -> Iterator[Comment]:
        self._request("comments", key)
        return reversed(self._existing(key).comments)

    def issue_url(self, key: str) -> str:
        return f"https://example.atlassian.net/browse/{key}"

    def texts(self, key: str) -> list[str]:
        """The result comments of an issue as text, oldest first."""
        return [comment.text for comment in self.own.get(key, ()) if comment.part >= 0]

    def status(self, key: str) -> list[str]:
        """The status comments of an issue as they read now."""
        return [comment.text for comment in self.own.get(key, ()) if comment.part < 0]

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

    def _edit(self, key: str, labels: frozenset[str], claim: dict[str, Any] | None) -> None:
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
    _commenter: Commenter = FakeTracker()
    _writer: IssueWriter = FakeTracker()
