"""The issues of the Jira stand-in as values, and the store that keeps every version of them; no HTTP."""

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from alm.standins.jira_index import LabelIndex, Position


@dataclass(frozen=True)
class LabelChange:
    """One edit of an issue's labels, by whom and when (epoch seconds)."""

    at: float
    author: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True)
class Comment:
    """A comment: `body` is ADF, `author` an account id."""

    id: str
    author: str
    body: Mapping[str, Any]
    created: float
    updated: float
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The words of the comment, a line per block."""
        return "\n".join(_lines(self.body))


@dataclass(frozen=True)
class Issue:
    """An issue as it was at one moment; edits make new values."""

    id: str
    key: str
    type: str
    summary: str
    description: Mapping[str, Any] | None
    labels: tuple[str, ...]
    created: float
    updated: float
    properties: Mapping[str, Any] = field(default_factory=dict)
    comments: tuple[Comment, ...] = ()
    label_history: tuple[LabelChange, ...] = ()

    @property
    def position(self) -> Position:
        """Where it stands among all issues."""
        return self.created, int(self.id)

    def relabelled(self, labels: Iterable[str], author: str, at: float) -> "Issue":
        """Return the issue with exactly these labels, the difference in its history."""
        wanted = tuple(dict.fromkeys(labels))
        added = tuple(label for label in wanted if label not in self.labels)
        removed = tuple(label for label in self.labels if label not in wanted)
        if not added and not removed:
            return self
        change = LabelChange(at, author, added, removed)
        return replace(self, labels=wanted, label_history=(*self.label_history, change))

    def with_comment(self, comment: Comment) -> "Issue":
        """Return the issue with the comment added, or put in the place of the one with its id."""
        kept = {known.id: known for known in self.comments}
        return replace(self, comments=tuple({**kept, comment.id: comment}.values()))

    def without_comment(self, comment_id: str) -> "Issue":
        """Return the issue without the comment of that id."""
        return replace(self, comments=tuple(one for one in self.comments if one.id != comment_id))

    def with_property(self, name: str, value: Any) -> "Issue":
        """Return the issue with the property set."""
        return replace(self, properties={**self.properties, name: value})


Change = Callable[[Issue], Issue]
Versions = list[tuple[float, Issue | None]]


class JiraStore:
    """All issues with all their versions; every edit is atomic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._lock = threading.RLock()
        self._ids = itertools.count(10001)
        self._comment_ids = itertools.count(20001)
        self._versions: dict[str, Versions] = {}
        self._id_by_key: dict[str, str] = {}
        self._index = LabelIndex()

    def add(self, issue: Issue) -> Issue:
        """Store a new issue under a new id."""
        with self._lock:
            if issue.key in self._id_by_key:
                raise ValueError(f"{issue.key} exists")
            stored = replace(issue, id=str(next(self._ids)))
            self._id_by_key[stored.key] = stored.id
            self._versions[stored.id] = [(self.clock(), stored)]
            self._index.note(stored.position, stored.labels)
            return stored

    def find(self, key_or_id: str) -> Issue | None:
        """Return the issue as it is now."""
        with self._lock:
            versions = self._versions.get(self._id_by_key.get(key_or_id, key_or_id))
            return versions[-1][1] if versions else None

    def edit(self, key_or_id: str, change: Change) -> Issue | None:
        """Apply a change as one step, or not at all when it raises; None when there is no such issue."""
        with self._lock:
            issue = self.find(key_or_id)
            if issue is None:
                return None
            at = self.clock()
            changed = replace(change(issue), updated=at)
            self._versions[issue.id].append((at, changed))
            self._index.note(changed.position, changed.labels)
            return changed

    def delete(self, key: str) -> None:
        """Remove an issue; the search index notices as late as it does an edit."""
        with self._lock:
            issue_id = self._id_by_key.pop(key)
            self._versions[issue_id].append((self.clock(), None))

    def issues(self) -> list[Issue]:
        """Return every issue as it is now."""
        with self._lock:
            return [issue for versions in self._versions.values() if (issue := versions[-1][1])]

    def beyond(
        self, labels: Iterable[str] | None, last: Position | None, *, descending: bool
    ) -> Iterator[str]:
        """Return the ids after `last`, of all issues or of those that have ever borne one of the labels."""
        with self._lock:
            found = self._index.beyond(labels, last, descending=descending)
        return (str(issue_id) for _, issue_id in found)

    def at(self, issue_id: str, moment: float | None) -> Issue | None:
        """Return the issue as it was at that moment (None: now); None when there was none."""
        with self._lock:
            return _version_at(self._versions[issue_id], moment)

    def comment(self, key_or_id: str, draft: Comment) -> Comment | None:
        """Add a comment under a new id; None when there is no such issue."""
        with self._lock:
            comment = replace(draft, id=str(next(self._comment_ids)))
            return comment if self.edit(key_or_id, lambda issue: issue.with_comment(comment)) else None

    def find_comment(self, comment_id: str) -> Comment | None:
        """Return a comment of any issue."""
        with self._lock:
            issues = [versions[-1][1] for versions in self._versions.values()]
        found = (
            comment for issue in issues if issue for comment in issue.comments if comment.id == comment_id
        )
        return next(found, None)

    def next_key(self, project_key: str) -> str:
        """Return the first free key of a project."""
        with self._lock:
            keys = (f"{project_key}-{number}" for number in itertools.count(1))
            return next(key for key in keys if key not in self._id_by_key)


def _version_at(versions: Versions, moment: float | None) -> Issue | None:
    if moment is None:
        return versions[-1][1]
    return next((issue for at, issue in reversed(versions) if at <= moment), None)


def _lines(node: Mapping[str, Any]) -> list[str]:
    children = node.get("content", [])
    inline = "".join(child.get("text", "") for child in children if "content" not in child)
    return ([inline] if inline else []) + [line for child in children for line in _lines(child)]
