"""The stand-in for GitHub: one repository over git and REST, and what people do with it."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from alm.standins.github_answers import not_found, refusal
from alm.standins.github_data import GitData
from alm.standins.github_git import (
    ABSENT,
    BareRepository,
    CommitDraft,
    Content,
    Entry,
    Executable,
    Signature,
    Symlink,
)
from alm.standins.github_graphql import GraphQl
from alm.standins.github_hub import (
    GitHubSettings,
    Hub,
    PullComment,
    PullRequest,
    Rejected,
    Review,
    ReviewComment,
)
from alm.standins.github_json import GitHubJson
from alm.standins.github_pulls import Pulls
from alm.standins.github_reviews import Reviews, account_json
from alm.standins.github_smart import SmartHttp
from alm.standins.http import StandInServer
from alm.standins.messages import Answer, Handler, Request, Route, json_answer

__all__ = [
    "Content",
    "Executable",
    "GitHubSettings",
    "GitHubStandIn",
    "PullComment",
    "PullRequest",
    "Rejected",
    "Review",
    "ReviewComment",
    "Symlink",
]

REST = "/api/v3/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"
GIT = "/(?P<owner>[^/]+)/(?P<name>[^/]+?)(?:[.]git)?/(?P<path>info/refs|git-upload-pack|git-receive-pack)"


class GitHubStandIn(StandInServer):
    """GitHub on this machine, with an Enterprise server's addresses; `stop` deletes the repository."""

    def __init__(
        self, settings: GitHubSettings | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        missing = {
            "message": "Not Found",
            "documentation_url": "https://docs.github.com/rest",
            "status": "404",
        }
        super().__init__(json_answer(404, missing))
        self.settings = settings or GitHubSettings()
        self._folder = tempfile.TemporaryDirectory(prefix="github-")
        root = Path(self._folder.name)
        self.repository = BareRepository(root / f"{self.settings.full_name}.git")
        self.repository.init(self.settings.default_branch)
        self._hub = Hub(self.settings, self.repository, clock)
        self._smart = SmartHttp(root, self.settings)
        self._json = GitHubJson(self.url, self.settings)
        self._reviews = Reviews(self._hub, self._json)
        self.add_routes(self._routes())

    @property
    def api(self) -> str:
        """The REST API's address: PyGithub's `base_url`."""
        return f"{self.url}/api/v3"

    @property
    def clone_url(self) -> str:
        """Where git clones from, without credentials."""
        return f"{self.url}/{self.settings.full_name}.git"

    def environment(self) -> dict[str, str]:
        """Return the configuration that points the orchestrator here."""
        return {
            "GITHUB_TOKEN": self.settings.write_token,
            "GITHUB_READ_TOKEN": self.settings.read_token,
            "GITHUB_REPO": self.settings.full_name,
            "GITHUB_API_URL": self.api,
            "GITHUB_SERVER_URL": self.url,
        }

    def stop(self) -> None:
        """Stop serving and delete the repository."""
        super().stop()
        self._folder.cleanup()

    def seed(self, files: Mapping[str, Content]) -> str:
        """Make the first commit of the default branch; return its sha."""
        return self.push_commit(self.settings.default_branch, files, "Start the project")

    def push_commit(
        self, branch: str, files: Mapping[str, Content], message: str = "Work", author: str = "person"
    ) -> str:
        """Commit to a branch (a new one starts at the default branch); None deletes. Return the sha."""
        return self._push(f"refs/heads/{branch}", files, message, author)

    def push_fork_commit(
        self, fork: str, branch: str, files: Mapping[str, Content], message: str = "Work"
    ) -> str:
        """Commit to a branch of a fork (`owner/name`); its pull requests follow. Return the sha."""
        return self._push(f"refs/forks/{fork}/heads/{branch}", files, message, fork.partition("/")[0])

    def _push(self, ref: str, files: Mapping[str, Content], message: str, author: str) -> str:
        with self._hub.lock:
            old = self.repository.ref(ref)
            parent = old or self.branch_head(self.settings.default_branch)
            tree = self.repository.tree(parent, [self._entry(path, made) for path, made in files.items()])
            who = Signature(author, f"{author}@example.com", self._hub.now())
            parents = (parent,) if parent else ()
            sha = self.repository.commit(CommitDraft(tree, parents, message, who, who))
            self._hub.set_ref(ref, sha, old or ABSENT)
            return sha

    def branch_head(self, branch: str) -> str | None:
        """Return the sha a branch is at."""
        return self._hub.branch(branch)

    def branches(self) -> dict[str, str]:
        """Return every branch and its sha."""
        prefix = "refs/heads/"
        return {ref.removeprefix(prefix): sha for ref, sha in self.repository.refs(prefix).items()}

    def file(self, ref: str, path: str) -> bytes | Executable | Symlink | None:
        """Return a file at a branch or commit, of the type that tells its mode; None when there is none."""
        found = [entry for entry in self.repository.entries(ref, "-r") if entry.path == path]
        return self._content(found[0]) if found else None

    def commit_message(self, ref: str) -> str:
        """Return the message of the commit at a branch or sha."""
        return self.repository.show(ref).message

    def pull_requests(self) -> tuple[PullRequest, ...]:
        """Return every pull request, oldest first."""
        return self._hub.all_pulls()

    def pull_request(self, number: int) -> PullRequest:
        """Return one pull request; `KeyError` when there is none."""
        return self._hub.pulls[number]

    def open_pull_request(self, head: str, title: str, body: str = "", fork: str = "") -> PullRequest:
        """Open a pull request to the default branch as a person, from this repository or a fork."""
        now = self._hub.now()
        base = self.settings.default_branch
        pull = PullRequest(0, title, body, head, base, "", "", "person", now, now, fork=fork)
        return self._hub.open_pull(pull)

    def diff(self, number: int) -> str:
        """Return a pull request's diff as text."""
        pull = self.pull_request(number)
        base = self.repository.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
        return self.repository.diff((base, pull.head_sha))

    def merge(self, number: int) -> PullRequest:
        """Merge a pull request; `Rejected` on conflicts."""
        return self._hub.merge(number)

    def close(self, number: int) -> PullRequest:
        """Close a pull request unmerged."""
        return self._hub.close(number)

    def add_comment(self, number: int, author: str, body: str) -> PullComment:
        """Comment on a pull request as a person."""
        return self._hub.comment(number, author, body)

    def comments(self, number: int) -> tuple[PullComment, ...]:
        """Return the conversation of a pull request."""
        return tuple(comment for comment in self._hub.comments if comment.number == number)

    def reviews(self, number: int) -> tuple[Review, ...]:
        """Return the reviews of a pull request."""
        return tuple(review for review in self._hub.reviews if review.number == number)

    def review_comments(self, number: int) -> tuple[ReviewComment, ...]:
        """Return the comments beside the lines of a pull request."""
        return tuple(comment for comment in self._hub.review_comments if comment.number == number)

    def add_review(
        self, number: int, author: str, body: str = "", beside: Mapping[tuple[str, int], str] | None = None
    ) -> Review:
        """Review a pull request as another person; `beside` has the comments by path and line."""
        pull = self.pull_request(number)
        given = [{"path": path, "line": line, "body": said} for (path, line), said in (beside or {}).items()]
        return self._reviews.add(pull, (author, body, "COMMENT"), pull.head_sha, given)

    def _entry(self, path: str, made: Content) -> Entry:
        if made is None:
            return Entry(path, "0", "")
        if isinstance(made, Executable):
            return Entry(path, "100755", self.repository.blob(made.content))
        if isinstance(made, Symlink):
            return Entry(path, "120000", self.repository.blob(made.target.encode()))
        return Entry(path, "100644", self.repository.blob(made))

    def _content(self, entry: Entry) -> bytes | Executable | Symlink:
        content = self.repository.read(entry.sha)
        if entry.mode == "120000":
            return Symlink(content.decode())
        return Executable(content) if entry.mode == "100755" else content

    def _routes(self) -> Iterator[Route]:
        write = self._json
        yield Route("GET", "/api/v3/user", self._user)
        yield Route("POST", "/api/graphql", self._graphql)
        yield Route("GET", GIT, self._smart.serve)
        yield Route("POST", GIT, self._smart.serve)
        for route in (
            *GitData(self._hub, write).routes(),
            *Pulls(self._hub, write).routes(),
            *self._reviews.routes(),
        ):
            yield Route(route.method, REST + route.pattern, self._guarded(route.handler))

    def _guarded(self, handler: Handler) -> Handler:
        def guarded(request: Request) -> Answer:
            self._check(request)
            return handler(request)

        return guarded

    def _graphql(self, request: Request) -> Answer:
        if self._authenticate(request) != self.settings.write_token:
            raise refusal(403, "Resource not accessible by integration")
        return GraphQl(self._hub).post(request)

    def _user(self, request: Request) -> Answer:
        self._authenticate(request)
        if self.settings.is_app:
            raise refusal(403, "Resource not accessible by integration")
        return json_answer(200, account_json(self._json, self.settings.login))

    def _check(self, request: Request) -> None:
        token = self._authenticate(request)
        if f"{request.args['owner']}/{request.args['name']}" != self.settings.full_name:
            raise not_found()
        if request.method != "GET" and token != self.settings.write_token:
            raise refusal(403, "Resource not accessible by integration")

    def _authenticate(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            raise refusal(401, "Requires authentication")
        known = {self.settings.read_token, self.settings.write_token}
        if scheme.lower() not in {"token", "bearer"} or token not in known:
            raise refusal(401, "Bad credentials")
        return token
