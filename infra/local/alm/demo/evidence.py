"""What the demo left behind, collected once, for showing and for checking."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alm.aws import LocalAws
from alm.standins.github import GitHubStandIn, PullRequest
from alm.standins.jira import Comment, Issue, JiraStandIn
from orchestrator.domain import adf
from orchestrator.domain.outcome import JobResult


@dataclass(frozen=True)
class Ticket:
    """One ticket before and after, its job's result, and everything its agent said and saw."""

    before: Issue
    after: Issue
    job_id: str
    result: JobResult
    transcript: str

    @property
    def comments(self) -> tuple[str, ...]:
        """The comments as Markdown."""
        return tuple(map(_text, self.after.comments))

    @property
    def tool_outputs(self) -> tuple[str, ...]:
        """What the tools answered the agent, in order."""
        return tuple(_tool_outputs(self.transcript))


@dataclass(frozen=True)
class Evidence:
    """Everything the demo shows."""

    tickets: tuple[Ticket, ...]
    pull_requests: tuple[PullRequest, ...]
    diffs: tuple[str, ...]


def collect(jira: JiraStandIn, github: GitHubStandIn, aws: LocalAws, before: tuple[Issue, ...]) -> Evidence:
    """Read the stand-ins and the stores while they are still there."""
    jobs = {str(job["issue_key"]): str(job["job_id"]) for job in aws.jobs()}
    pulls = github.pull_requests()
    return Evidence(
        tickets=tuple(_ticket(jira, aws, issue, jobs[issue.key]) for issue in before if issue.key in jobs),
        pull_requests=pulls,
        diffs=tuple(github.diff(pull.number) for pull in pulls),
    )


def _ticket(jira: JiraStandIn, aws: LocalAws, before: Issue, job_id: str) -> Ticket:
    return Ticket(
        before=before,
        after=jira.issue(before.key),
        job_id=job_id,
        result=JobResult.model_validate_json(aws.artifact(f"jobs/{job_id}/result.json")),
        transcript=aws.artifact(f"jobs/{job_id}/transcript.jsonl").decode(),
    )


def _text(comment: Comment) -> str:
    return adf.to_markdown(comment.body)


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
