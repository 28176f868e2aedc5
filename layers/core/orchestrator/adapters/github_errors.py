"""GitHub's refusals as errors of ours, in words for the ticket."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from github import GithubException

from orchestrator.adapters.backoff import asked_s
from orchestrator.adapters.clock import SystemClock
from orchestrator.errors import NotFoundError, OrchestratorError, RefusedError, TransientError

LONGEST_QUOTE = 200
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: a limit that gives no time wants a
# minute. Of secondary limits, such as 80 requests a minute that create something, none is told beforehand.
UNSAID_S = 60.0
_LIMITS = ("rate limit", "abuse detection")


@contextmanager
def translated() -> Iterator[None]:
    """PyGithub's errors as ours, in words for the ticket."""
    try:
        yield
    except GithubException as error:
        raise explained(error, SystemClock().time()) from error
    except requests.RequestException as error:
        raise TransientError("GitHub did not answer.") from error
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        # PyGithub trusts what it is sent: half an answer, or a proxy's page, surfaces as any of these.
        raise TransientError("GitHub answered something that its API does not promise.") from error


def explained(error: GithubException, now: float) -> OrchestratorError:
    """The error of ours that GitHub's means at that time, in seconds since the epoch."""
    status, said, headers = error.status, _said(error), _headers(error)
    asked = asked_s(headers, now)
    if _is_limited(status, said, headers):
        return TransientError(
            f"GitHub is limiting requests ({status}).", UNSAID_S if asked is None else asked
        )
    if status >= requests.codes.internal_server_error:
        return TransientError(f"GitHub answered {status}.", asked or 0.0)
    return _refused(status, said)


def _refused(status: int, said: str) -> OrchestratorError:
    if status == requests.codes.unauthorized:
        return RefusedError("GitHub did not accept the token (401). It has to be renewed.", status)
    if status == requests.codes.not_found:
        return NotFoundError(
            "GitHub does not have the repository, branch or pull request, or the token may not see it (404)."
        )
    if status == requests.codes.forbidden:
        return RefusedError(
            "The GitHub token may not do this (403). It needs contents and pull requests.", status
        )
    return RefusedError(f"GitHub did not take the change ({status}): {said[:LONGEST_QUOTE]}", status)


def _is_limited(status: int, said: str, headers: Mapping[str, str]) -> bool:
    """Whether a limit was met: GitHub says 403 to that too, and then in its headers or its words that it was one."""
    if status == requests.codes.too_many_requests:
        return True
    if status != requests.codes.forbidden:
        return False
    in_headers = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    return in_headers or any(limit in said.lower() for limit in _LIMITS)


def _headers(error: GithubException) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in (error.headers or {}).items()}


def _said(error: GithubException) -> str:
    """The message, and the sentences that some refusals add."""
    if not isinstance(error.data, dict):
        return ""
    listed = error.data.get("errors")
    sentences = filter(None, map(_sentence, listed)) if isinstance(listed, list) else ()
    return ": ".join((str(error.data.get("message", "")), *sentences))


def _sentence(error: object) -> str:
    """One of `errors[]`: of a review it is a sentence, of a validation an object that may hold one."""
    said = error.get("message") if isinstance(error, dict) else error
    return said if isinstance(said, str) else ""
