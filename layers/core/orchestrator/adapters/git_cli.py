"""Git as the worker uses it: a trusted git directory the agent never sees, and a workspace that is all it sees.

Every git process gets an environment made from nothing. The workspace is never trusted: nothing in it configures
the git that reads it.
"""

import math
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

from orchestrator.adapters.git_apply import carry_over
from orchestrator.adapters.git_collect import collect
from orchestrator.adapters.git_process import BOUNDED_SETTINGS, Bounds, TookTooLong, run_bounded
from orchestrator.adapters.git_survey import TooSlowError
from orchestrator.adapters.git_tree import check_tree
from orchestrator.domain.changeset import Changeset, Fault, Ground
from orchestrator.domain.pull_request import MERGE_BASE_REF, ReviewSubject
from orchestrator.domain.repository_limits import RepositoryLimits
from orchestrator.errors import JobFailed, TransientError

CLONE_TIMEOUT_S = 600
# For all commands on the workspace together: the agent may have filled it with anything.
COLLECT_TIMEOUT_S = 300
REMOVE_TIMEOUT_S = 120
# What git may hold in memory in one piece. A file above `core.bigFileThreshold` is streamed, unless it is a delta.
LARGEST_OBJECT = "512m"
# A helper, since a token in a URL or an argument shows in `ps`, in logs and in .git/config.
CREDENTIAL_HELPER = (
    '!f() { test "$1" = get && printf "username=x-access-token\\npassword=%s\\n" "$ALM_GIT_TOKEN"; }; f'
)
SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.askPass": "",
    "core.bare": "false",
    "gc.auto": "0",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.bigFileThreshold": "25m",
    "submodule.recurse": "false",
    "diff.ignoreSubmodules": "all",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
}
# The bytes on disk are the bytes of the commit and of the change, whatever a `.gitattributes` says of line ends,
# encodings, filters or binary files: this file has the last word.
RAW = "* -text !eol !crlf -ident !filter !working-tree-encoding !diff !textconv !merge\n"
AGENT_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
UNREAD = "Git could not read what is in the workspace, so nothing was published."
_REFUSALS = ("authentication failed", "could not read username", "returned error: 403", "returned error: 401")
_UNKNOWN = ("not found", "returned error: 404")
_GONE = ("not our ref", "unadvertised object")


def git_environment(settings: Mapping[str, str], extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A git process's whole environment: no home, no system configuration, our settings, nothing else."""
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ALLOC_LIMIT": LARGEST_OBJECT,
        "GIT_CONFIG_COUNT": str(len(settings)),
        **(extra or {}),
    }
    for number, (key, value) in enumerate(settings.items()):
        environment[f"GIT_CONFIG_KEY_{number}"] = key
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


@dataclass(frozen=True)
class GitRepository:
    """The trusted git directory and the commands run on it."""

    git_dir: Path
    workspace: Path
    ends: float = math.inf
    index: Path | None = None

    def run(self, *arguments: str, stdin: bytes = b"", may_find_nothing: bool = False) -> bytes:
        """Standard output of one git command; JobFailed when it fails, which no ticket can mend."""
        extra = {} if self.index is None else {"GIT_INDEX_FILE": str(self.index)}
        try:
            done = subprocess.run(
                ["git", f"--git-dir={self.git_dir}", f"--work-tree={self.workspace}", *arguments],
                env=git_environment(SETTINGS, extra),
                cwd=self.workspace,
                input=stdin,
                capture_output=True,
                check=False,
                timeout=max(0, min(CLONE_TIMEOUT_S, self.ends - monotonic())),
            )
        except subprocess.TimeoutExpired as error:
            raise TooSlowError(UNREAD) from error
        if done.returncode not in {0, 1 if may_find_nothing else 0}:
            raise JobFailed(UNREAD)
        return done.stdout

    def until(self, ends: float) -> "GitRepository":
        """The same for collecting: an index of its own, and no command that runs beyond that time."""
        return replace(self, ends=ends, index=self.git_dir / "collect.index")

    def text(self, *arguments: str) -> str:
        """The same, as one stripped line."""
        return self.run(*arguments).decode().strip()


@dataclass(frozen=True)
class GitCheckout:
    """One clone."""

    repository: GitRepository
    base_sha: str

    @property
    def workspace(self) -> Path:
        """The working tree, the agent's."""
        return self.repository.workspace

    def carry_over(self, draft: Changeset) -> bool:
        """Put an unfinished run's changes on top, all of them or none; whether they fit."""
        apart = self.repository.until(monotonic() + COLLECT_TIMEOUT_S)
        return carry_over(self.repository, apart, self.base_sha, draft)

    def changeset(self) -> Changeset:
        """Everything that differs from the commit that was cloned."""
        try:
            return collect(self.repository.until(monotonic() + COLLECT_TIMEOUT_S), self.base_sha)
        except TooSlowError:
            return Changeset(base_sha=self.base_sha, blocked=(Fault(ground=Ground.TOO_SLOW),))
        except OSError as error:
            raise JobFailed(UNREAD) from error


