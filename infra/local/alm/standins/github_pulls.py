"""The pull request, conversation and comparison resources of the GitHub stand-in."""

from dataclasses import replace
from typing import Any

from alm.standins.github_answers import body_of, invalid, not_found, paged, refusal
from alm.standins.github_diff import FileDiff, file_diffs
from alm.standins.github_hub import Hub, PullRequest, Rejected
from alm.standins.github_json import GitHubJson
from alm.standins.messages import Answer, Request, Route, json_answer

NUMBER = "(?P<number>[0-9]+)"


class Pulls:
    """Handlers over the hub; what they write is written by the account of the token."""

    def __init__(self, hub: Hub, write: GitHubJson) -> None:
        self._hub = hub
        self._git = hub.repository
        self._write = write

    def routes(self) -> tuple[Route, ...]:
        """Return the routes, relative to `/repos/{owner}/{name}`."""
        return (
            Route("GET", "/pulls", self.get_pulls),
            Route("POST", "/pulls", self.post_pull),
            Route("GET", f"/pulls/{NUMBER}", self.get_pull),
            Route("PATCH", f"/pulls/{NUMBER}", self.patch_pull),
            Route("GET", f"/pulls/{NUMBER}/files", self.get_files),
            Route("GET", f"/issues/{NUMBER}/comments", self.get_comments),
            Route("POST", f"/issues/{NUMBER}/comments", self.post_comment),
            Route("GET", r"/compare/(?P<base>.+)\.\.\.(?P<head>.+)", self.get_comparison),
        )

    def get_pulls(self, request: Request) -> Answer:
        """Answer pull requests, newest first; a `head` without an owner filters nothing, as on GitHub."""
        state, base = request.first("state", "open"), request.first("base")
        owner, colon, head = request.first("head").partition(":")
        found = [
            pull
            for pull in self._hub.all_pulls()
            if state in {"all", pull.state}
            and base in {"", pull.base}
            and (not colon or f"{owner}:{head}" == self._hub.head_label(pull))
        ]
        found.sort(key=lambda pull: pull.number, reverse=request.first("direction", "desc") == "desc")
        return paged(request, self._write.url, found, self._write.pull)

    def post_pull(self, request: Request) -> Answer:
        """Open a pull request."""
        body = body_of(request, "title", "head", "base")
        now, login = self._hub.now(), self._hub.settings.login
        draft = PullRequest(
            number=0,
            title=body["title"],
            body=body.get("body") or "",
            head=self._branch_name(body["head"]),
            base=body["base"],
            head_sha="",
            base_sha="",
            author=login,
            created_at=now,
            updated_at=now,
            draft=bool(body.get("draft")),
        )
        return json_answer(201, self._full(self._opened(draft)))

    def get_pull(self, request: Request) -> Answer:
        """Answer one pull request in full."""
        return json_answer(200, self._full(self._pull(request)))

    def patch_pull(self, request: Request) -> Answer:
        """Edit the title or body, close or reopen."""
        pull, body = self._pull(request), body_of(request)
        if body.get("base", pull.base) != pull.base:
            raise invalid("PullRequest", "base", "The stand-in moves no pull request to another base.")
        title, text = body.get("title") or pull.title, body.get("body", pull.body) or ""
        self._hub.edit_pull(pull.number, lambda old: replace(old, title=title, body=text))
        if body.get("state", pull.state) != pull.state:
            self._switch(pull.number, body["state"])
        return json_answer(200, self._full(self._hub.pulls[pull.number]))

    def get_files(self, request: Request) -> Answer:
        """Answer the files a pull request changes."""
        pull = self._pull(request)
        return paged(
            request, self._write.url, self._files(pull), lambda file: self._write.file(file, pull.head_sha)
        )

    def get_comments(self, request: Request) -> Answer:
        """Answer the conversation of a pull request, oldest first."""
        number = self._pull(request).number
        found = [comment for comment in self._hub.comments if comment.number == number]
        return paged(request, self._write.url, found, self._write.comment)

    def post_comment(self, request: Request) -> Answer:
        """Comment on a pull request."""
        pull, body = self._pull(request), body_of(request, "body")
        comment = self._hub.comment(pull.number, self._hub.settings.login, body["body"])
        return json_answer(201, self._write.comment(comment))

    def get_comparison(self, request: Request) -> Answer:
        """Compare two branches or commits from where they parted."""
        base, head = self._commit(request.args["base"]), self._commit(request.args["head"])
        ancestor = self._git.merge_base(base, head)
        if ancestor is None:
            raise refusal(404, f"No common ancestor between {base} and {head}.")
        ahead, behind = self._git.between(base, head), self._git.between(head, base)
        write, show = self._write, self._git.show
        files = file_diffs(self._git, ancestor, head)
        address = f"{write.web}/compare/{base}...{head}"
        comparison: dict[str, Any] = {
            "url": f"{write.api}/compare/{base}...{head}",
            "html_url": address,
            "permalink_url": address,
            "diff_url": f"{address}.diff",
            "patch_url": f"{address}.patch",
            "base_commit": write.commit(show(base)),
            "merge_base_commit": write.commit(show(ancestor)),
            "status": _relation(len(ahead), len(behind)),
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": [write.commit(show(sha)) for sha in ahead],
            "files": [write.file(file, head) for file in files],
        }
        return json_answer(200, comparison)

    def _full(self, pull: PullRequest) -> dict[str, Any]:
        files = self._files(pull)
        clean = pull.state == "open" and self._git.merged_tree(pull.base_sha, pull.head_sha) is not None
        comments = [comment for comment in self._hub.comments if comment.number == pull.number]
        beside = [comment for comment in self._hub.review_comments if comment.number == pull.number]
        return {
            **self._write.pull(pull),
            "merged": pull.merged,
            "merged_by": self._write.user(self._hub.settings.owner) if pull.merged else None,
            "mergeable": clean if pull.state == "open" else None,
            "mergeable_state": "clean" if clean else "dirty" if pull.state == "open" else "unknown",
            "maintainer_can_modify": False,
            "comments": len(comments),
            "review_comments": len(beside),
            "commits": len(self._git.between(pull.base_sha, pull.head_sha)),
            "additions": sum(file.additions for file in files),
            "deletions": sum(file.deletions for file in files),
            "changed_files": len(files),
        }

    def _opened(self, draft: PullRequest) -> PullRequest:
        try:
            return self._hub.open_pull(draft)
        except Rejected as rejected:
            verdict, _, field = str(rejected).partition(" ")
            if verdict == "invalid":
                raise invalid("PullRequest", field) from rejected
            error = {"resource": "PullRequest", "code": "custom", "message": str(rejected)}
            raise refusal(422, "Validation Failed", error) from rejected

    def _switch(self, number: int, state: str) -> None:
        if state not in {"open", "closed"}:
            raise invalid("PullRequest", "state")
        try:
            (self._hub.close if state == "closed" else self._hub.reopen)(number)
        except Rejected as rejected:
            raise invalid("PullRequest", "state", str(rejected)) from rejected

    def _files(self, pull: PullRequest) -> list[FileDiff]:
        ancestor = self._git.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
        return file_diffs(self._git, ancestor, pull.head_sha)

    def _pull(self, request: Request) -> PullRequest:
        pull = self._hub.pulls.get(int(request.args["number"]))
        if pull is None:
            raise not_found()
        return pull

    def _branch_name(self, head: str) -> str:
        return head.removeprefix(f"{self._hub.settings.owner}:")

    def _commit(self, name: str) -> str:
        sha = self._git.resolve(self._branch_name(name), "commit")
        if sha is None:
            raise not_found()
        return sha


def _relation(ahead: int, behind: int) -> str:
    if ahead and behind:
        return "diverged"
    return "ahead" if ahead else "behind" if behind else "identical"
