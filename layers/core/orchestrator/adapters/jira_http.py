"""One request to Jira's REST API as the service account: its pace, its repeats, and what its answer means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from orchestrator.adapters.atlassian_auth import TIMEOUT_S, AtlassianAuth
from orchestrator.adapters.backoff import (
    LONGEST_WAIT_S,
    PER_ISSUE,
    Repeat,
    asked_s,
    is_hourly,
    reason,
    wait_s,
)
from orchestrator.adapters.json_answer import json_of
from orchestrator.adapters.pacing import Pacing
from orchestrator.adapters.pauses import EVERYTHING, Pauses
from orchestrator.errors import ConfigError, NotFoundError, RefusedError, TransientError
from orchestrator.ports import Clock


@dataclass(frozen=True)
class Call:
    """One request; `writes_to` is the issue it writes to, empty if it reads."""

    method: str
    path: str
    query: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None
    repeat: Repeat = Repeat.SAFE
    writes_to: str = ""


@dataclass
class JiraHttp:
    """The way to the site's REST API."""

    auth: AtlassianAuth
    session: requests.Session
    clock: Clock
    _pacing: Pacing = field(init=False)
    _pauses: Pauses = field(init=False)

    def __post_init__(self) -> None:
        self._pacing = Pacing(self.clock)
        self._pauses = Pauses("Jira", self.clock)

    def send(self, call: Call) -> requests.Response:
        """A good answer, else the error it means for us; while Jira has asked us to wait, that without a request."""
        self._pauses.check(call.writes_to)
        try:
            answer = self._tried(call)
        except TransientError as error:  # Atlassian's sign-in
            self._heed(error.after_s, EVERYTHING)
            raise
        asked = 0.0 if answer is None else asked_s(answer.headers, self.clock.time()) or 0.0
        try:
            return _checked(answer, call, asked)
        except TransientError:
            if answer is not None:
                # The limit of one issue says nothing of the others.
                scope = call.writes_to if reason(answer.headers) == PER_ISSUE else EVERYTHING
                self._heed(asked, scope, is_hourly=is_hourly(answer.headers))
            raise

    def _heed(self, asked: float, scope: str, *, is_hourly: bool = False) -> None:
        if asked > LONGEST_WAIT_S or is_hourly:
            self._pauses.heed(asked, scope)

    def _tried(self, call: Call) -> requests.Response | None:
        """The last answer, None if none came: repeated as far as it may be and is worth waiting for."""
        attempt, waited_s = 0, 0.0
        while True:
            answer = self._signed_in(call)
            delay_s = wait_s(answer, attempt, call.repeat, self.clock.time())
            # The function has two minutes for all its requests.
            if delay_s is None or (waited_s and waited_s + delay_s > LONGEST_WAIT_S):
                return answer
            self.clock.sleep(delay_s)
            attempt, waited_s = attempt + 1, waited_s + delay_s

    def _signed_in(self, call: Call) -> requests.Response | None:
        """The answer; the one to a new token where the old one was refused, which means that nothing was done."""
        answer = self._once(call)
        if answer is None or answer.status_code != requests.codes.unauthorized:
            return answer
        self.auth.renew()
        return self._once(call)

    def _once(self, call: Call) -> requests.Response | None:
        # Before the wait, so that what signing in takes is over by the time the write is counted.
        url, headers = f"{self.auth.api_url()}/rest/api/3{call.path}", self.auth.headers()
        if call.writes_to:
            self._pacing.wait(call.writes_to)
        try:
            return self.session.request(
                call.method,
                url,
                params=call.query,
                json=call.body,
                headers=headers,
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException:
            return None


def _checked(answer: requests.Response | None, call: Call, asked: float) -> requests.Response:
    """The answer if it is a good one, else what it means for us; `asked` are the seconds it asks us to wait."""
    if answer is None:
        raise TransientError("Jira did not answer.")
    status, what = answer.status_code, f"{call.method} {call.path}"
    if status < requests.codes.multiple_choices and _is_whole(answer):
        return answer
    if status == requests.codes.unauthorized:
        raise ConfigError(
            "Jira did not accept a fresh access token (401). Check the service account's scopes."
        )
    if status == requests.codes.not_found:
        raise NotFoundError(f"Jira knows nothing at {call.path}, or the service account may not see it.")
    if status == requests.codes.forbidden:
        raise RefusedError(f"The service account may not {what} (403). Check its project role.", status)
    if answer.ok or status in {409, 429} or status >= requests.codes.internal_server_error:
        limit = reason(answer.headers)
        raise TransientError(f"Jira answered {status} to {what}{f' ({limit})' if limit else ''}.", asked)
    raise RefusedError(f"Jira did not take {what} ({status}): {_messages(answer)}", status)


def _is_whole(answer: requests.Response) -> bool:
    if not answer.content:
        return bool(answer.status_code == requests.codes.no_content)
    try:
        json_of(answer)
    except ValueError:
        return False
    return True


def _messages(answer: requests.Response) -> str:
    try:
        body = json_of(answer)
        messages = [*body.get("errorMessages", ()), *body.get("errors", {}).values()]
    except (ValueError, AttributeError):
        return "no reason given"
    return " ".join(map(str, messages))[:300] or "no reason given"
