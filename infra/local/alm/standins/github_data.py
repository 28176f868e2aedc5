"""The repository, branch and Git database resources of the GitHub stand-in."""

import base64
import binascii
from typing import Any
from urllib.parse import unquote

from alm.standins.github_answers import body_of, not_found, refusal
from alm.standins.github_git import FILE_MODES, CommitDraft, Entry, GitError, Signature
from alm.standins.github_hub import Hub
from alm.standins.github_json import GitHubJson
from alm.standins.messages import Answer, Request, Route, json_answer


class GitData:
    """Handlers that read and write the bare repository."""

    def __init__(self, hub: Hub, write: GitHubJson) -> None:
        self._hub = hub
        self._git = hub.repository
        self._write = write

    def routes(self) -> tuple[Route, ...]:
        """Return the routes, relative to `/repos/{owner}/{name}`."""
        return (
            Route("GET", "", self.get_repository),
            Route("GET", "/contents/(?P<path>.+)", self.get_contents),
            Route("GET", "/branches/(?P<branch>.+)", self.get_branch),
            Route("GET", "/git/ref/(?P<ref>.+)", self.get_ref),
            Route("GET", "/git/matching-refs/(?P<ref>.+)", self.get_matching_refs),
            Route("POST", "/git/refs", self.post_ref),
            Route("PATCH", "/git/refs/(?P<ref>.+)", self.patch_ref),
            Route("DELETE", "/git/refs/(?P<ref>.+)", self.delete_ref),
            Route("GET", "/git/commits/(?P<sha>[^/]+)", self.get_commit),
            Route("POST", "/git/commits", self.post_commit),
            Route("GET", "/git/trees/(?P<tree>.+)", self.get_tree),
            Route("POST", "/git/trees", self.post_tree),
            Route("GET", "/git/blobs/(?P<sha>[^/]+)", self.get_blob),
            Route("POST", "/git/blobs", self.post_blob),
        )

    def get_repository(self, _request: Request) -> Answer:
        """Answer the repository."""
        return json_answer(200, self._write.repository())

    def get_contents(self, request: Request) -> Answer:
        """Answer a file at a branch or commit, or the list of a folder; large contents are left out, as on GitHub."""
        path, ref = unquote(request.args["path"]), request.first("ref", self._hub.settings.default_branch)
        tree = self._git.resolve(ref, "tree")
        entries = self._git.entries(tree, "-r") if tree else []
        found = next((entry for entry in entries if entry.path == path), None)
        if found is not None:
            return json_answer(200, self._write.content(found, self._git.read(found.sha), ref))
        below = [entry for entry in entries if entry.path.startswith(f"{path}/")]
        if not below:
            raise not_found()
        return json_answer(200, [self._write.content(entry, b"", ref) for entry in below])

    def get_branch(self, request: Request) -> Answer:
        """Answer a branch with its last commit."""
        name = request.args["branch"]
        sha = self._hub.branch(name)
        if sha is None:
            raise refusal(404, "Branch not found")
        return json_answer(200, self._write.branch(name, self._git.show(sha)))

    def get_ref(self, request: Request) -> Answer:
        """Answer exactly this ref."""
        ref = f"refs/{request.args['ref']}"
        sha = self._git.ref(ref)
        if sha is None:
            raise not_found()
        return json_answer(200, self._write.ref(ref, sha))

    def get_matching_refs(self, request: Request) -> Answer:
        """Answer every ref that begins like this, possibly none."""
        refs = self._git.refs(f"refs/{request.args['ref']}")
        return json_answer(200, [self._write.ref(ref, sha) for ref, sha in refs.items()])

    def post_ref(self, request: Request) -> Answer:
        """Create a ref."""
        body = body_of(request, "ref", "sha")
        ref, sha = body["ref"], body["sha"]
        if not ref.startswith("refs/") or not self._git.succeeds("check-ref-format", ref):
            raise refusal(422, "Reference name must start with 'refs/' and contain at least two slashes.")
        if self._git.resolve(sha, "commit") != sha:
            raise refusal(422, "Object does not exist")
        with self._hub.lock:
            if self._git.ref(ref):
                raise refusal(422, "Reference already exists")
            self._set_ref(ref, sha)
        return json_answer(201, self._write.ref(ref, sha))

    def patch_ref(self, request: Request) -> Answer:
        """Move a ref: forward, or anywhere with `force`."""
        body, ref = body_of(request, "sha"), f"refs/{request.args['ref']}"
        sha = body["sha"]
        with self._hub.lock:
            old = self._git.ref(ref)
            if old is None:
                raise refusal(422, "Reference does not exist")
            if self._git.resolve(sha, "commit") != sha:
                raise refusal(422, "Object does not exist")
            if not body.get("force") and not self._git.is_ancestor(old, sha):
                raise refusal(422, "Update is not a fast forward")
            self._set_ref(ref, sha, old)
        return json_answer(200, self._write.ref(ref, sha))

    def delete_ref(self, request: Request) -> Answer:
        """Delete a ref; the stand-in knows it only of branches without an open pull request."""
        ref = f"refs/{request.args['ref']}"
        with self._hub.lock:
            if self._git.ref(ref) is None:
                raise refusal(422, "Reference does not exist")
            self._git.git("update-ref", "-d", ref)
        return Answer(204, b"", {})

    def get_commit(self, request: Request) -> Answer:
        """Answer a commit of the Git database."""
        sha = self._object(request.args["sha"], "commit")
        return json_answer(200, self._write.git_commit(self._git.show(sha)))

    def post_commit(self, request: Request) -> Answer:
        """Write a commit; no branch moves."""
        body = body_of(request, "message", "tree")
        parents = tuple(body.get("parents", ()))
        if self._git.resolve(body["tree"], "tree") is None:
            raise refusal(422, "Tree SHA does not exist")
        if any(self._git.resolve(parent, "commit") != parent for parent in parents):
            raise refusal(422, "Parent SHA does not exist or is not a commit object")
        author = self._signature(body.get("author"))
        committer = self._signature(body["committer"]) if body.get("committer") else author
        sha = self._git.commit(CommitDraft(body["tree"], parents, body["message"], author, committer))
        return json_answer(201, self._write.git_commit(self._git.show(sha)))

    def get_tree(self, request: Request) -> Answer:
        """Answer a tree given by sha or branch; any value of `recursive` goes into subtrees."""
        sha = self._object(request.args["tree"], "tree")
        options = ("-r", "-t") if "recursive" in request.query else ()
        return json_answer(200, self._write.tree(sha, self._git.entries(sha, *options)))

    def post_tree(self, request: Request) -> Answer:
        """Write a tree from a base and changes: contents, known blobs, deletions."""
        body = body_of(request, "tree")
        base = body.get("base_tree")
        if base is not None and self._git.resolve(base, "tree") is None:
            raise refusal(422, "base_tree is not a valid tree oid")
        known = {entry.path for entry in self._git.entries(base, "-r")} if base else set()
        try:
            sha = self._git.tree(base, [self._change(entry, known) for entry in body["tree"]])
        except GitError as error:
            raise refusal(422, f"GitRPC::BadObjectState: {error}") from error
        return json_answer(201, self._write.tree(sha, self._git.entries(sha)))

    def get_blob(self, request: Request) -> Answer:
        """Answer a blob in base64."""
        sha = self._object(request.args["sha"], "blob")
        return json_answer(200, self._write.blob(sha, self._git.read(sha)))

    def post_blob(self, request: Request) -> Answer:
        """Store a blob."""
        body = body_of(request)
        content, encoding = body.get("content"), body.get("encoding", "utf-8")
        if not isinstance(content, str) or encoding not in {"utf-8", "base64"}:
            raise refusal(422, "Invalid request.")
        try:
            data = base64.b64decode(content, validate=False) if encoding == "base64" else content.encode()
        except binascii.Error as error:
            raise refusal(422, "content is not valid Base64") from error
        return json_answer(201, self._write.short_blob(self._git.blob(data)))

    def _change(self, entry: dict[str, Any], known: set[str]) -> Entry:
        path, mode = entry.get("path", ""), entry.get("mode")
        if mode not in FILE_MODES:
            # GitHub takes subtrees and submodules too; nothing of ours may write them.
            raise refusal(422, f"tree.mode {mode} is not supported")
        if not _is_path(path):
            raise refusal(422, "tree.path contains a malformed path component")
        if ("content" in entry) == ("sha" in entry):
            raise refusal(422, "Must supply either tree.sha or tree.content")
        if "content" in entry:
            return Entry(path, mode, self._git.blob(entry["content"].encode()))
        if entry["sha"] is None and path not in known:
            raise refusal(422, "GitRPC::BadObjectState")
        if entry["sha"] is not None and self._git.resolve(entry["sha"], "blob") != entry["sha"]:
            raise refusal(422, f"tree.sha {entry['sha']} is not a valid blob")
        return Entry(path, mode, entry["sha"] or "")

    def _signature(self, given: dict[str, str] | None) -> Signature:
        login = self._hub.settings.login
        person = given or {"name": login, "email": f"{login}@users.noreply.example.com"}
        if not person.get("name") or not person.get("email"):
            raise refusal(422, 'Invalid request.\n\n"name", "email" weren\'t supplied.')
        return Signature(person["name"], person["email"], person.get("date") or self._hub.now())

    def _object(self, name: str, kind: str) -> str:
        sha = self._git.resolve(name, kind)
        if sha is None:
            raise not_found()
        return sha

    def _set_ref(self, ref: str, sha: str, old: str = "") -> None:
        try:
            self._hub.set_ref(ref, sha, *([old] if old else []))
        except GitError as error:
            raise refusal(422, f"Reference update failed: {error}") from error


def _is_path(path: str) -> bool:
    # git's own check only warns and leaves the path out.
    return "\0" not in path and not {"", ".", "..", ".git"} & {part.lower() for part in path.split("/")}
