"""Jira Cloud, REST API v3, for poll and publication. Every request goes through `_send`.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from orchestrator.adapters.atlassian_auth import TIMEOUT_S, AtlassianAuth
from orchestrator.adapters.backoff import RETRIES, wait_s
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
from orchestrator.adapters.markdown_adf import as_code_block, to_adf
from orchestrator.domain.issue import (
    CLAIM_PROPERTY,
    LATEST_PROPERTY,
    RESULT_PROPERTY,
    Comment,
    Issue,
    OwnComment,
)
from orchestrator.domain.job import PROCESSING_LABEL, Job, PastResult
from orchestrator.domain.outcome import Outcome
from orchestrator.errors import ConfigError, NotFoundError, RefusedError, TransientError
from orchestrator.ports import Clock

PAGE = 100
SEARCH_FIELDS = ["labels"]
READ_FIELDS = "summary,description,issuetype,labels,updated,comment"


@dataclass
class JiraCloud:
    """The tracker."""

    auth: AtlassianAuth
    session: requests.Session
    clock: Clock
    _account_id: str = ""

    def search(self, jql: str) -> Iterator[Issue]:
        """Every issue that matches, page after page: a short page is not the last one."""
        body = {"jql": jql, "fields": SEARCH_FIELDS, "properties": [CLAIM_PROPERTY], "maxResults": PAGE}
        while True:
            issues, token = search_page_from(self._send("POST", "/search/jql", body=body).json())
            yield from issues
            if token is None:
                return
            body["nextPageToken"] = token

    def read(self, key: str) -> Issue | None:
        """The issue as it is now, or None when it is gone."""
        query = {"fields": READ_FIELDS, "properties": f"{CLAIM_PROPERTY},{LATEST_PROPERTY}"}
        try:
            return issue_from(self._send("GET", f"/issue/{quote(key, safe='')}", query=query).json())
        except NotFoundError:
            return None

    def claim(self, job: Job) -> None:
        """One PUT: both labels and the claim, or nothing."""
        labels = [{"add": PROCESSING_LABEL}, {"remove": job.label}]
        self._edit(job.issue_key, labels, {CLAIM_PROPERTY: job.model_dump(mode="json")})

    def release(self, job: Job, outcome: Outcome, latest: Mapping[str, PastResult]) -> None:
        """One PUT: `ai-processing` off, how the claim ended, and where the latest results are."""
        past = {action: result.model_dump(mode="json") for action, result in latest.items()}
        ended = {**job.model_dump(mode="json"), "outcome": outcome}
        with suppress(NotFoundError):
            properties = {CLAIM_PROPERTY: ended, LATEST_PROPERTY: past}
            self._edit(job.issue_key, [{"remove": PROCESSING_LABEL}], properties)

    def ask_for(self, key: str, label: str) -> None:
        """Put a label on, as a person does who asks for its action."""
        self._edit(key, [{"add": label}], {})

    def _edit(self, key: str, labels: list[dict[str, str]], properties: Mapping[str, Any]) -> None:
        listed = [{"key": name, "value": value} for name, value in properties.items()]
        body = {"update": {"labels": labels}, "properties": listed}
        self._send("PUT", f"/issue/{quote(key, safe='')}", body=body)

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
            answer = self._send("GET", f"/issue/{quote(key, safe='')}/comment", query=query)
            comments, total = comment_page_from(answer.json())
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
            answer = self._send("GET", f"/comment/{raw['id']}/properties/{RESULT_PROPERTY}")
        except NotFoundError:
            return None
        return property_from(answer.json())

    def comment(self, key: str, markdown: str, mark: OwnComment) -> str:
        """Post the text as one marked comment; as a code block when Jira does not take it as a document."""
        value = {"job_id": mark.job_id, "action": mark.action, "part": mark.part, "outcome": mark.outcome}
        properties = [{"key": RESULT_PROPERTY, "value": value}]
        path = f"/issue/{quote(key, safe='')}/comment"
        # Not repeatable: a lost answer may hide a comment that was written. The next delivery looks first.
        answer = self._send_text("POST", path, markdown, {"properties": properties}, repeatable=False)
        return comment_id_from(answer.json())

    def edit_comment(self, key: str, comment_id: str, markdown: str) -> None:
        """Replace the text of a comment of ours; one that is gone is no error."""
        path = f"/issue/{quote(key, safe='')}/comment/{quote(comment_id, safe='')}"
        with suppress(NotFoundError):
            self._send_text("PUT", path, markdown, {})

    def _send_text(
        self, method: str, path: str, markdown: str, more: Mapping[str, Any], *, repeatable: bool = True
    ) -> requests.Response:
        try:
            return self._send(method, path, body={"body": to_adf(markdown), **more}, repeatable=repeatable)
        except RefusedError as error:
            if error.status != requests.codes.bad_request:
                raise
        return self._send(method, path, body={"body": as_code_block(markdown), **more}, repeatable=repeatable)

    def issue_url(self, key: str) -> str:
        """Where a person reads the issue."""
        return f"{self.auth.settings.jira_url}/browse/{quote(key, safe='')}"

    def _myself(self) -> str:
        if not self._account_id:
            self._account_id = account_id_from(self._send("GET", "/myself").json())
        return self._account_id

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        repeatable: bool = True,
    ) -> requests.Response:
        """One request as the service account: repeated where that is safe, at most once with a new token."""
        renewed = False
        for attempt in range(RETRIES + 1):
            answer = self._once(method, path, query, body)
            if answer is not None and answer.status_code == requests.codes.unauthorized and not renewed:
                self.auth.renew()
                renewed = True
                answer = self._once(method, path, query, body)
            delay_s = wait_s(answer, attempt, repeatable=repeatable)
            if delay_s is None:
                return _checked(answer, method, path)
            self.clock.sleep(delay_s)
        return _checked(answer, method, path)

    def _once(self, method: str, path: str, query: object, body: object) -> requests.Response | None:
        try:
            return self.session.request(
                method,
                f"{self.auth.api_url()}/rest/api/3{path}",
                params=query,  # type: ignore[arg-type]
                json=body,
                headers=self.auth.headers(),
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException:
            return None


def _checked(answer: requests.Response | None, method: str, path: str) -> requests.Response:
    """The answer if it is a good one, else what it means for us."""
    if answer is None:
        raise TransientError("Jira did not answer.")
    status = answer.status_code
    if status < requests.codes.multiple_choices and _is_whole(answer):
        return answer
    if status == requests.codes.unauthorized:
        raise ConfigError(
            "Jira did not accept a fresh access token (401). Check the service account's scopes."
        )
    if status == requests.codes.not_found:
        raise NotFoundError(f"Jira knows nothing at {path}, or the service account may not see it.")
    if status == requests.codes.forbidden:
        raise RefusedError(
            f"The service account may not {method} {path} (403). Check its project role.", status
        )
    if answer.ok or status in {409, 429} or status >= requests.codes.internal_server_error:
        raise TransientError(f"Jira answered {status} to {method} {path}.")
    raise RefusedError(f"Jira did not take {method} {path} ({status}): {_messages(answer)}", status)


def _is_whole(answer: requests.Response) -> bool:
    if not answer.content:
        return bool(answer.status_code == requests.codes.no_content)
    try:
        answer.json()
    except ValueError:
        return False
    return True


def _messages(answer: requests.Response) -> str:
    try:
        body = answer.json()
        messages = [*body.get("errorMessages", ()), *body.get("errors", {}).values()]
    except (ValueError, AttributeError):
        return "no reason given"
    return " ".join(map(str, messages))[:300] or "no reason given"
