"""`POST search/jql` of the Jira stand-in: a lagging index, read page by page."""

import base64
import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from alm.standins.jira_index import Position
from alm.standins.jira_json import JiraJson, failure
from alm.standins.jira_oauth import JiraSettings
from alm.standins.jira_store import Issue, JiraStore
from alm.standins.jql import Clause, JqlError, Query, parse_jql
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
        size = min(body.get("maxResults", 50), self._settings().page_cap)
        found = list(islice(self._found(query, body), size + 1))
        page = found[:size]
        answer: dict[str, Any] = {
            "issues": [self._written(issue, body) for issue in page],
            "isLast": len(found) <= size,
        }
        if not answer["isLast"]:
            answer["nextPageToken"] = _page_token(body["jql"], page[-1].position)
        return json_answer(200, answer)

    def _parsed(self, jql: str) -> Query:
        try:
            query = parse_jql(jql)
        except JqlError as error:
            raise Refused(failure(400, str(error))) from error
        self._check_values(query)
        return query

    def _check_values(self, query: Query) -> None:
        settings = self._settings()
        known = {"project": {settings.project_key}, "issuetype": {*settings.issue_types}}
        for clause in query.clauses:
            if clause.field in known and not _all_known(clause.values, known[clause.field]):
                self._refuse_unused(clause)

    def _refuse_unused(self, clause: Clause) -> None:
        """Projects and types nobody configured exist all the same where an issue has them."""
        settings, issues = self._settings(), self._store.issues()
        projects = {settings.project_key, *(issue.key.rpartition("-")[0] for issue in issues)}
        types = {*settings.issue_types, *(issue.type for issue in issues)}
        for value in clause.values:
            if not _all_known((value,), types if clause.field == "issuetype" else projects):
                missing = f"The value '{value}' does not exist for the field '{clause.field}'."
                raise Refused(failure(400, missing))

    def _found(self, query: Query, body: dict[str, Any]) -> Iterator[Issue]:
        reconciled = {str(issue_id) for issue_id in body.get("reconcileIssues", [])}
        token = body.get("nextPageToken")
        last = None if token is None else _page_position(token, body["jql"])
        moment = self._store.clock() - self._settings().index_lag_s
        for issue_id in self._store.beyond(query.labels, last, descending=query.descending):
            issue = self._store.at(issue_id, None if issue_id in reconciled else moment)
            if issue is not None and query.matches(issue):
                yield issue

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


def _all_known(values: tuple[str, ...], known: set[str]) -> bool:
    return {value.lower() for value in values} <= {name.lower() for name in known}


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
