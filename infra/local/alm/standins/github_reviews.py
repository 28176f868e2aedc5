"""The review resources of the GitHub stand-in: one refused comment refuses the whole review, as on GitHub."""

from typing import Any

from alm.standins.github_answers import body_of, not_found, paged, unprocessable
from alm.standins.github_diff import FileDiff, file_diffs, hunk_to
from alm.standins.github_hub import Hub, PullRequest, Review, ReviewComment
from alm.standins.github_json import GitHubJson, node_id
from alm.standins.messages import Answer, Request, Route, json_answer

NUMBER = "(?P<number>[0-9]+)"
LONGEST = 65_536
STATES = {
    "": "PENDING",
    "COMMENT": "COMMENTED",
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
}
OWN = {
    "APPROVE": "Can not approve your own pull request",
    "REQUEST_CHANGES": "Can not request changes on your own pull request",
}
OUTSIDE = "Pull request review thread line must be part of the diff"
TOO_LONG = f"Body is too long (maximum is {LONGEST} characters)"


class Reviews:
    """Handlers over the hub; what they write is written by the account of the token."""

    def __init__(self, hub: Hub, write: GitHubJson) -> None:
        self._hub = hub
        self._git = hub.repository
        self._write = write

    def routes(self) -> tuple[Route, ...]:
        """Return the routes, relative to `/repos/{owner}/{name}`."""
        return (
            Route("GET", f"/pulls/{NUMBER}/reviews", self.get_reviews),
            Route("POST", f"/pulls/{NUMBER}/reviews", self.post_review),
            Route("GET", f"/pulls/{NUMBER}/comments", self.get_comments),
        )

    def get_reviews(self, request: Request) -> Answer:
        """Answer a pull request's reviews, oldest first."""
        number = self._pull(request).number
        found = [review for review in self._hub.reviews if review.number == number]
        return paged(request, self._write.url, found, lambda review: review_json(self._write, review))

    def get_comments(self, request: Request) -> Answer:
        """Answer the comments beside a pull request's lines, oldest first."""
        number = self._pull(request).number
        found = [comment for comment in self._hub.review_comments if comment.number == number]
        return paged(request, self._write.url, found, lambda comment: comment_json(self._write, comment))

    def post_review(self, request: Request) -> Answer:
        """Review a pull request with all of the comments or not at all."""
        pull, body = self._pull(request), body_of(request)
        event, text = body.get("event", ""), body.get("body") or ""
        given: list[dict[str, Any]] = body.get("comments") or []
        commit = body.get("commit_id") or pull.head_sha
        self._refuse(pull, event, commit)
        if not text and not given and event != "APPROVE":
            raise unprocessable("Body can't be blank")
        if any(len(one) > LONGEST for one in (text, *(comment["body"] for comment in given))):
            raise unprocessable(TOO_LONG)
        review = self.add(pull, (self._hub.settings.login, text, event), commit, given)
        return json_answer(200, review_json(self._write, review))

    def add(
        self, pull: PullRequest, said: tuple[str, str, str], commit: str, given: list[dict[str, Any]]
    ) -> Review:
        """Store a review by author, body and event; a comment outside the diff refuses all of it."""
        author, text, event = said
        ancestor = self._git.merge_base(pull.base_sha, commit) or pull.base_sha
        files = {file.path: file for file in file_diffs(self._git, ancestor, commit)} if given else {}
        draft = Review(0, pull.number, author, text, STATES[event], commit)
        return self._hub.add_review(draft, [_comment(draft, files, one) for one in given])

    def _refuse(self, pull: PullRequest, event: str, commit: str) -> None:
        if event not in STATES:
            raise unprocessable(f"Variable $event of type PullRequestReviewEvent was provided {event!r}")
        if event in OWN and pull.author == self._hub.settings.login:
            raise unprocessable(OWN[event])
        if commit not in self._git.between(pull.base_sha, pull.head_sha):
            raise unprocessable("commit_id is not part of the pull request")

    def _pull(self, request: Request) -> PullRequest:
        pull = self._hub.pulls.get(int(request.args["number"]))
        if pull is None:
            raise not_found()
        return pull


def _comment(review: Review, files: dict[str, FileDiff], given: dict[str, Any]) -> ReviewComment:
    path, line, side = given["path"], given.get("line"), given.get("side", "RIGHT")
    if path not in files:
        raise unprocessable("Path could not be resolved")
    hunk = hunk_to(files[path].patch, line, side) if isinstance(line, int) else None
    if hunk is None or line is None:
        raise unprocessable(OUTSIDE, "Pull request review thread diff hunk can't be blank")
    return ReviewComment(
        id=0,
        review_id=0,
        number=review.number,
        author=review.author,
        body=given["body"],
        path=path,
        line=line,
        side=side,
        commit_id=review.commit_id,
        diff_hunk=hunk,
    )


def account_json(write: GitHubJson, login: str) -> dict[str, Any]:
    """Write the account of a token as it sees itself."""
    return {
        **write.user(login),
        **dict.fromkeys(("bio", "blog", "company", "email", "hireable", "location", "name")),
        **dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0),
        **dict.fromkeys(("created_at", "updated_at"), "2024-01-15T09:00:00Z"),
        "user_view_type": "public",
    }


def review_json(write: GitHubJson, review: Review) -> dict[str, Any]:
    """Write a review."""
    pull = f"{write.api}/pulls/{review.number}"
    page = f"{write.web}/pull/{review.number}#pullrequestreview-{review.id}"
    submitted = {} if review.state == "PENDING" else {"submitted_at": review.submitted_at}
    return {
        "id": review.id,
        "node_id": node_id("PullRequestReview", review.id),
        "user": write.user(review.author),
        "body": review.body,
        "state": review.state,
        "html_url": page,
        "pull_request_url": pull,
        "author_association": "MEMBER",
        "_links": {"html": {"href": page}, "pull_request": {"href": pull}},
        "commit_id": review.commit_id,
        **submitted,
    }


def comment_json(write: GitHubJson, comment: ReviewComment) -> dict[str, Any]:
    """Write a comment beside a line."""
    pull, address = f"{write.api}/pulls/{comment.number}", f"{write.api}/pulls/comments/{comment.id}"
    page = f"{write.web}/pull/{comment.number}#discussion_r{comment.id}"
    position = comment.diff_hunk.count("\n")
    return {
        "id": comment.id,
        "node_id": node_id("PullRequestReviewComment", comment.id),
        "pull_request_review_id": comment.review_id,
        "url": address,
        "html_url": page,
        "pull_request_url": pull,
        "_links": {"self": {"href": address}, "html": {"href": page}, "pull_request": {"href": pull}},
        "diff_hunk": comment.diff_hunk,
        "path": comment.path,
        **dict.fromkeys(("line", "original_line"), comment.line),
        **dict.fromkeys(("position", "original_position"), position),
        **dict.fromkeys(("start_line", "original_start_line")),
        "side": comment.side,
        "subject_type": "line",
        **dict.fromkeys(("commit_id", "original_commit_id"), comment.commit_id),
        "user": write.user(comment.author),
        "body": comment.body,
        "author_association": "MEMBER",
        **dict.fromkeys(("created_at", "updated_at"), comment.created_at),
    }
