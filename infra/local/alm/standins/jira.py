"""The stand-in for Jira Cloud: Atlassian's login, one site's REST API, and what people do there."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from alm.standins.http import StandInServer
from alm.standins.jira_issues import JiraIssues
from alm.standins.jira_json import JiraJson, failure
from alm.standins.jira_limits import WriteLimits
from alm.standins.jira_oauth import JiraOAuth, JiraSettings, sites
from alm.standins.jira_search import JiraSearch
from alm.standins.jira_store import Comment, Issue, JiraStore, LabelChange
from alm.standins.messages import Answer, Handler, Refused, Request, Route, json_answer

__all__ = ["Comment", "Issue", "JiraSettings", "JiraStandIn", "LabelChange", "paragraphs"]

REST = "/ex/jira/(?P<cloud_id>[^/]+)/rest/api/3"
GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)


def paragraphs(*texts: str) -> dict[str, Any]:
    """Write texts as an ADF document, a paragraph each."""
    return {"type": "doc", "version": 1, "content": [_paragraph(text) for text in texts]}


def _paragraph(text: str) -> dict[str, Any]:
    # ADF has no empty text nodes: a blank line is a paragraph without any.
    return {"type": "paragraph", "content": [{"type": "text", "text": text}] if text else []}


class JiraStandIn(StandInServer):
    """Jira Cloud on this machine; `settings` may be replaced while it runs."""

    def __init__(self, settings: JiraSettings | None = None, clock: Callable[[], float] = time.time) -> None:
        super().__init__(json_answer(404, {"message": "No route", "code": 404}))
        self.settings = settings or JiraSettings()
        self._store = JiraStore(clock)
        self._oauth = JiraOAuth(lambda: self.settings, clock)
        self._limits = WriteLimits(clock)
        self.add_routes(self._routes())

    @property
    def api(self) -> str:
        """The REST API's address, as the links in answers have it."""
        return f"{self.url}/ex/jira/{self.settings.cloud_id}/rest/api/3"

    def environment(self) -> dict[str, str]:
        """Return the configuration that points the orchestrator here."""
        return {
            "JIRA_URL": self.url,
            "JIRA_PROJECT_KEY": self.settings.project_key,
            "JIRA_CLIENT_ID": self.settings.client_id,
            "JIRA_CLIENT_SECRET": self.settings.client_secret,
            "ATLASSIAN_TOKEN_URL": f"{self.url}/oauth/token",
            "ATLASSIAN_RESOURCES_URL": f"{self.url}/oauth/token/accessible-resources",
            "ATLASSIAN_API_URL_PATTERN": f"{self.url}/ex/jira/{{cloud_id}}",
        }

    def revoke_tokens(self) -> None:
        """Make every access token answer 401."""
        self._oauth.revoke_all()

    def create_issue(
        self,
        type_: str,
        summary: str,
        *,
        description: Mapping[str, Any] | str | None = None,
        labels: Iterable[str] = (),
        key: str = "",
    ) -> Issue:
        """Create an issue; a description given as text becomes ADF."""
        at = self._store.clock()
        body = paragraphs(*description.splitlines()) if isinstance(description, str) else description
        key = key or self._store.next_key(self.settings.project_key)
        blank = Issue("", key, type_, summary, body, (), at, at)
        return self._store.add(blank.relabelled(labels, "person", at))

    def issue(self, key: str) -> Issue:
        """Return the issue as it is now; `KeyError` when there is none."""
        issue = self._store.find(key)
        if issue is None:
            raise KeyError(key)
        return issue

    def add_label(self, key: str, *labels: str, author: str = "person") -> Issue:
        """Add labels in one edit."""
        return self._relabel(key, lambda old: (*old, *labels), author)

    def remove_label(self, key: str, *labels: str, author: str = "person") -> Issue:
        """Remove labels in one edit."""
        return self._relabel(key, lambda old: (label for label in old if label not in labels), author)

    def delete_issue(self, key: str) -> None:
        """Delete an issue with its comments."""
        self._store.delete(key)

    def add_comment(self, key: str, author: str, body: Mapping[str, Any] | str) -> Comment:
        """Comment as a person; text becomes ADF."""
        at = self._store.clock()
        document = paragraphs(*body.splitlines()) if isinstance(body, str) else body
        comment = self._store.comment(key, Comment("", author, document, at, at))
        if comment is None:
            raise KeyError(key)
        return comment

    def delete_comment(self, key: str, comment_id: str) -> None:
        """Delete a comment as a person."""
        if self._store.edit(key, lambda issue: issue.without_comment(comment_id)) is None:
            raise KeyError(key)

    def put_property(self, key: str, name: str, value: Any) -> None:
        """Write an issue property, as anybody with the right to edit may."""
        if self._store.edit(key, lambda issue: issue.with_property(name, value)) is None:
            raise KeyError(key)

    def _relabel(self, key: str, change: Callable[[tuple[str, ...]], Iterable[str]], author: str) -> Issue:
        at = self._store.clock()
        issue = self._store.edit(key, lambda old: old.relabelled(change(old.labels), author, at))
        if issue is None:
            raise KeyError(key)
        return issue

    def _routes(self) -> list[Route]:
        issues = JiraIssues(self._store, lambda: self.settings, self._json)
        search = JiraSearch(self._store, lambda: self.settings, self._json)
        rest = (
            *issues.routes(),
            Route("POST", "/search/jql", search.search),
            Route("GET", "/myself", self._myself),
            Route("GET", "/search", _gone),
            Route("POST", "/search", _gone),
        )
        return [
            Route("POST", "/oauth/token", self._oauth.token),
            Route("GET", "/oauth/token/accessible-resources", self._sites),
            Route("GET", "/_edge/tenant_info", self._oauth.tenant),
            *(Route(route.method, REST + route.pattern, self._guarded(route.handler)) for route in rest),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        def guarded(request: Request) -> Answer:
            self._oauth.check(request)
            if request.args["cloud_id"] != self.settings.cloud_id:
                raise Refused(json_answer(404, {"code": 404, "message": "No site with this cloud id"}))
            self._check_rate(request)
            return handler(request)

        return guarded

    def _check_rate(self, request: Request) -> None:
        issue = self._store.find(request.args.get("issue", ""))
        if issue is not None and request.method != "GET":
            self._limits.check(issue.id)

    def _sites(self, request: Request) -> Answer:
        self._oauth.check(request)
        return json_answer(200, sites(self.settings, self.url))

    def _myself(self, _request: Request) -> Answer:
        return json_answer(200, self._json().user(self.settings.service_account))

    def _json(self) -> JiraJson:
        settings = self.settings
        return JiraJson(self.api, settings.service_account, settings.shown_comments_cap)


def _gone(_request: Request) -> Answer:
    return failure(410, GONE)
