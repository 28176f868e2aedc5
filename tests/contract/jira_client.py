"""A bare REST client of the Jira stand-in, and a clock to turn by hand."""

from dataclasses import dataclass
from typing import Any

import requests

from alm.standins.jira import JiraStandIn


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Client:
    """A logged-in REST client."""

    jira: JiraStandIn
    session: requests.Session

    def send(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        return self.session.request(method, self.jira.api + path, json=body, params=query, timeout=10)

    def search(self, jql: str, **body: Any) -> Any:
        return self.send("POST", "/search/jql", {"jql": jql, **body}).json()

    def found(self, jql: str) -> list[str]:
        return [issue["key"] for issue in self.search(jql, fields=["key"])["issues"]]


def log_in(jira: JiraStandIn, **wrong: str) -> requests.Response:
    known = {
        "grant_type": "client_credentials",
        "client_id": jira.settings.client_id,
        "client_secret": jira.settings.client_secret,
        "audience": "api.atlassian.com",
    }
    return requests.post(f"{jira.url}/oauth/token", json={**known, **wrong}, timeout=10)
