"""What the demo left behind, collected once, for showing and for checking."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alm.aws import LocalAws
from alm.standins.github import GitHubStandIn, PullRequest, Review, ReviewComment
from alm.standins.jira import Comment, Issue, JiraStandIn
from alm.standins.model import Conversation, ScriptedModel
from orchestrator.domain import adf
from orchestrator.domain.issue import RESULT_PROPERTY
from orchestrator.domain.outcome import JobResult
from orchestrator.domain.status import STATUS_PART


@dataclass(frozen=True)
class Run:
    """One job: its result, and everything its agent said and saw."""

    job_id: str
    action: str
    result: JobResult
    transcript: str

    @property
    def tool_outputs(self) -> tuple[str, ...]:
        """What the tools answered the agent, in order."""
        return tuple(_tool_outputs(self.transcript))


@dataclass(frozen=True)
class Ticket:
    """One ticket before and after, and its jobs in the order in which their results were told."""

    before: Issue
    after: Issue
    runs: tuple[Run, ...]

    @property
    def comments(self) -> tuple[str, ...]:
        """The result comments as Markdown."""
        return tuple(
            adf.to_markdown(comment.body) for comment in self.after.comments if _mark(comment)["part"] >= 0
        )

    @property
    def statuses(self) -> tuple[str, ...]:
        """The status comments as they read at the end."""
        shown = (comment for comment in self.after.comments if _mark(comment)["part"] == STATUS_PART)
        return tuple(adf.to_markdown(comment.body) for comment in shown)


@dataclass(frozen=True)
class Pull:
    """One pull request with its diff and its reviews."""

    facts: PullRequest
    diff: str
    reviews: tuple[Review, ...]
    comments: tuple[ReviewComment, ...]


@dataclass(frozen=True)
class Evidence:
    """Everything the demo shows."""

    tickets: tuple[Ticket, ...]
    pulls: tuple[Pull, ...]
    prompts: tuple[str, ...]

    @property
    def runs(self) -> tuple[tuple[Ticket, Run], ...]:
        """Every job with its ticket."""
        return tuple((ticket, run) for ticket in self.tickets for run in ticket.runs)


@dataclass(frozen=True)
class World:
    """Where the evidence lies while the demo runs."""

    jira: JiraStandIn
    github: GitHubStandIn
    model: ScriptedModel
    aws: LocalAws


def collect(world: World, before: tuple[Issue, ...]) -> Evidence:
    """Read the stand-ins and the stores while they are still there."""
    return Evidence(
        tickets=tuple(_ticket(world.jira.issue(issue.key), world.aws, issue) for issue in before),
        pulls=tuple(_pull(world.github, pull) for pull in world.github.pull_requests()),
        prompts=tuple(Conversation(body).prompt for _, body in world.model.requests),
    )


def _pull(github: GitHubStandIn, pull: PullRequest) -> Pull:
    number = pull.number
    return Pull(pull, github.diff(number), github.reviews(number), github.review_comments(number))


def _ticket(after: Issue, aws: LocalAws, before: Issue) -> Ticket:
    marks = (_mark(comment) for comment in after.comments)
    told = tuple(_run(aws, mark["job_id"], mark["action"]) for mark in marks if mark["part"] == 0)
    return Ticket(before, after, told)


def _run(aws: LocalAws, job_id: str, action: str) -> Run:
    result = aws.result(job_id)
    return Run(job_id, action, result, aws.artifact(f"jobs/{job_id}/transcript.jsonl").decode())


def _mark(comment: Comment) -> Mapping[str, Any]:
    mark: Mapping[str, Any] = comment.properties.get(RESULT_PROPERTY, {"part": None})
    return mark


def _tool_outputs(transcript: str) -> Iterator[str]:
    for message in map(json.loads, transcript.splitlines()):
        for block in _blocks(message):
            if block.get("type") == "tool_result":
                yield _plain(block.get("content"))


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message.get("message", {}).get("content") if message.get("type") == "user" else None
    return content if isinstance(content, list) else []


def _plain(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return str(content)
