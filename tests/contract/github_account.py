"""The GitHub adapters with the tokens of a stand-in, and what they are asked to propose."""

from alm.standins.github import GitHubStandIn
from orchestrator.adapters.github_api import GitHubReader, GitHubWriter, connect
from orchestrator.config import GitHubSettings
from orchestrator.domain.changeset import Changeset, FileChange, FileMode
from orchestrator.domain.job import Job
from orchestrator.ports import Proposal

JOB = Job(job_id="DEMO-1-fix-0123", issue_id="10001", issue_key="DEMO-1", action="fix", label="ai-fix")
NEXT_JOB = JOB.model_copy(update={"job_id": "DEMO-1-fix-4567"})
CHANGE = FileChange.written("app.py", FileMode.REGULAR, b"x = 2\n")


def reader(github: GitHubStandIn, token: str = "") -> GitHubReader:
    return GitHubReader(connect(_settings(github), token or github.settings.read_token))


def writer(github: GitHubStandIn, token: str = "") -> GitHubWriter:
    return GitHubWriter(connect(_settings(github), token or github.settings.write_token))


def _settings(github: GitHubStandIn) -> GitHubSettings:
    return GitHubSettings.read({**github.environment(), "GITHUB_SECRET": "unused"})


def proposal(github: GitHubStandIn, *changes: FileChange, job: Job = JOB, base: str = "trunk") -> Proposal:
    """A change made on top of what `base` is now, for the branch `fix-DEMO-1`."""
    base_sha = github.branch_head(base)
    assert base_sha is not None
    return Proposal(
        job=job,
        branch="fix-DEMO-1",
        changeset=Changeset(base_sha=base_sha, changes=changes or (CHANGE,)),
        title="fix: Totals [DEMO-1]",
        body=(f"What {job.job_id} says.",),
    )


def tree(github: GitHubStandIn, ref: str) -> dict[str, tuple[str, bytes]]:
    """Mode and content of everything at a branch or commit."""
    repository = github.repository
    return {
        entry.path: (entry.mode, repository.read(entry.sha) if entry.type == "blob" else b"")
        for entry in repository.entries(ref, "-r")
    }


def writes(github: GitHubStandIn) -> list[tuple[str, str]]:
    """Every write so far: method, and path below the repository."""
    prefix = f"/api/v3/repos/{github.settings.full_name}"
    return [
        (request.method, request.path.removeprefix(prefix))
        for request in github.requests
        if request.method != "GET"
    ]
