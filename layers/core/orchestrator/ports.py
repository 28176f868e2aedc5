"""What the use cases need of the outside, named by role. Adapters and fakes fit these shapes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from orchestrator.domain.action import Action
from orchestrator.domain.agent import AgentRun
from orchestrator.domain.changeset import Changeset
from orchestrator.domain.fleet import Launched, WorkerTask
from orchestrator.domain.issue import Comment, Issue, OwnComment
from orchestrator.domain.job import Job, JobRecord, PastResult
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.pull_request import ReviewSubject
from orchestrator.domain.review import Review
from orchestrator.domain.wall import Probe


class Clock(Protocol):
    """Time."""

    def monotonic(self) -> float:
        """Seconds since some moment."""

    def time(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class IssueReader(Protocol):
    """The tracker, as a poll sees it."""

    def search(self, jql: str) -> Iterator[Issue]:
        """Every issue that matches, as the index has them: labels and our claim, perhaps stale."""

    def read(self, key: str) -> Issue | None:
        """The issue as it is now, or None when it is gone."""

    def claim(self, job: Job) -> None:
        """One atomic edit: `ai-processing` on, the job's label off, the claim written."""

    def comments(self, key: str) -> Iterator[Comment]:
        """Everybody's comments, newest first, fetched as they are asked for."""

    def issue_url(self, key: str) -> str:
        """Where a person reads the issue."""


class Commenter(Protocol):
    """The tracker's comments, as our service account writes and finds them again."""

    def own_comments(self, key: str) -> Iterator[OwnComment]:
        """Our service account's marked comments, newest first, fetched as they are asked for."""

    def comment(self, key: str, markdown: str, mark: OwnComment) -> str:
        """Post the text as one comment that carries the mark; its id."""

    def edit_comment(self, key: str, comment_id: str, markdown: str) -> None:
        """Replace the text of a comment of ours; one that is gone is no error."""


class IssueWriter(Protocol):
    """The tracker, as a publication sees it."""

    def read(self, key: str) -> Issue | None:
        """The issue as it is now, or None when it is gone."""

    def release(self, job: Job, outcome: Outcome, latest: Mapping[str, PastResult]) -> None:
        """One atomic edit: `ai-processing` off, how the claim ended and the latest results written.

        An issue that is gone is no error.
        """

    def issue_url(self, key: str) -> str:
        """Where a person reads the issue."""


class JobStore(Protocol):
    """The job table."""

    def get(self, job_id: str) -> JobRecord | None:
        """The record, None if there is none."""

    def hold(self, job: Job, seconds: int) -> bool:
        """Keep others from queueing the job for that long; False if one of them is at it, or has done it."""

    def create(self, job: Job, status_comment: str | None) -> bool:
        """Record a queued job and its status comment; False if it was queued already."""

    def start(self, job: Job, attempt: int) -> bool:
        """Record that the job is running; False if it has ended already."""

    def progress(self, job: Job, phase: str) -> None:
        """Record what the job is doing now; nothing of a job that nobody has recorded."""

    def walls_tried(self, job: Job, probes: tuple[Probe, ...]) -> None:
        """Record which walls the worker tried to build around the agent; nothing of an unrecorded job."""

    def spent(self, job: Job, run: str, cost_usd: float) -> None:
        """Record what that run of the agent costs, in place of what it was said to; not of an unrecorded job."""

    def status_shown(self, job: Job) -> None:
        """Record that the status comment has just been edited."""

    def end(self, job: Job, outcome: Outcome, cost_usd: float | None) -> None:
        """Record how the job ended."""


class JobSender(Protocol):
    """The way into a queue: in order per issue, once per job."""

    def send(self, job: Job) -> None:
        """Put the job on the queue."""


@dataclass(frozen=True)
class Delivery:
    """A job as a queue hands it out. `attempt` counts from 1."""

    job: Job
    attempt: int
    receipt: str


class JobCounter(Protocol):
    """The job queue, as whoever starts workers sees it."""

    def waiting(self) -> int:
        """Messages nobody works on; may count those too that wait for an earlier one of their issue."""


