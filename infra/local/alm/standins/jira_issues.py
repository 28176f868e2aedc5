"""The issue, property and comment resources of the Jira stand-in."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from alm.standins.jira_input import (
    checked_comment,
    checked_properties,
    checked_property,
    edited,
)
from alm.standins.jira_json import NO_ISSUE, JiraJson, failure
from alm.standins.jira_oauth import JiraSettings
from alm.standins.jira_store import Comment, Issue, JiraStore
from alm.standins.messages import Answer, Refused, Request, Route, json_answer

ISSUE = "/issue/(?P<issue>[^/]+)"
ORDERS = ("created", "+created", "-created")


class JiraIssues:
    """Handlers over the store; what they write is written by the service account."""

    def __init__(
        self, store: JiraStore, settings: Callable[[], JiraSettings], write: Callable[[], JiraJson]
    ) -> None:
        self._store = store
        self._settings = settings
        self._write = write

    def routes(self) -> tuple[Route, ...]:
        """Return the routes, relative to `/rest/api/3`."""
        return (
            Route("GET", ISSUE, self.get_issue),
            Route("PUT", ISSUE, self.put_issue),
            Route("GET", f"{ISSUE}/properties/(?P<property>.+)", self.get_property),
            Route("PUT", f"{ISSUE}/properties/(?P<property>.+)", self.put_property),
            Route("DELETE", f"{ISSUE}/properties/(?P<property>.+)", self.delete_property),
            Route("GET", f"{ISSUE}/comment", self.get_comments),
            Route("POST", f"{ISSUE}/comment", self.post_comment),
            Route("PUT", f"{ISSUE}/comment/(?P<comment>[^/]+)", self.put_comment),
            Route(
                "GET", "/comment/(?P<comment>[^/]+)/properties/(?P<property>.+)", self.get_comment_property
            ),
        )

    def get_issue(self, request: Request) -> Answer:
        """Answer the issue as it is now: all fields unless some are named, no properties unless named."""
        fields = request.listed("fields") or ("*all",)
        return json_answer(
            200, self._write().issue(self._issue(request), fields, request.listed("properties"))
        )

    def put_issue(self, request: Request) -> Answer:
        """Edit labels, fields and properties in one step."""
        body, author, at = request.json() or {}, self._settings().service_account, self._store.clock()
        self._edit(request, lambda issue: edited(issue, body, author, at))
        return Answer(204)

    def get_property(self, request: Request) -> Answer:
        """Answer one issue property."""
        return _property(request.args["property"], self._issue(request).properties)

    def put_property(self, request: Request) -> Answer:
        """Set one issue property: 201 when it is new."""
        key, value = request.args["property"], checked_property(request.json())
        is_new = key not in self._issue(request).properties
        self._edit(request, lambda issue: replace(issue, properties={**issue.properties, key: value}))
        return json_answer(201 if is_new else 200, {})

    def delete_property(self, request: Request) -> Answer:
        """Remove one issue property."""
        key = request.args["property"]
        _property(key, self._issue(request).properties)
        self._edit(request, lambda issue: replace(issue, properties=_without(issue.properties, key)))
        return Answer(204)

    def get_comments(self, request: Request) -> Answer:
        """Answer a page of comments, without properties: the contract's `expand` knows only renderedBody."""
        issue, order = self._issue(request), request.first("orderBy", "created")
        if order not in ORDERS:
            raise Refused(failure(400, f"orderBy '{order}' is not supported."))
        start, size = _number(request, "startAt", 0), _number(request, "maxResults", 100)
        size = min(size, self._settings().comment_page_cap)
        ordered = issue.comments[::-1] if order == "-created" else issue.comments
        page = [self._write().comment(issue.id, comment) for comment in ordered[start : start + size]]
        total = len(issue.comments)
        return json_answer(200, {"startAt": start, "maxResults": size, "total": total, "comments": page})

    def post_comment(self, request: Request) -> Answer:
        """Add a comment."""
        issue, body, at = self._issue(request), request.json() or {}, self._store.clock()
        content = checked_comment(body.get("body"))
        properties = checked_properties(body.get("properties") or [])
        draft = Comment("", self._settings().service_account, content, at, at, properties)
        comment = self._store.comment(issue.id, draft)
        if comment is None:
            raise Refused(failure(404, NO_ISSUE))
        return json_answer(201, self._write().comment(issue.id, comment))

    def put_comment(self, request: Request) -> Answer:
        """Replace a comment's body; properties given are added to those it has."""
        issue, body = self._issue(request), request.json() or {}
        known = next((one for one in issue.comments if one.id == request.args["comment"]), None)
        if known is None:
            raise Refused(failure(404, f"Can not find a comment for the id: {request.args['comment']}."))
        content = checked_comment(body.get("body"))
        properties = {**known.properties, **checked_properties(body.get("properties") or [])}
        comment = replace(known, body=content, properties=properties, updated=self._store.clock())
        self._edit(request, lambda issue: issue.with_comment(comment))
        return json_answer(200, self._write().comment(issue.id, comment))

    def get_comment_property(self, request: Request) -> Answer:
        """Answer one comment property."""
        comment = self._store.find_comment(request.args["comment"])
        if comment is None:
            raise Refused(failure(404, f"Can not find a comment for the id: {request.args['comment']}."))
        return _property(request.args["property"], comment.properties)

    def _issue(self, request: Request) -> Issue:
        return _found(self._store.find(request.args["issue"]))

    def _edit(self, request: Request, change: Callable[[Issue], Issue]) -> None:
        _found(self._store.edit(request.args["issue"], change))


def _found(issue: Issue | None) -> Issue:
    if issue is None:
        raise Refused(failure(404, NO_ISSUE))
    return issue


def _property(key: str, properties: Any) -> Answer:
    if key not in properties:
        raise Refused(failure(404, f"The property with key '{key}' does not exist."))
    return json_answer(200, {"key": key, "value": properties[key]})


def _without(properties: Any, key: str) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name != key}


def _number(request: Request, name: str, default: int) -> int:
    value = request.first(name, str(default))
    if not value.isdecimal():
        raise Refused(failure(400, f"{name} must be a number, not '{value}'."))
    return int(value)
