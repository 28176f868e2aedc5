"""What the use cases need of the outside, named by role. Adapters and fakes fit these shapes."""

from contextlib import AbstractContextManager
from typing import Protocol

from orchestrator.ports.agent import Agent, AgentTask, PromptRenderer
from orchestrator.ports.code_host import (
    BranchPlan,
    Checkout,
    Cloner,
    Proposal,
    PullRequestReader,
    PullRequestWriter,
    RepositoryFiles,
    ReviewGround,
    ReviewPost,
)
from orchestrator.ports.jobs import (
    Accounts,
    ArtifactStore,
    Attempts,
    DeadLetters,
    Delivery,
    JobArtifacts,
    JobBudget,
    JobCounter,
    JobReceiver,
    JobSender,
    JobStore,
    JobTracker,
    SigningKeys,
    WorkerFleet,
)
from orchestrator.ports.secrets import SecretScanner
from orchestrator.ports.tracker import Commenter, IssueReader, IssueWriter

__all__ = [
    "Accounts",
    "Agent",
    "AgentTask",
    "ArtifactStore",
    "Attempts",
    "BranchPlan",
    "Checkout",
    "Clock",
    "Cloner",
    "Commenter",
    "DeadLetters",
    "Delivery",
    "Events",
    "IssueReader",
    "IssueWriter",
    "JobArtifacts",
    "JobBudget",
    "JobCounter",
    "JobReceiver",
    "JobSender",
    "JobStore",
    "JobTracker",
    "PromptRenderer",
    "Proposal",
    "PullRequestReader",
    "PullRequestWriter",
    "RepositoryFiles",
    "ReviewGround",
    "ReviewPost",
    "SecretScanner",
    "SigningKeys",
    "TimeLimit",
    "WorkerFleet",
]


class Clock(Protocol):
    """Time."""

    def monotonic(self) -> float:
        """Seconds since some moment."""

    def time(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class TimeLimit(Protocol):
    """Ends work that takes too long, whatever it is doing."""

    def within(self, wall_s: float, cpu_s: float) -> AbstractContextManager[None]:
        """Raise OutOfTime in the block once it has taken so many seconds, or so many of the processor."""


class Events(Protocol):
    """The structured log and the metrics."""

    def info(self, event: str, **fields: object) -> None:
        """Something happened."""

    def warning(self, event: str, **fields: object) -> None:
        """Something happened that a person may have to look at."""

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        """A number to be added up and alarmed on."""
