"""How the Jira stand-in writes issues, comments, users and errors as JSON; no state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alm.standins.jira_store import Comment, Issue
from alm.standins.messages import Answer, json_answer

NO_ISSUE = "Issue does not exist or you do not have permission to see it."
NAVIGABLE_EXCLUDES = ("comment", "attachment")


def failure(status: int, *messages: str, **errors: str) -> Answer:
    """Answer the way Jira words errors."""
    return json_answer(status, {"errorMessages": list(messages), "errors": errors})


def timestamp(at: float) -> str:
    """Write a moment like Jira does: milliseconds and an offset without a colon."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


@dataclass(frozen=True)
class JiraJson:
    """Writes values as JSON with links below `api` (`…/ex/jira/<cloud id>/rest/api/3`)."""

    api: str
    service_account: str
    shown_comments_cap: int = 5000

    def user(self, account_id: str) -> dict[str, Any]:
        """Write a user; the display name is the account id."""
        return {
            "self": f"{self.api}/user?accountId={account_id}",
            "accountId": account_id,
            "accountType": "app" if account_id == self.service_account else "atlassian",
            "active": True,
            "displayName": account_id,
            "timeZone": "Etc/UTC",
        }

    def comment(self, issue_id: str, comment: Comment) -> dict[str, Any]:
        """Write a comment; its properties have their own resource and are not part of it."""
        return {
            "self": f"{self.api}/issue/{issue_id}/comment/{comment.id}",
            "id": comment.id,
            "author": self.user(comment.author),
            "updateAuthor": self.user(comment.author),
            "body": comment.body,
            "created": timestamp(comment.created),
            "updated": timestamp(comment.updated),
            "jsdPublic": True,
        }

    def issue(self, issue: Issue, fields: Iterable[str], properties: Iterable[str]) -> dict[str, Any]:
        """Write an issue with these fields (`*all` and exclusions allowed) and properties."""
        written = {
            "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
            "id": issue.id,
            "self": f"{self.api}/issue/{issue.id}",
            "key": issue.key,
            "fields": chosen(self._fields(issue), tuple(fields)),
        }
        wanted = tuple(properties)
        if wanted:
            written["properties"] = chosen(issue.properties, wanted)
        return written

    def _fields(self, issue: Issue) -> dict[str, Any]:
        return {
            "summary": issue.summary,
            "description": issue.description,
            "labels": list(issue.labels),
            "issuetype": self._named("issuetype", issue.type) | {"subtask": False},
            "project": self._named("project", issue.key.rpartition("-")[0])
            | {"key": issue.key.rpartition("-")[0]},
            "status": self._named("status", "To Do"),
            "priority": self._named("priority", "Medium"),
            "assignee": None,
            "created": timestamp(issue.created),
            "updated": timestamp(issue.updated),
            "attachment": [],
            "comment": self._comments(issue),
        }

    def _named(self, kind: str, name: str) -> dict[str, Any]:
        return {"self": f"{self.api}/{kind}/10000", "id": "10000", "name": name}

    def _comments(self, issue: Issue) -> dict[str, Any]:
        shown = issue.comments[: self.shown_comments_cap]
        comments = [self.comment(issue.id, comment) for comment in shown]
        return {
            "self": f"{self.api}/issue/{issue.id}/comment",
            "comments": comments,
            "maxResults": len(comments),
            "startAt": 0,
            "total": len(issue.comments),
        }


def chosen(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Pick by Jira's rules: names, `*all`, `*navigable`, and `-name` to leave one out."""
    everything = "*all" in names or all(name.startswith("-") for name in names)
    navigable = set(values) - set(NAVIGABLE_EXCLUDES) if "*navigable" in names else set()
    return {
        name: value
        for name, value in values.items()
        if (everything or name in navigable or name in names) and f"-{name}" not in names
    }
