"""Who we are at Atlassian: an access token by client credentials, and the cloud id of the site."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from orchestrator.adapters.backoff import asked_s
from orchestrator.adapters.promised import promised
from orchestrator.config import JiraSettings
from orchestrator.errors import ConfigError, TransientError
from orchestrator.ports import Clock
from orchestrator.secret_values import JiraSecret

TIMEOUT_S = (5, 30)
# Renewed this long before it ends, so that no request starts with a token that dies under way.
EARLY_S = 60
_SERVICE = "Atlassian's sign-in"
_REFUSALS = frozenset({400, 401, 403})


@dataclass
class AtlassianAuth:
    """Hands out the token for the next request; `renew` makes sure that it is a new one."""

    settings: JiraSettings
    secret: JiraSecret
    session: requests.Session
    clock: Clock
    _token: str = field(default="", repr=False)
    _expires_at: float = 0.0
    _cloud_id: str = ""

    def headers(self) -> Mapping[str, str]:
        """The authorization of the next request."""
        if not self._token or self.clock.monotonic() >= self._expires_at - EARLY_S:
            self.renew()
        return {"authorization": f"Bearer {self._token}"}

    def renew(self) -> None:
        """Get a new token now."""
        form = {
            "audience": "api.atlassian.com",
            "grant_type": "client_credentials",
            "client_id": self.secret.client_id,
            "client_secret": self.secret.client_secret,
        }
        answer = self._ask("POST", self.settings.atlassian_token_url, json=form)
        if answer.status_code in _REFUSALS:
            raise ConfigError(
                f"Atlassian refused JIRA_CLIENT_ID and JIRA_CLIENT_SECRET ({answer.status_code}). "
                "Nothing can be polled until the service account's credentials are renewed."
            )
        self._token, lifetime_s = _token_from(self._json(answer))
        self._expires_at = self.clock.monotonic() + lifetime_s

    def api_url(self) -> str:
        """The base URL of the site's REST API."""
        if not self._cloud_id:
            self._cloud_id = self.settings.jira_cloud_id or self._tenant() or self._resource()
        return self.settings.atlassian_api_url_pattern.replace("{cloud_id}", self._cloud_id).rstrip("/")

    def _tenant(self) -> str | None:
        answer = self._ask("GET", f"{self.settings.jira_url}/_edge/tenant_info")
        try:
            return str(answer.json()["cloudId"]) if answer.ok else None
        except (ValueError, KeyError, TypeError):
            return None

    def _resource(self) -> str:
        answer = self._ask("GET", self.settings.atlassian_resources_url, headers=self.headers())
        sites = {} if answer.status_code in _REFUSALS else _sites_from(self._json(answer))
        if cloud_id := sites.get(self.settings.jira_url.casefold()):
            return cloud_id
        raise ConfigError(f"The service account has no access to {self.settings.jira_url}. Check JIRA_URL.")

    def _ask(self, method: str, url: str, **options: object) -> requests.Response:
        try:
            return self.session.request(method, url, timeout=TIMEOUT_S, allow_redirects=False, **options)  # type: ignore[arg-type]
        except requests.RequestException as error:
            raise TransientError(f"{_SERVICE} did not answer.") from error

    def _json(self, answer: requests.Response) -> Any:
        if not answer.ok:
            asked = asked_s(answer.headers, self.clock.time()) or 0.0
            raise TransientError(f"{_SERVICE} answered {answer.status_code}.", asked)
        try:
            return answer.json()
        except ValueError as error:
            raise TransientError(f"{_SERVICE} answered something that is not JSON.") from error


@promised(_SERVICE)
def _token_from(body: Any) -> tuple[str, float]:
    """The access token, and how many seconds it is good for."""
    return str(body["access_token"]), float(body.get("expires_in", 3600))


@promised(_SERVICE)
def _sites_from(body: Any) -> dict[str, str]:
    """The cloud id of each site the account can see, by the site's address."""
    return {str(site["url"]).rstrip("/").casefold(): str(site["id"]) for site in body}
