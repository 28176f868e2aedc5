"""GitHub through its REST API by PyGithub: no git binary, no clone. PyGithub's objects stay in here."""

from dataclasses import dataclass
from functools import cached_property
from itertools import count

from github import Auth, Github, InputGitTreeElement
from github.GitCommit import GitCommit
from github.GitRef import GitRef
from github.PullRequest import PullRequest
from github.Repository import Repository
from urllib3 import Retry

from orchestrator.adapters.github_drafts import NO_DRAFTS, make_draft, refuses_drafts
from orchestrator.adapters.github_errors import translated
from orchestrator.adapters.github_markdown import document
from orchestrator.adapters.github_reviews import TRAILER, GitHubReviews, marker, review_subject
from orchestrator.adapters.github_text import plain_line
from orchestrator.config import GitHubSettings
from orchestrator.domain.changeset import FileChange
from orchestrator.domain.pull_request import ReviewSubject
from orchestrator.domain.review import Passage
from orchestrator.errors import JobFailed, RefusedError
from orchestrator.ports import BranchPlan, Proposal, ReviewGround, ReviewPost

TIMEOUT_S = 30
LONGEST_TITLE = 256
# Larger or binary content goes up as a blob of its own.
INLINE_LIMIT = 256 * 1024


class Patience(Retry):
    """What is safe to repeat, at once: an answer that names a time is the queue's to wait for."""

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Whether to ask again."""
        return not has_retry_after and super().is_retry(method, status_code)


# Of the writes only PATCH, which moves a branch to a commit: where it stands there already, nothing changes. A POST
# whose answer is lost may have been carried out, and the next delivery looks for what it made: the branch by its
# commit's trailer, the pull request, comment or review by its mark. A blob, tree or commit that nothing points to is
# thrown away by GitHub. Limits (403, 429) are the queue's to wait for; PyGithub's own policy would sleep for minutes.
REPEATED = Patience(
    total=2,
    backoff_factor=0.3,
    backoff_jitter=0.3,
    allowed_methods={"GET", "PATCH"},
    status_forcelist={500, 502, 503, 504},
    respect_retry_after_header=False,
    raise_on_status=False,
)


# The default branch is ahead of the commit, or is the commit.
ON_DEFAULT_BRANCH = frozenset({"ahead", "identical"})


def connect(settings: GitHubSettings, token: str) -> Repository:
    """The repository, not asked for yet: the first real request is the caller's."""
    client = Github(
        auth=Auth.Token(token),
        base_url=settings.github_api_url,
        timeout=TIMEOUT_S,
        retry=REPEATED,
        # PyGithub would wait a second between writes; a job makes about five, far below GitHub's limits.
        seconds_between_requests=None,
        seconds_between_writes=None,
        user_agent="alm-orchestrator",
        lazy=True,
    )
    return client.get_repo(settings.github_repo)


@dataclass(frozen=True)
class GitHubReader:
    """What the worker asks of GitHub."""

    repository: Repository

    def plan_branch(self, name: str) -> BranchPlan:
        """Continue the branch if its pull request is open or was never made; else the next free name."""
        with translated():
            taken = {ref.ref.removeprefix("refs/heads/") for ref in _matching(self.repository, name)}
            for number in count(1):
                candidate = name if number == 1 else f"{name}-{number}"
                if candidate not in taken:
                    return BranchPlan(candidate, start_from=None)
                states = {pull.state for pull in _pulls(self.repository, candidate, "all")}
                if not states or "open" in states:
                    return BranchPlan(candidate, start_from=candidate)
        raise AssertionError  # count() never ends

    def review_subject(self, number: int) -> ReviewSubject | None:
        """The pull request with that number and the merge base of its head, None if there is none."""
        return review_subject(self.repository, number)


