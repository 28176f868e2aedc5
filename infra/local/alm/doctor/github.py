"""GitHub: what each token may do in the repository. What would change something is asked with values nothing has.

GitHub looks at rights before it looks at values: 403 or 404 says the token may not, 422 that it might have.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from alm.doctor.asking import Answered, ask
from alm.doctor.finding import Finding, fault, ok, warning
from alm.settings import LocalSettings
from orchestrator.config import GitHubSettings

NOWHERE = "alm-doctor-asks-and-changes-nothing"
NO_COMMIT = "0" * 40
# Refused for its values, after its rights were found good.
_WAS_ALLOWED = requests.codes.unprocessable_entity
_NOT_ALLOWED = frozenset({401, 403, 404})


@dataclass(frozen=True)
class Token:
    """One token and the repository it is for."""

    name: str
    value: str
    repository_url: str

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answered:
        """The answer to a request with this token."""
        headers = {"authorization": f"Bearer {self.value}", "accept": "application/vnd.github+json"}
        return ask(method, f"{self.repository_url}{path}", headers, json=body)


def tokens(settings: LocalSettings) -> Iterator[Finding]:
    """Both tokens: what they have to be able to do, and what they should not."""
    told = GitHubSettings.read(settings.publish_environment())
    url = f"{told.github_api_url}/repos/{told.github_repo}"
    write = settings.values["GITHUB_TOKEN"]
    read = settings.values.get("GITHUB_READ_TOKEN")
    if not read or read == write:
        yield warning(
            "GITHUB_READ_TOKEN",
            "is not a token of its own: the worker would hold one that can write",
            "Make a fine-grained token for this repository: contents and pull requests, read-only.",
        )
    else:
        yield from _judged(Token("GITHUB_READ_TOKEN", read, url), writes=False)
    yield from _judged(Token("GITHUB_TOKEN", write, url), writes=True)


def _judged(token: Token, *, writes: bool) -> Iterator[Finding]:
    repository = token.ask("GET", "")
    if repository.status != requests.codes.ok:
        yield fault(
            token.name,
            f"does not open the repository ({repository.status})",
            "Check GITHUB_REPO, or renew the token.",
        )
        return
    yield from _reads(token)
    yield from _writes(token) if writes else _writes_not(token)
    yield from _too_much(token, repository)


def _reads(token: Token) -> Iterator[Finding]:
    for right, path in (
        ("contents", f"/git/matching-refs/heads/{NOWHERE}"),
        ("pull requests", "/pulls?per_page=1"),
    ):
        status = token.ask("GET", path).status
        if status == requests.codes.ok:
            yield ok(token.name, f"reads {right}")
        else:
            yield fault(token.name, f"cannot read {right} ({status})", f"Give the token `{right}`: read.")


def _attempts(token: Token) -> Iterator[tuple[str, int]]:
    ref = {"ref": f"refs/heads/{NOWHERE}", "sha": NO_COMMIT}
    yield "contents", token.ask("POST", "/git/refs", ref).status
    pull = {"title": NOWHERE, "head": NOWHERE, "base": NOWHERE}
    yield "pull requests", token.ask("POST", "/pulls", pull).status


def _writes(token: Token) -> Iterator[Finding]:
    for right, status in _attempts(token):
        if status == _WAS_ALLOWED:
            yield ok(token.name, f"writes {right}")
        elif status in _NOT_ALLOWED:
            yield fault(token.name, f"cannot write {right} ({status})", f"Give the token `{right}`: write.")
        else:
            yield warning(token.name, f"writing {right}: GitHub answered {status}", "Try again later.")


def _writes_not(token: Token) -> Iterator[Finding]:
    for right, status in _attempts(token):
        if status in _NOT_ALLOWED:
            yield ok(token.name, f"cannot write {right}")
        else:
            yield warning(
                token.name, f"may write {right} ({status})", f"Take it away: `{right}` read-only is enough."
            )


def _too_much(token: Token, repository: Answered) -> Iterator[Finding]:
    scopes = {scope.strip() for scope in repository.headers.get("x-oauth-scopes", "").split(",")} - {""}
    if scopes:
        yield warning(
            token.name,
            f"is a classic token with the scopes {', '.join(sorted(scopes))}, for every repository of its account",
            "Use a fine-grained token for this one repository.",
        )
    else:
        yield ok(
            token.name,
            "is for chosen repositories; its page has to show no `workflows` right, which cannot be asked",
        )
    if token.ask("GET", "/actions/permissions").status == requests.codes.ok:
        yield warning(
            token.name, "may administrate the repository", "Take `administration` away from the token."
        )
