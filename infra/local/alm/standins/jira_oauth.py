"""Atlassian's front door: client-credentials tokens, the list of sites, the tenant, the bearer check."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from alm.standins.messages import Answer, Refused, Request, json_answer


@dataclass(frozen=True)
class JiraSettings:
    """What the stand-in pretends to be, and how it behaves; replace it on the stand-in at any time."""

    cloud_id: str = "1324a887-45db-1bf4-1e99-ef0ff456d421"
    project_key: str = "DEMO"
    client_id: str = "alm-service-account"
    client_secret: str = "not-a-secret-jira"  # noqa: S105 - made up
    service_account: str = "712020:alm-service-account"
    issue_types: tuple[str, ...] = ("Bug", "Story", "Task")
    expires_in_s: int = 3600
    page_cap: int = 50
    comment_page_cap: int = 100
    # How many comments an issue shows among its fields; the rest have to be listed.
    shown_comments_cap: int = 5000
    index_lag_s: float = 0
    tenant_info: bool = True


class JiraOAuth:
    """Issues and checks access tokens."""

    def __init__(self, settings: Callable[[], JiraSettings], clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._valid_until: dict[str, float] = {}

    def revoke_all(self) -> None:
        """Make every token handed out so far worthless."""
        self._valid_until = {}

    def token(self, request: Request) -> Answer:
        """Exchange client credentials for an access token."""
        settings = self._settings()
        expected = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "audience": "api.atlassian.com",
        }
        if request.json() != expected:
            return json_answer(401, {"error": "access_denied", "error_description": "Unauthorized"})
        access_token = secrets.token_urlsafe(48)
        self._valid_until[access_token] = self._clock() + settings.expires_in_s
        return json_answer(200, _token_answer(access_token, settings.expires_in_s))

    def check(self, request: Request) -> None:
        """Refuse a request without a live bearer token."""
        scheme, _, access_token = request.headers.get("authorization", "").partition(" ")
        alive = self._valid_until.get(access_token, 0) > self._clock()
        if scheme != "Bearer" or not alive:
            raise Refused(json_answer(401, {"code": 401, "message": "Unauthorized"}))

    def tenant(self, _request: Request) -> Answer:
        """Tell the cloud id of this site to anyone, unless switched off."""
        settings = self._settings()
        if not settings.tenant_info:
            return json_answer(404, {"message": "Not Found"})
        return json_answer(200, {"cloudId": settings.cloud_id})


def sites(settings: JiraSettings, url: str) -> list[dict[str, Any]]:
    """List the sites the account can see; the right one is neither first nor last."""
    return [
        _site("11111111-aaaa-4aaa-8aaa-111111111111", "https://another-team.example.net"),
        _site(settings.cloud_id, url),
        # Begins like the right one, so that matching by prefix is caught.
        _site("22222222-bbbb-4bbb-8bbb-222222222222", f"{url}.example.net"),
    ]


def _site(cloud_id: str, url: str) -> dict[str, Any]:
    return {
        "id": cloud_id,
        "url": url,
        "name": url.partition("//")[2],
        "scopes": ["read:jira-work", "write:jira-work"],
        "avatarUrl": f"{url}/avatar.png",
    }


def _token_answer(access_token: str, expires_in_s: int) -> dict[str, Any]:
    return {
        "access_token": access_token,
        "expires_in": expires_in_s,
        "token_type": "Bearer",
        "scope": "read:jira-work write:jira-work",
    }
