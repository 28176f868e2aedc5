"""Jira Cloud, REST API v3, for poll and publication. Every request goes through `JiraHttp.send`.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import requests

from orchestrator.adapters.atlassian_auth import AtlassianAuth
from orchestrator.adapters.backoff import Repeat
from orchestrator.adapters.jira_http import Call, JiraHttp
from orchestrator.adapters.jira_parsing import (
    account_id_from,
    author_of,
    comment_from,
    comment_id_from,
    comment_page_from,
    issue_from,
    own_comment_from,
    property_from,
    search_page_from,
)
from orchestrator.adapters.json_answer import json_of
from orchestrator.adapters.markdown_adf import as_code_block, to_adf
from orchestrator.domain.issue import (
    CLAIM_PROPERTY,
    LATEST_PROPERTY,
    RESULT_PROPERTY,
    UNFINISHED_PROPERTY,
    Comment,
    Issue,
    Left,
    OwnComment,
)
from orchestrator.domain.job import PROCESSING_LABEL, Job
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import NotFoundError, RefusedError
from orchestrator.ports import Clock

PAGE = 100
LOOK_FIELDS = "labels,updated"
SEARCH_FIELDS = ["labels"]
READ_FIELDS = "summary,description,issuetype,labels,updated,comment"
READ_PROPERTIES = f"{CLAIM_PROPERTY},{LATEST_PROPERTY},{UNFINISHED_PROPERTY}"


@dataclass
class JiraCloud:
    """The tracker. `vouch` takes from an issue what other people wrote into our properties; None hides the issue."""

    auth: AtlassianAuth
    session: requests.Session
    clock: Clock
    vouch: Callable[[Issue], Issue | None] = lambda issue: issue
    _http: JiraHttp = field(init=False, repr=False)
    _account_id: str = ""

    def __post_init__(self) -> None:
        self._http = JiraHttp(self.auth, self.session, self.clock)

    def search(self, jql: str) -> Iterator[Issue]:
        """Every issue that matches, page after page: a short page is not the last one."""
        body = {"jql": jql, "fields": SEARCH_FIELDS, "properties": [CLAIM_PROPERTY], "maxResults": PAGE}
        while True:
            issues, token = search_page_from(json_of(self._http.send(Call("POST", "/search/jql", body=body))))
            yield from filter(None, map(self.vouch, issues))
            if token is None:
                return
            body["nextPageToken"] = token

    def read(self, key: str) -> Issue | None:
        """The issue as it is now, or None when it is gone."""
        return self._issue(key, READ_FIELDS, READ_PROPERTIES)

    def look(self, key: str) -> Issue | None:
        """The issue's labels and our properties as they are now, and none of its text; None when it is gone."""
        return self._issue(key, LOOK_FIELDS, READ_PROPERTIES)

    def _issue(self, key: str, fields: str, properties: str) -> Issue | None:
        query = {"fields": fields, "properties": properties}
        try:
            return self.vouch(issue_from(json_of(self._http.send(Call("GET", _path(key), query=query)))))
        except NotFoundError:
            return None

    def claim(self, job: Job, takes_off: frozenset[str]) -> None:
        """One PUT: `ai-processing` on, those labels off and the claim written, or nothing.

        Not repeatable: by then the label may stand there anew, or a person may have taken `ai-processing` off; both
        would be undone unseen. The next poll finds the claim, or the label still waiting.
        """
        labels = [{"add": PROCESSING_LABEL}, *({"remove": label} for label in sorted(takes_off))]
        self._edit(job.issue_key, labels, {CLAIM_PROPERTY: job.model_dump(mode="json")})

    def release(self, job: Job, outcome: Outcome, left: Left) -> None:
        """One PUT: `ai-processing` off, how the claim ended, and what the ticket keeps of it.

        Not repeatable: by then a new claim of another job may stand there. The queue's next delivery looks first.
        """
        properties = {
            CLAIM_PROPERTY: {**job.model_dump(mode="json"), "outcome": outcome},
            LATEST_PROPERTY: {name: past.model_dump(mode="json") for name, past in left.latest.items()},
            UNFINISHED_PROPERTY: {} if left.unfinished is None else left.unfinished.model_dump(mode="json"),
        }
        with suppress(NotFoundError):
            self._edit(job.issue_key, [{"remove": PROCESSING_LABEL}], properties)

    def ask_for(self, key: str, label: str) -> None:
        """Put a label on, as a person does who asks for its action.

        Not repeatable: by then a poll may have claimed the issue, and the label would ask for a second job.
        """
        self._edit(key, [{"add": label}], {})

    def _edit(self, key: str, labels: list[dict[str, str]], properties: Mapping[str, Any]) -> None:
        listed = [{"key": name, "value": value} for name, value in properties.items()]
        body = {"update": {"labels": labels}, "properties": listed}
        self._http.send(Call("PUT", _path(key), body=body, repeat=Repeat.NOT_DONE, writes_to=key))

    def comments(self, key: str) -> Iterator[Comment]:
        """Everybody's comments, newest first, fetched as they are asked for."""
        return map(comment_from, self._comments(key))

    def own_comments(self, key: str) -> Iterator[OwnComment]:
        """Our service account's marked comments, newest first, fetched as they are asked for."""
        for raw in self._comments(key):
            if author_of(raw) == self._myself() and (comment := own_comment_from(self._mark(raw), raw)):
                yield comment

    def _comments(self, key: str) -> Iterator[dict[str, Any]]:
        start = 0
        while True:
            query = {"orderBy": "-created", "startAt": start, "maxResults": PAGE, "expand": "properties"}
            answer = self._http.send(Call("GET", f"{_path(key)}/comment", query=query))
            comments, total = comment_page_from(json_of(answer))
            yield from comments
            start += len(comments)
            if not comments or start >= total:
                return

    def _mark(self, raw: Mapping[str, Any]) -> Any:
        """Our property on the comment. The list shows properties on some sites only: else it is asked for."""
        listed = {item["key"]: item["value"] for item in raw.get("properties") or ()}
        if "properties" in raw:
            return listed.get(RESULT_PROPERTY)
        try:
            answer = self._http.send(Call("GET", f"/comment/{raw['id']}/properties/{RESULT_PROPERTY}"))
        except NotFoundError:
            return None
        return property_from(json_of(answer))

    def comment(self, key: str, markdown: str, mark: OwnComment) -> str:
        """Post the text as one marked comment; as a code block when Jira does not take it as a document.

        Not repeatable: a lost answer may hide a comment that was written. The next delivery looks first.
        """
        value = {"job_id": mark.job_id, "action": mark.action, "part": mark.part, "outcome": mark.outcome}
        body = {"properties": [{"key": RESULT_PROPERTY, "value": value}]}
        call = Call("POST", f"{_path(key)}/comment", body=body, repeat=Repeat.NOT_DONE, writes_to=key)
        return comment_id_from(json_of(self._send_text(call, markdown)))

    def edit_comment(self, key: str, comment_id: str, markdown: str) -> None:
        """Replace the text of a comment of ours; one that is gone is no error.

        Never repeated, not even after a 429: a poll's edit would come after the publisher's last one, and stay. The
        next poll or delivery edits with what is true by then.
        """
        path = f"{_path(key)}/comment/{quote(comment_id, safe='')}"
        with suppress(NotFoundError):
            self._send_text(Call("PUT", path, repeat=Repeat.NEVER, writes_to=key), markdown)

    def _send_text(self, call: Call, markdown: str) -> requests.Response:
        more = call.body or {}
        try:
            return self._http.send(replace(call, body={"body": to_adf(markdown), **more}))
        except RefusedError as error:
            if error.status != requests.codes.bad_request:
                raise
        return self._http.send(replace(call, body={"body": as_code_block(markdown), **more}))

    def issue_url(self, key: str) -> str:
        """Where a person reads the issue."""
        return f"{self.auth.settings.jira_url}/browse/{quote(key, safe='')}"

    def _myself(self) -> str:
        if not self._account_id:
            self._account_id = account_id_from(json_of(self._http.send(Call("GET", "/myself"))))
        return self._account_id


def _path(key: str) -> str:
    return f"/issue/{quote(key, safe='')}"
