"""The command `alm` as a person runs it, against stand-ins in this process."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from alm.demo import repository
from alm.standins.github import GitHubStandIn
from alm.standins.jira import Comment, JiraStandIn
from alm.standins.model import Script, ScriptedModel
from orchestrator.domain import adf
from orchestrator.domain.issue import RESULT_PROPERTY
from orchestrator.domain.status import STATUS_PART

KEY = "sk-ant-e2e-the-real-key"
# What a careless shell might hold: none of it may matter or show.
POISON = {
    "ANTHROPIC_API_KEY": "poison-key",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "CLAUDE_CODE_USE_BEDROCK": "1",
    "CLAUDE_MODEL": "poison-model",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_PROFILE": "poison-profile",
    "AWS_ACCESS_KEY_ID": "poison-aws",
    "GITHUB_TOKEN": "poison-token",
    "JIRA_CLIENT_SECRET": "poison-secret",
}


@dataclass(frozen=True)
class World:
    """Everything outside, and a folder for the command to work in."""

    jira: JiraStandIn
    github: GitHubStandIn
    model: ScriptedModel
    folder: Path

    @classmethod
    @contextmanager
    def around(cls, folder: Path, script: Script, **changes: str) -> Iterator[Self]:
        """Started stand-ins, a seeded repository and a `.env`; `changes` go into the `.env`."""
        with JiraStandIn() as jira, GitHubStandIn() as github, ScriptedModel(script) as model:
            github.seed(repository.FILES)
            world = cls(jira, github, model, folder)
            world.write_env(changes)
            yield world

    def write_env(self, changes: Mapping[str, str]) -> None:
        """The `.env` that points at the stand-ins."""
        values = {
            **self.jira.environment(),
            **self.github.environment(),
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": self.model.url,
            **changes,
        }
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """`alm …` in the folder, from a shell full of other people's variables."""
        return subprocess.Popen(
            [sys.executable, "-m", "alm.cli", *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **POISON},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def alm(self, *arguments: str, limit_s: float = 120) -> tuple[int, str]:
        """Exit status and what it printed."""
        process = self.start(*arguments)
        try:
            printed, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return process.returncode, printed

    def comments(self, key: str) -> tuple[str, ...]:
        """The issue's comments as Markdown, the live status left out."""
        told = (comment for comment in self.jira.issue(key).comments if not is_status(comment))
        return tuple(adf.to_markdown(comment.body) for comment in told)

    def status(self, key: str) -> tuple[str, ...]:
        """The issue's status comments as they read now."""
        shown = (comment for comment in self.jira.issue(key).comments if is_status(comment))
        return tuple(adf.to_markdown(comment.body) for comment in shown)

    def logs(self) -> str:
        """Everything in the log files."""
        return "".join(path.read_text() for path in (self.folder / "logs").glob("*.jsonl"))


def is_status(comment: Comment) -> bool:
    """Whether the comment is a job's live status."""
    return bool(comment.properties.get(RESULT_PROPERTY, {}).get("part") == STATUS_PART)
