"""How GitHub writes things as JSON: full objects with all their links, from small templates; no state."""

import base64
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from alm.standins.github_diff import FileDiff
from alm.standins.github_git import Commit, Entry, Signature
from alm.standins.github_hub import GitHubSettings, PullComment, PullRequest
from alm.standins.github_links import REPOSITORY_COUNTS, REPOSITORY_LINKS, USER_LINKS

# https://docs.github.com/rest/repos/contents#get-repository-content
LARGEST_CONTENT = 1_048_576
CREATED_AT = "2024-01-15T09:00:00Z"
UNVERIFIED = {
    "verified": False,
    "reason": "unsigned",
    "signature": None,
    "payload": None,
    "verified_at": None,
}


@dataclass(frozen=True)
class GitHubJson:
    """Writes values as JSON with links below `url`."""

    url: str
    settings: GitHubSettings

    @property
    def api(self) -> str:
        """The repository's API address."""
        return f"{self.url}/api/v3/repos/{self.settings.full_name}"

    @property
    def web(self) -> str:
        """The repository's page."""
        return f"{self.url}/{self.settings.full_name}"

    def user(self, login: str) -> dict[str, Any]:
        """Write a simple user."""
        address, number = f"{self.url}/api/v3/users/{login}", zlib.crc32(login.encode())
        return {
            **{name: address + path for name, path in USER_LINKS.items()},
            "login": login,
            "id": number,
            "node_id": node_id("User", number),
            "avatar_url": f"{self.url}/avatars/{number}",
            "gravatar_id": "",
            "html_url": f"{self.url}/{login}",
            "type": self._type(login),
            "site_admin": False,
        }

    def repository(self) -> dict[str, Any]:
        """Write the full repository."""
        return {
            **{name: self.api + path for name, path in REPOSITORY_LINKS.items()},
            **dict.fromkeys(REPOSITORY_COUNTS, 0),
            **dict.fromkeys(("description", "homepage", "language", "license", "mirror_url")),
            **dict.fromkeys(
                ("archived", "disabled", "fork", "has_discussions", "has_pages", "has_wiki"), False
            ),
            **dict.fromkeys(("has_downloads", "has_issues", "has_projects", "private"), True),
            **dict.fromkeys(("created_at", "pushed_at", "updated_at"), CREATED_AT),
            "id": 1,
            "node_id": node_id("Repository", 1),
            "name": self.settings.name,
            "full_name": self.settings.full_name,
            "owner": self.user(self.settings.owner),
            "default_branch": self.settings.default_branch,
            "visibility": "private",
            "html_url": self.web,
            "clone_url": f"{self.web}.git",
            "svn_url": self.web,
            "git_url": f"git://{self.web.partition('//')[2]}.git",
            "ssh_url": f"git@{self.web.partition('//')[2]}.git",
        }

    def ref(self, ref: str, sha: str) -> dict[str, Any]:
        """Write a ref to a commit."""
        return {
            "ref": ref,
            "node_id": node_id("Ref", ref),
            "url": f"{self.api}/git/{ref}",
            "object": {"sha": sha, "type": "commit", "url": f"{self.api}/git/commits/{sha}"},
        }

    def git_commit(self, commit: Commit) -> dict[str, Any]:
        """Write a commit of the Git database."""
        return {
            **self._link(commit.sha, f"{self.api}/git/commits/"),
            "node_id": node_id("Commit", commit.sha),
            "author": person(commit.author),
            "committer": person(commit.committer),
            "message": commit.message,
            "tree": {"sha": commit.tree, "url": f"{self.api}/git/trees/{commit.tree}"},
            "parents": [self._link(sha, f"{self.api}/git/commits/") for sha in commit.parents],
            "verification": UNVERIFIED,
        }

    def commit(self, commit: Commit) -> dict[str, Any]:
        """Write a commit of the repository; every author is given the one account there is."""
        inner = self.git_commit(commit)
        account = self.user(self.settings.login)
        kept = ("url", "author", "committer", "message", "tree", "verification")
        return {
            **self._link(commit.sha, f"{self.api}/commits/"),
            "node_id": node_id("Commit", commit.sha),
            "comments_url": f"{self.api}/commits/{commit.sha}/comments",
            "commit": {**{name: inner[name] for name in kept}, "comment_count": 0},
            "author": account,
            "committer": account,
            "parents": [self._link(sha, f"{self.api}/commits/") for sha in commit.parents],
        }

    def branch(self, name: str, commit: Commit) -> dict[str, Any]:
        """Write an unprotected branch."""
        address = f"{self.api}/branches/{name}"
        return {
            "name": name,
            "commit": self.commit(commit),
            "_links": {"self": address, "html": f"{self.web}/tree/{name}"},
            "protected": False,
            "protection": {"enabled": False},
            "protection_url": f"{address}/protection",
        }

    def tree(self, sha: str, entries: list[Entry]) -> dict[str, Any]:
        """Write a tree, never truncated."""
        written = [self._entry(entry) for entry in entries]
        return {"sha": sha, "url": f"{self.api}/git/trees/{sha}", "tree": written, "truncated": False}

    def blob(self, sha: str, content: bytes) -> dict[str, Any]:
        """Write a blob in base64."""
        return {
            **self.short_blob(sha),
            "node_id": node_id("Blob", sha),
            "size": len(content),
            "content": base64.encodebytes(content).decode(),
            "encoding": "base64",
        }

    def content(self, entry: Entry, content: bytes, ref: str) -> dict[str, Any]:
        """Write a file as the contents API does; of one above 1 MB the content is left out."""
        is_large = len(content) > LARGEST_CONTENT
        address = f"{self.api}/contents/{quote(entry.path)}?ref={ref}"
        blob = f"{self.api}/git/blobs/{entry.sha}"
        web = f"{self.web}/blob/{ref}/{quote(entry.path)}"
        return {
            "type": "symlink" if entry.mode == "120000" else "file",
            "encoding": "none" if is_large else "base64",
            "size": len(content),
            "name": entry.path.rpartition("/")[2],
            "path": entry.path,
            "content": "" if is_large else base64.encodebytes(content).decode(),
            "sha": entry.sha,
            "url": address,
            "git_url": blob,
            "html_url": web,
            "download_url": None,
            "_links": {"self": address, "git": blob, "html": web},
        }

    def short_blob(self, sha: str) -> dict[str, Any]:
        """Write what the creation of a blob answers."""
        return {"sha": sha, "url": f"{self.api}/git/blobs/{sha}"}

    def file(self, change: FileDiff, head_sha: str) -> dict[str, Any]:
        """Write a changed file; GitHub leaves `patch` out for binary files."""
        return {
            "sha": change.sha,
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": f"{self.web}/blob/{head_sha}/{change.path}",
            "raw_url": f"{self.web}/raw/{head_sha}/{change.path}",
            "contents_url": f"{self.api}/contents/{change.path}?ref={head_sha}",
            **({"patch": change.patch} if change.patch else {}),
            **({"previous_filename": change.previous_path} if change.previous_path else {}),
        }

    def comment(self, comment: PullComment) -> dict[str, Any]:
        """Write a comment of a conversation."""
        return {
            "id": comment.id,
            "node_id": node_id("IssueComment", comment.id),
            "url": f"{self.api}/issues/comments/{comment.id}",
            "html_url": f"{self.web}/pull/{comment.number}#issuecomment-{comment.id}",
            "issue_url": f"{self.api}/issues/{comment.number}",
            "user": self.user(comment.author),
            "body": comment.body,
            "author_association": "MEMBER",
            "created_at": comment.created_at,
            "updated_at": comment.created_at,
        }

    def pull(self, pull: PullRequest) -> dict[str, Any]:
        """Write a pull request as lists show it."""
        links = self._pull_links(pull)
        api = {name: address for name, address in links.items() if name not in {"self", "html", "issue"}}
        return {
            **{f"{name}_url": address for name, address in api.items()},
            "url": links["self"],
            "html_url": links["html"],
            "issue_url": links["issue"],
            "diff_url": f"{links['html']}.diff",
            "patch_url": f"{links['html']}.patch",
            "_links": {name: {"href": address} for name, address in links.items()},
            "id": 2_000_000_000 + pull.number,
            "node_id": node_id("PullRequest", pull.number),
            "number": pull.number,
            "state": pull.state,
            "title": pull.title,
            "body": pull.body or None,
            "draft": pull.draft,
            "user": self.user(pull.author),
            "head": self._end(pull.head, pull.head_sha, pull.fork),
            "base": self._end(pull.base, pull.base_sha),
            "labels": [],
            "locked": False,
            "author_association": "MEMBER",
            "merge_commit_sha": pull.merge_commit_sha or None,
            "created_at": pull.created_at,
            "updated_at": pull.updated_at,
            "closed_at": pull.closed_at or None,
            "merged_at": pull.closed_at if pull.merged else None,
            **dict.fromkeys(("assignee", "auto_merge", "milestone")),
        }

    def _pull_links(self, pull: PullRequest) -> dict[str, str]:
        address, issue = f"{self.api}/pulls/{pull.number}", f"{self.api}/issues/{pull.number}"
        return {
            "self": address,
            "html": f"{self.web}/pull/{pull.number}",
            "issue": issue,
            "comments": f"{issue}/comments",
            "commits": f"{address}/commits",
            "review_comments": f"{address}/comments",
            "review_comment": f"{self.api}/pulls/comments{{/number}}",
            "statuses": f"{self.api}/statuses/{pull.head_sha}",
        }

    def _end(self, branch: str, sha: str, fork: str = "") -> dict[str, Any]:
        owner = (fork or self.settings.full_name).partition("/")[0]
        repository = self._fork(fork) if fork else self.repository()
        return {
            "label": f"{owner}:{branch}",
            "ref": branch,
            "sha": sha,
            "user": self.user(owner),
            "repo": repository,
        }

    def _fork(self, full_name: str) -> dict[str, Any]:
        owner, _, name = full_name.partition("/")
        there = GitHubJson(self.url, replace(self.settings, owner=owner, name=name))
        return {**there.repository(), "id": zlib.crc32(full_name.encode()), "fork": True}

    def _type(self, login: str) -> str:
        if login.endswith("[bot]") or (self.settings.is_app and login == self.settings.login):
            return "Bot"
        return "Organization" if login == self.settings.owner else "User"

    def _link(self, sha: str, address: str) -> dict[str, Any]:
        return {"sha": sha, "url": address + sha, "html_url": f"{self.web}/commit/{sha}"}

    def _entry(self, entry: Entry) -> dict[str, Any]:
        kind = {"blob": "blobs", "tree": "trees", "commit": "commits"}[entry.type]
        size = {} if entry.size is None else {"size": entry.size}
        facts = {"path": entry.path, "mode": entry.mode, "type": entry.type, "sha": entry.sha}
        return {**facts, **size, "url": f"{self.api}/git/{kind}/{entry.sha}"}


def person(signature: Signature) -> dict[str, str]:
    """Write a git author; GitHub gives dates in UTC."""
    date = datetime.fromisoformat(signature.date).astimezone(UTC)
    return {"name": signature.name, "email": signature.email, "date": f"{date:%Y-%m-%dT%H:%M:%SZ}"}


def node_id(kind: str, number: int | str) -> str:
    """Make the opaque id GraphQL uses."""
    return base64.b64encode(f"{kind}{number}".encode()).decode()
