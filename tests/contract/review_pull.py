"""A pull request with changed, new, removed and binary files, and reviews of it."""

from tests.contract.github_account import JOB

from alm.standins.github import GitHubStandIn
from orchestrator.domain.review import Finding, LineComment, Review, Severity, compose
from orchestrator.ports import ReviewPost

CODE = b"".join(b"line %d\n" % number for number in range(1, 31))
CHANGED = CODE.replace(b"line 15\n", b"changed 15\nnew 16\n")
LINES = {"app.py": dict(enumerate(CHANGED.decode().splitlines()[11:19], start=12))}
FINDING = Finding(
    path="app.py", line=15, severity=Severity.HIGH, title="Total is wrong", explanation="It adds twice."
)
MARK = f"<!-- ALM-Job: {JOB.job_id} -->"


def seeded(github: GitHubStandIn) -> str:
    github.seed({"app.py": CODE, "old.py": b"gone\n", "logo.png": b"\x00\x01"})
    files = {"app.py": CHANGED, "old.py": None, "logo.png": b"\x00\x02", "new.py": b"a = 1\nb = 2\n"}
    sha = github.push_commit("work", files)
    github.open_pull_request("work", "Add a line", "")
    return sha


def review_of(*findings: Finding, comments: tuple[LineComment, ...] = ()) -> Review:
    """Composed as the publisher does; `comments` stand where they say, diff or not."""
    made = compose(("All in all good.",), findings, LINES, (), ())
    return made.model_copy(update={"comments": (*made.comments, *comments)})


def post(head: str, review: Review | None = None, *, request_changes: bool = False) -> ReviewPost:
    return ReviewPost(JOB, 1, head, review or review_of(FINDING), request_changes)