@dataclass(frozen=True)
class GitCloner:
    """Clones one repository with a read token."""

    server_url: str
    repo: str
    token: str = field(repr=False)
    limits: RepositoryLimits = field(default_factory=RepositoryLimits)

    @contextmanager
    def clone(self, branch: str | None) -> Iterator[GitCheckout]:
        """A shallow clone of the branch (None: the default), gone when the context ends."""
        with _job_folder() as folder:
            yield self._clone_into(folder, branch)

    @contextmanager
    def clone_review(self, subject: ReviewSubject) -> Iterator[GitCheckout]:
        """The pull request's head, forks included, with the merge base at `MERGE_BASE_REF`."""
        with _job_folder() as folder:
            yield self._fetch_into(folder, subject)

    def _fetch_into(self, folder: Path, subject: ReviewSubject) -> GitCheckout:
        repository = GitRepository(folder / "trusted.git", folder / "workspace")
        repository.workspace.mkdir()
        self._remote(folder, "init", "--quiet", "--bare", "--template=", "--", str(repository.git_dir))
        _take_bytes_as_they_are(repository)
        # By sha, not by `refs/pull/N/head`: it may have moved, and a fork's commits are served all the same.
        # No FETCH_HEAD, as it would tell the agent the address.
        shallow = ["--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head"]
        wanted = [subject.head_sha, f"{subject.merge_base_sha}:{MERGE_BASE_REF}"]
        self._remote(folder, f"--git-dir={repository.git_dir}", "fetch", *shallow, "--", self._url, *wanted)
        self._check_size(repository, subject.head_sha)
        repository.run("update-ref", "--no-deref", "HEAD", subject.head_sha)
        # Unlike a checkout of paths, this takes a head that deletes every file.
        repository.run("read-tree", "--reset", "-u", "HEAD")
        _give_agent_a_copy(repository)
        return GitCheckout(repository, subject.head_sha)

    def _clone_into(self, folder: Path, branch: str | None) -> GitCheckout:
        repository = GitRepository(folder / "trusted.git", folder / "workspace")
        repository.workspace.mkdir()
        wanted = [] if branch is None else ["--branch", branch]
        shallow = ["--quiet", "--bare", "--depth=1", "--single-branch", "--no-tags"]
        self._remote(folder, "clone", *shallow, *wanted, "--", self._url, str(repository.git_dir))
        _take_bytes_as_they_are(repository)
        base_sha = self._commit(repository)
        self._check_size(repository, base_sha)
        repository.run("checkout", "--quiet", "--force", "HEAD", "--", ".")
        _give_agent_a_copy(repository)
        return GitCheckout(repository, base_sha)

    @property
    def _url(self) -> str:
        return f"{self.server_url}/{self.repo}.git"

    def _commit(self, repository: GitRepository) -> str:
        try:
            return repository.text("rev-parse", "--verify", "HEAD^{commit}")
        except JobFailed:
            raise JobFailed(f"The repository {self.repo} has no commit yet.") from None

    def _check_size(self, repository: GitRepository, commit: str) -> None:
        """Before the first file is written: what a commit unpacks to is up to whoever made it."""
        check_tree(repository.git_dir, commit, git_environment(SETTINGS), self.limits)

    def _remote(self, folder: Path, *arguments: str) -> None:
        """A git command that talks to the server, as the read token, and writes below the folder."""
        # The empty helper first: it clears any that a configuration may have brought. Ours answers for its
        # server alone, wherever a redirect leads.
        credentials = {
            "credential.helper": "",
            "credential.useHttpPath": "false",
            f"credential.{self.server_url}.helper": CREDENTIAL_HELPER,
        }
        scheme = {"protocol.http.allow": "always"} if self.server_url.startswith("http://") else {}
        settings = {**SETTINGS, **BOUNDED_SETTINGS, **scheme, **credentials}
        environment = git_environment(settings, {"ALM_GIT_TOKEN": self.token})
        try:
            status, complaint = run_bounded(
                arguments, environment, Bounds(folder, self.limits, CLONE_TIMEOUT_S)
            )
        except TookTooLong as error:
            raise TransientError("GitHub did not deliver the repository in time.") from error
        if status != 0:
            raise self._explained(complaint)

    def _explained(self, complaint: str) -> Exception:
        if "remote branch" in complaint:
            return TransientError(f"The branch to start from is no longer in the repository {self.repo}.")
        if any(sign in complaint for sign in _GONE):
            return TransientError(f"{self.repo} no longer has the commits of the pull request as it was.")
        if any(sign in complaint for sign in _REFUSALS):
            return JobFailed(
                f"GitHub refused the read token for {self.repo}. It has to be renewed or given access."
            )
        if any(sign in complaint for sign in _UNKNOWN):
            return JobFailed(f"GitHub has no repository {self.repo}, or the read token may not see it.")
        return TransientError(f"The repository {self.repo} could not be cloned.")


@contextmanager
def _job_folder() -> Iterator[Path]:
    """A folder that is gone afterwards; what cannot be removed at all is not worth a failed job."""
    made = tempfile.TemporaryDirectory(prefix="alm-job-", ignore_cleanup_errors=True)
    folder = Path(made.name)
    try:
        with made:
            yield folder
    finally:
        if folder.exists():
            _remove(folder)


def _remove(folder: Path) -> None:
    """For what Python cannot: it opens every level of a tree at once, and an agent can make one deeper than that."""
    with suppress(subprocess.TimeoutExpired):
        quiet = subprocess.DEVNULL
        subprocess.run(["rm", "-rf", "--", folder], check=False, timeout=REMOVE_TIMEOUT_S, stderr=quiet)


def _take_bytes_as_they_are(repository: GitRepository) -> None:
    attributes = repository.git_dir / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text(RAW)


def _give_agent_a_copy(repository: GitRepository) -> None:
    """A git directory of its own for the agent to look things up in: a copy, no remote, thrown away after."""
    # The folder they lie in is opened to the agent's user, where it has one.
    repository.git_dir.chmod(0o700)
    throwaway = repository.workspace / ".git"
    shutil.copytree(repository.git_dir, throwaway, symlinks=True)
    (throwaway / "config").write_text(AGENT_CONFIG)
