"""A bare git repository driven by plumbing commands, in an environment built from nothing; no HTTP."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

FILE_MODES = ("100644", "100755", "120000")
ABSENT = "0" * 40
# Any commit can be fetched by its sha, as on GitHub; forks are other repositories.
CONFIG = """[gc]
\tauto = 0
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
\thideRefs = refs/forks
"""


class GitError(Exception):
    """A git command failed; the message is what it printed."""


@dataclass(frozen=True)
class Executable:
    """A file with mode 100755."""

    content: bytes


@dataclass(frozen=True)
class Symlink:
    """A symbolic link."""

    target: str


Content = bytes | Executable | Symlink | None


@dataclass(frozen=True)
class Entry:
    """One path of a tree (`size` in bytes, None for trees); a change with an empty sha deletes the path."""

    path: str
    mode: str
    sha: str
    type: str = "blob"
    size: int | None = None


@dataclass(frozen=True)
class Signature:
    """Who and when; `date` is ISO 8601 or what git prints with %aI."""

    name: str
    email: str
    date: str

    def variables(self, role: str) -> dict[str, str]:
        """Return git's variables for the role AUTHOR or COMMITTER."""
        values = {"NAME": self.name, "EMAIL": self.email, "DATE": self.date}
        return {f"GIT_{role}_{name}": value for name, value in values.items()}


@dataclass(frozen=True)
class Commit:
    """A commit as git has it; the message without its last newline."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True)
class CommitDraft:
    """A commit to be written."""

    tree: str
    parents: tuple[str, ...]
    message: str
    author: Signature
    committer: Signature


def git_environment() -> dict[str, str]:
    """Return the whole environment of a git command: nothing of the user's or the machine's configuration."""
    folder = Path(shutil.which("git") or "/usr/bin/git").parent
    return {
        "PATH": f"{folder}:{os.defpath}",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        # Names are bytes to git: quoting them would break every path outside ASCII.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.quotePath",
        "GIT_CONFIG_VALUE_0": "false",
    }


@dataclass(frozen=True)
class BareRepository:
    """The repository at `path`; every method is one or a few git commands."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=git_environment)

    def init(self, default_branch: str) -> None:
        """Create the repository, readable the way GitHub's are."""
        self.path.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", f"--initial-branch={default_branch}", str(self.path))
        with (self.path / "config").open("a") as config:
            config.write(CONFIG)

    def git(self, *argv: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
        """Run a git command and return what it printed; `GitError` when it fails."""
        done = subprocess.run(
            ["git", f"--git-dir={self.path}", *argv],
            input=stdin,
            env={**self.environment, **(extra or {})},
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise GitError(done.stderr.decode(errors="replace").strip())
        return done.stdout

    def text(self, *argv: str) -> str:
        """Run a git command and return its output without the space around it."""
        return self.git(*argv).decode(errors="replace").strip()

    def succeeds(self, *argv: str) -> bool:
        """Say whether a git command exits with 0."""
        try:
            self.git(*argv)
        except GitError:
            return False
        return True

    def resolve(self, name: str, kind: str) -> str | None:
        """Return the sha of a branch, ref or object if it is (or leads to) an object of this kind."""
        candidates = (name,) if _is_sha(name) else (f"refs/heads/{name}", name)
        for candidate in candidates:
            try:
                return self.text(
                    "rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{{kind}}}"
                )
            except GitError:
                continue
        return None

    def ref(self, ref: str) -> str | None:
        """Return the sha a full ref name points to."""
        try:
            return self.text("show-ref", "--verify", "--hash", ref)
        except GitError:
            return None

    def refs(self, prefix: str) -> dict[str, str]:
        """Return every ref whose full name begins with the prefix."""
        lines = self.text("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
        named = ((ref, sha) for sha, _, ref in (line.partition(" ") for line in lines))
        return {ref: sha for ref, sha in named if ref.startswith(prefix)}

    def set_ref(self, ref: str, sha: str, old: str) -> None:
        """Point a ref at a commit if it is still at `old` (`ABSENT` when new)."""
        self.git("update-ref", "--end-of-options", ref, sha, old)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Say whether `new` contains `old`."""
        return self.succeeds("merge-base", "--is-ancestor", old, new)

    def blob(self, content: bytes) -> str:
        """Store content and return its sha."""
        return self.git("hash-object", "-w", "--stdin", stdin=content).decode().strip()

    def read(self, sha: str, kind: str = "blob") -> bytes:
        """Return the content of an object."""
        return self.git("cat-file", kind, sha)

    def entries(self, tree: str, *options: str) -> list[Entry]:
        """List a tree; `-r -t` goes into its subtrees."""
        records = self.git("ls-tree", "-z", "-l", "--full-tree", *options, tree).decode().split("\0")
        return [_entry(record) for record in records if record]

    def tree(self, base: str | None, changes: Iterable[Entry]) -> str:
        """Write a tree: the base with these paths changed."""
        lines = [
            f"{entry.mode if entry.sha else '0'} {entry.sha or ABSENT}\t{entry.path}\0" for entry in changes
        ]
        with tempfile.TemporaryDirectory(prefix="index-") as folder:
            index = {"GIT_INDEX_FILE": f"{folder}/index"}
            self.git("read-tree", *([base] if base else ["--empty"]), extra=index)
            update = ("update-index", "--add", "--replace", "-z", "--index-info")
            self.git(*update, stdin="".join(lines).encode(), extra=index)
            return self.git("write-tree", extra=index).decode().strip()

    def commit(self, draft: CommitDraft) -> str:
        """Write a commit object and return its sha."""
        parents = [word for parent in draft.parents for word in ("-p", parent)]
        who = draft.author.variables("AUTHOR") | draft.committer.variables("COMMITTER")
        message = draft.message.encode()
        return (
            self.git("commit-tree", *parents, "-F", "-", draft.tree, stdin=message, extra=who)
            .decode()
            .strip()
        )

    def show(self, sha: str) -> Commit:
        """Read a commit."""
        layout = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
        shown = self.git("log", "-1", f"--format={layout}", "--end-of-options", sha).decode(errors="replace")
        commit, tree, parents, *people, message = shown.split("\0")
        author, committer = Signature(*people[:3]), Signature(*people[3:])
        return Commit(commit, tree, tuple(parents.split()), author, committer, message.rstrip("\n"))

    def between(self, base: str, head: str) -> list[str]:
        """Return the commits of head that base does not have, oldest first."""
        return self.text("rev-list", "--reverse", f"{base}..{head}").split()

    def merge_base(self, base: str, head: str) -> str | None:
        """Return the best common ancestor."""
        try:
            return self.text("merge-base", base, head)
        except GitError:
            return None

    def merged_tree(self, base: str, head: str) -> str | None:
        """Return the tree of a merge, None on conflicts."""
        try:
            return self.text("merge-tree", "--write-tree", base, head)
        except GitError:
            return None

    def diff(self, ends: tuple[str, str], *options: str, paths: Iterable[str] = ()) -> str:
        """Return the diff of two commits, renames detected, of all paths or only these."""
        only = [f":(literal){path}" for path in paths]
        return self.git("diff", "-M", *options, *ends, "--", *only).decode(errors="replace")


def _is_sha(name: str) -> bool:
    return len(name) == len(ABSENT) and set(name) <= set("0123456789abcdef")


def _entry(record: str) -> Entry:
    facts, _, path = record.partition("\t")
    mode, kind, sha, size = facts.split()
    return Entry(path, mode, sha, kind, None if size == "-" else int(size))