class WorkerFleet(Protocol):
    """The tasks that run jobs."""

    def tasks(self) -> tuple[WorkerTask, ...]:
        """Every one that is starting or running, and those that stopped not long ago."""

    def start(self, count: int) -> Launched:
        """Start that many more; what is refused is an answer, not an error."""


class JobReceiver(Protocol):
    """The way out of the job queue."""

    def receive(self, wait_s: int) -> Delivery | None:
        """The next job, hidden from others for a while; None if none came. ForeignMessage if it is none of ours."""

    def hide(self, receipt: str, seconds: int) -> None:
        """Keep the job hidden from others for that long from now; 0 gives it back."""

    def delete(self, receipt: str) -> None:
        """The job is done with."""


class ArtifactStore(Protocol):
    """What is too large or too private for a queue: briefs, results, transcripts."""

    def put(self, key: str, content: bytes) -> None:
        """Store, replacing."""

    def get(self, key: str) -> bytes | None:
        """The content, None if there is none."""

    def put_file(self, key: str, path: Path) -> None:
        """Store a file without reading it into memory."""


@dataclass(frozen=True)
class BranchPlan:
    """The branch a pull request will come from, and the branch the agent starts from (None: the default)."""

    name: str
    start_from: str | None


class PullRequestReader(Protocol):
    """The code host, with a read token."""

    def plan_branch(self, name: str) -> BranchPlan:
        """Continue the branch if its pull request is open or was never made; else the next free name."""

    def review_subject(self, number: int) -> ReviewSubject | None:
        """The pull request with that number and the merge base of its head, None if there is none."""


@dataclass(frozen=True)
class Proposal:
    """A pull request to be."""

    job: Job
    branch: str
    changeset: Changeset
    title: str
    body: str


@dataclass(frozen=True)
class ReviewGround:
    """Where a review may stand: per path the lines that take a comment, and what stands there already.

    `standing` are fingerprints of findings in comments and reviews of our own account.
    """

    lines: Mapping[str, frozenset[int]]
    standing: frozenset[str]


@dataclass(frozen=True)
class ReviewPost:
    """A review to be, of the pull request at the head the agent saw."""

    job: Job
    number: int
    head_sha: str
    review: Review
    request_changes: bool = False


class PullRequestWriter(Protocol):
    """The code host, with a write token."""

    def propose(self, proposal: Proposal) -> str:
        """Make or continue branch and pull request; the pull request's URL. A second call finds the first's."""

    def review_ground(self, number: int) -> ReviewGround:
        """What a review of the pull request has to fit to."""

    def post_review(self, post: ReviewPost) -> str:
        """Post one review; its URL. Lines that are refused after all move to its body. A second call finds it."""


class Checkout(Protocol):
    """A clone whose trusted half the agent cannot reach."""

    @property
    def workspace(self) -> Path:
        """The working tree, the agent's."""

    def changeset(self) -> Changeset:
        """Everything that differs from the commit that was cloned."""


class Cloner(Protocol):
    """Fetches the repository."""

    def clone(self, branch: str | None) -> AbstractContextManager[Checkout]:
        """A shallow clone of the branch (None: the default), gone when the context ends."""

    def clone_review(self, subject: ReviewSubject) -> AbstractContextManager[Checkout]:
        """The pull request's head, forks included, with the merge base at `MERGE_BASE_REF`."""


@dataclass(frozen=True)
class AgentTask:
    """One thing to ask the agent."""

    job: Job
    action: Action
    prompt: str
    workspace: Path


class Agent(Protocol):
    """The agent behind its wall."""

    def run(self, task: AgentTask, transcript: Path, tell: Callable[[tuple[Probe, ...]], None]) -> AgentRun:
        """Ask, wait at most the action's time, and say what happened; the stream goes to `transcript`.

        `tell` hears which walls were tried, before the agent is started or refused.
        """

    def cancel(self) -> None:
        """End the run under way soon; its cost and result so far survive."""


class PromptRenderer(Protocol):
    """The action's template with the ticket as data."""

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """The prompt."""


class Events(Protocol):
    """The structured log and the metrics."""

    def info(self, event: str, **fields: object) -> None:
        """Something happened."""

    def warning(self, event: str, **fields: object) -> None:
        """Something happened that a person may have to look at."""

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        """A number to be added up and alarmed on."""
