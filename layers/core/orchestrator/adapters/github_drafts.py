"""Draft pull requests on GitHub: made by REST, and only by GraphQL made of one that is open already."""

from github.PullRequest import PullRequest

from orchestrator.adapters.github_errors import translated
from orchestrator.errors import JobFailed, NotFoundError, RefusedError

_BECAUSE = (
    "The change holds files that a person has to look at first (a hook, a program or the like), so it may "
    "only become a draft pull request"
)
NO_DRAFTS = (
    f"{_BECAUSE}, and GitHub offers no drafts in this repository. It was not published. Use a plan with draft pull "
    "requests, or take the paths out of `SENSITIVE_PATHS`."
)
NOT_CONVERTED = (
    f"{_BECAUSE}, and the open one could not be made a draft. Nothing was published. Make it a draft by hand, or "
    "give the token the right to write pull requests, and run the action again."
)


def refuses_drafts(error: RefusedError) -> bool:
    """Whether GitHub says that the repository's plan has no drafts; by REST there is no other sign of it."""
    return "draft" in str(error).lower()


def make_draft(pull: PullRequest) -> None:
    """Make a draft of the open pull request, or a JobFailed that says so: then nothing is pushed to it."""
    try:
        with translated():
            pull.convert_to_draft()
    except (RefusedError, NotFoundError) as error:
        raise JobFailed(NOT_CONVERTED) from error
