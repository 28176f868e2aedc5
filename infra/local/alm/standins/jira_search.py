"""`POST search/jql` of the Jira stand-in: a lagging index, read page by page."""

import base64
import json
from collections.abc import Callable
from typing import Any

from alm.standins.jira_json import JiraJson, failure
from alm.standins.jira_oauth import JiraSettings
from alm.standins.jira_store import Issue, JiraStore
from alm.standins.jql import JqlError, Query, parse_jql
from alm.standins.messages import Answer, Refused, Request, json_answer

BAD_PAYLOAD = "Invalid request payload. Refer to the REST API documentation and try again."
MAX_PROPERTIES = 5
MAX_RECONCILED = 50
_TYPES: dict[str, type] = {
    "jql": str,
    "fields": list,
    "properties": list,
    "maxResults": int,
    "nextPageToken": str,
    "reconcileIssues": list,
    "expand": str,
    "fieldsByKeys": bool,
}

Position = tuple[float, int]


class JiraSearch:
    """Answers searches from what the index of the store shows."""

    def __init__(
        self, store: JiraStore, settings: Callable[[], JiraSettings], write: Callable[[], JiraJson]
    ) -> None:
        self._store = store
        self._settings = settings
        self._write = write

    def search(self, request: Request) -> Answer:
        """Answer one page; a page may be shorter than asked for without being the last."""
        body = _checked(request.json())
        query = self._parsed(body.get("jql", ""))
        found = self._found(query, body)
        size = min(body.get("maxResults", 50), self._settings().page_cap)
        page = found[:size]
        answer: dict[str, Any] = {
            "issues": [self._written(issue, body) for issue in page],
            "isLast": len(found) <= size,
        }
        if not answer["isLast"]:
            answer["nextPageToken"] = _page_token(body["jql"], _position(page[-1]))
        return json_answer(200, answer)

    def _parsed(self, jql: str) -> Query:
        try:
            query = parse_jql(jql)
        except JqlError as error:
            raise Refused(failure(400, str(error))) from error
        self._check_values(query)
        return query

    def _check_values(self, query: Query) -> None:
        settings, issues = self._settings(), self._store.indexed(0)
        projects = {settings.project_key, *(issue.key.rpartition("-")[0] for issue in issues)}
        types = {*settings.issue_types, *(issue.type for issue in issues)}
        known = {"project": projects, "issuetype": types}
        for clause in query.clauses:
            allowed = {name.lower() for name in known.get(clause.field, clause.values)}
            for value in clause.values:
                if value.lower() not in allowed:
                    missing = f"The value '{value}' does not exist for the field '{clause.field}'."
                    raise Refused(failure(400, missing))

    def _found(self, query: Query, body: dict[str, Any]) -> list[Issue]:
        reconciled = [str(issue_id) for issue_id in body.get("reconcileIssues", [])]
        issues = self._store.indexed(self._settings().index_lag_s, reconciled)
        found = sorted(filter(query.matches, issues), key=_position, reverse=query.descending)
        if "nextPageToken" not in body:
            return found
        last = _page_position(body["nextPageToken"], body["jql"])
        return [
            issue
            for issue in found
            if (_position(issue) > last) != query.descending and _position(issue) != last
        ]

    def _written(self, issue: Issue, body: dict[str, Any]) -> dict[str, Any]:
        fields, properties = body.get("fields") or ["id"], body.get("properties", [])
        written = self._write().issue(issue, fields, properties)
        if set(fields) <= {"id", "key"}:
            return {name: written[name] for name in ("id", *fields, "properties") if name in written}
        return written


def _checked(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or not all(_typed(name, value) for name, value in body.items()):
        raise Refused(failure(400, BAD_PAYLOAD))
    if body.get("maxResults", 50) < 1:
        raise Refused(failure(400, "maxResults must be greater than 0."))
    if len(body.get("properties", [])) > MAX_PROPERTIES:
        raise Refused(failure(400, f"The maximum number of properties is {MAX_PROPERTIES}."))
    if len(body.get("reconcileIssues", [])) > MAX_RECONCILED:
        raise Refused(failure(400, f"The maximum number of reconcileIssues is {MAX_RECONCILED}."))
    return body


def _typed(name: str, value: Any) -> bool:
    return name in _TYPES and isinstance(value, _TYPES[name])


def _position(issue: Issue) -> Position:
    return issue.created, int(issue.id)


def _page_token(jql: str, last: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps([jql, *last]).encode()).decode()


def _page_position(token: str, jql: str) -> Position:
    try:
        issued_for, created, issue_id = json.loads(base64.urlsafe_b64decode(token))
    except ValueError as error:
        raise Refused(failure(400, "Invalid nextPageToken.")) from error
    if issued_for != jql:
        raise Refused(failure(400, "The nextPageToken belongs to another query."))
    return created, issue_id
