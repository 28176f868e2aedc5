"""GitHub's refusals as errors of ours, in words for the ticket."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from github import GithubException

from orchestrator.errors import NotFoundError, RefusedError, TransientError

LONGEST_QUOTE = 200


@contextmanager
def translated() -> Iterator[None]:
    """PyGithub's errors as ours, in words for the ticket."""
    try:
        yield
    except GithubException as error:
        raise _explained(error) from error
    except requests.RequestException as error:
        raise TransientError("GitHub did not answer.") from error
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        # PyGithub trusts what it is sent: half an answer, or a proxy's page, surfaces as any of these.
        raise TransientError("GitHub answered something that its API does not promise.") from error


def _explained(error: GithubException) -> Exception:
    status, said = error.status, _said(error)
    if status == requests.codes.unauthorized:
        return RefusedError("GitHub did not accept the token (401). It has to be renewed.", status)
    if status == requests.codes.not_found:
        return NotFoundError(
            "GitHub does not have the repository, branch or pull request, or the token may not see it (404)."
        )
    if status == requests.codes.too_many_requests or "rate limit" in said.lower():
        return TransientError(f"GitHub is limiting requests ({status}).")
    if status == requests.codes.forbidden:
        return RefusedError(
            "The GitHub token may not do this (403). It needs contents and pull requests.", status
        )
    if status >= requests.codes.internal_server_error:
        return TransientError(f"GitHub answered {status}.")
    return RefusedError(f"GitHub did not take the change ({status}): {said[:LONGEST_QUOTE]}", status)


def _said(error: GithubException) -> str:
    """The message, and the sentences that some refusals add."""
    if not isinstance(error.data, dict):
        return ""
    listed = error.data.get("errors")
    sentences = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    return ": ".join((str(error.data.get("message", "")), *sentences))