@dataclass(frozen=True)
class GitHubWriter:
    """What the publisher asks of GitHub."""

    repository: Repository

    def propose(self, proposal: Proposal) -> str:
        """Make or continue branch and pull request; the pull request's URL. A second call finds the first's."""
        with translated():
            pulls = _pulls(self.repository, proposal.branch, "all")
            # Looked for among the closed ones too: what a person has decided is not proposed anew.
            if made := next((pull for pull in pulls if marker(proposal.job) in (pull.body or "")), None):
                return made.html_url
            pull = next((pull for pull in pulls if pull.state == "open"), None)
            if pull is None:
                before = self._push(proposal)
                return self._open(proposal, before)
            if proposal.draft and not pull.draft:
                # First: a commit that people have to look at must not be ready to merge for a moment.
                make_draft(pull)
            self._push(proposal)
            self._tell(pull, proposal)
            return pull.html_url

    def review_ground(self, number: int) -> ReviewGround:
        """What a review of the pull request has to fit to."""
        return self._reviews.ground(number)

    def post_review(self, post: ReviewPost) -> str:
        """Post one review; its URL. Lines that are refused after all move to its body. A second call finds it."""
        return self._reviews.post(post)

    @cached_property
    def _reviews(self) -> GitHubReviews:
        return GitHubReviews(self.repository)

    def _push(self, proposal: Proposal) -> str | None:
        """Put the commit on the branch; where the branch was before; None if it is new or has the commit already."""
        ref = self._ref(proposal.branch)
        if ref is None:
            self._check_base(proposal.changeset.base_sha)
            commit = self._commit(proposal)
            self.repository.create_git_ref(f"refs/heads/{proposal.branch}", commit.sha)
            return None
        if self._is_ours(ref, proposal):
            return None
        before = ref.object.sha
        if before != proposal.changeset.base_sha:
            raise JobFailed(
                f"The branch `{proposal.branch}` moved while the agent was at work, so its change was not pushed."
            )
        ref.edit(self._commit(proposal).sha)
        return before

    def _check_base(self, base_sha: str) -> None:
        """A change may only stand on what people have merged: a fork's commits can be reached here too."""
        trunk = self.repository.default_branch
        if (
            self.repository.compare(base_sha, trunk, comparison_commits_per_page=1).status
            not in ON_DEFAULT_BRANCH
        ):
            raise JobFailed(
                "The change does not stand on the repository's default branch. It was not published."
            )

    def _ref(self, branch: str) -> GitRef | None:
        # Asked for by name, a ref that is missing would show only when it is used.
        full = f"refs/heads/{branch}"
        return next((ref for ref in _matching(self.repository, branch) if ref.ref == full), None)

    def _is_ours(self, ref: GitRef, proposal: Proposal) -> bool:
        """Whether an earlier delivery of the same job made the branch's last commit."""
        last = self.repository.get_git_commit(ref.object.sha)
        return f"{TRAILER}: {proposal.job.job_id}" in last.message.splitlines()

    def _commit(self, proposal: Proposal) -> GitCommit:
        parent = self.repository.get_git_commit(proposal.changeset.base_sha)
        elements = [self._element(change) for change in proposal.changeset.changes]
        tree = self.repository.create_git_tree(elements, base_tree=parent.tree)
        message = f"{_title(proposal)}\n\n{TRAILER}: {proposal.job.job_id}\n"
        return self.repository.create_git_commit(message, tree, [parent])

    def _element(self, change: FileChange) -> InputGitTreeElement:
        if change.content_b64 is None or change.mode is None or change.content is None:
            return InputGitTreeElement(change.path, "100644", "blob", sha=None)
        if (text := _inline(change.content)) is not None:
            return InputGitTreeElement(change.path, change.mode.value, "blob", content=text)
        blob = self.repository.create_git_blob(change.content_b64, "base64")
        return InputGitTreeElement(change.path, change.mode.value, "blob", sha=blob.sha)

    def _open(self, proposal: Proposal, before: str | None) -> str:
        try:
            with translated():
                pull = self.repository.create_pull(
                    base=self.repository.default_branch,
                    head=proposal.branch,
                    title=_title(proposal),
                    body=_body(proposal),
                    draft=proposal.draft,
                )
        except RefusedError as error:
            if not (proposal.draft and refuses_drafts(error)):
                raise
            self._take_back(proposal, before)
            raise JobFailed(NO_DRAFTS) from error
        return pull.html_url

    def _take_back(self, proposal: Proposal, before: str | None) -> None:
        """Remove the commit again, unless somebody has built on it meanwhile."""
        ref = self._ref(proposal.branch)
        if ref is None or not self._is_ours(ref, proposal):
            return
        if before is None:
            ref.delete()
        else:
            ref.edit(before, force=True)

    def _tell(self, pull: PullRequest, proposal: Proposal) -> None:
        """Say on a pull request that stood already what this job added; its own text is people's by now."""
        mark = marker(proposal.job)
        if not any(mark in comment.body for comment in pull.get_issue_comments()):
            pull.create_issue_comment(_body(proposal))


def _title(proposal: Proposal) -> str:
    return plain_line(proposal.title, LONGEST_TITLE)


def _body(proposal: Proposal) -> str:
    return document([Passage(markdown=part) for part in proposal.body], marker(proposal.job))


def _matching(repository: Repository, prefix: str) -> list[GitRef]:
    return list(repository.get_git_matching_refs(f"heads/{prefix}"))


def _pulls(repository: Repository, branch: str, state: str) -> list[PullRequest]:
    owner = repository.full_name.partition("/")[0]
    return list(repository.get_pulls(state=state, head=f"{owner}:{branch}"))


def _inline(content: bytes) -> str | None:
    """The content as text if it survives as such."""
    if len(content) > INLINE_LIMIT or b"\0" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
