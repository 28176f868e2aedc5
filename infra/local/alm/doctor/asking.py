"""One request to somebody's API for a check: no redirect, no repeat, a time limit, and no credential but ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from orchestrator.errors import TransientError

TIMEOUT_S = (5, 15)


@dataclass(frozen=True)
class Answered:
    """Status, headers in lower case, and the JSON body, None if there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any

    def field(self, *path: str) -> Any:
        """The value there; None if the answer has another form."""
        value = self.body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value


def ask(method: str, url: str, headers: Mapping[str, str], **options: Any) -> Answered:
    """The answer; TransientError if there is none."""
    with requests.Session() as session:
        # Without one of its own, requests takes a .netrc's credentials instead of ours.
        session.auth = lambda request: request
        try:
            answer = session.request(
                method, url, headers=dict(headers), timeout=TIMEOUT_S, allow_redirects=False, **options
            )
        except requests.RequestException:
            raise TransientError(f"{url.partition('?')[0]} did not answer.") from None
    known = {name.lower(): value for name, value in answer.headers.items()}
    return Answered(answer.status_code, known, _json(answer))


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
