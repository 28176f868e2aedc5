"""A thousand tickets through the real functions, eight workers at once, and whether each was answered once."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alm.bench.bare import KEY
from alm.demo import repository
from alm.function import FunctionError
from alm.settings import LocalSettings, checked
from alm.stack import Stack
from alm.standins.github import GitHubStandIn
from alm.standins.jira import Issue, JiraStandIn
from orchestrator.domain.issue import RESULT_PROPERTY

JOBS, CONCURRENCY = 1000, 8
POLL_EVERY_S = 1.0
LIMIT_S = 1800.0
# An agent that has its answer ready: what is measured is everything around it.
CLI = """#!/bin/sh
cat >/dev/null
cat <<'END'
{"type":"system","subtype":"init","model":"none"}
{"type":"result","subtype":"success","is_error":false,"num_turns":1,"total_cost_usd":0.01,"structured_output":\
{"summary":"s","root_cause":"r","files":[],"evidence":["e"],"confidence":"low"}}
END
"""


@dataclass(frozen=True)
class Drained:
    """How long it took, and the tickets that were not answered, or more than once; `faults` says how."""

    jobs: int
    seconds: float
    lost: int
    doubled: int
    dead_letters: int
    faults: Counter[str]

    @property
    def is_clean(self) -> bool:
        """Whether each was answered once."""
        return not (self.lost or self.doubled or self.dead_letters)


@dataclass(frozen=True)
class _World:
    jira: JiraStandIn
    stack: Stack

    def label(self, count: int) -> None:
        for number in range(count):
            self.jira.create_issue("Bug", "Wrong total", labels=("ai-investigate",), key=f"DEMO-{number + 1}")

    def is_drained(self, keys: list[str]) -> bool:
        while keys and not self.jira.issue(keys[-1]).labels:
            keys.pop()
        return not keys

    def poll(self) -> None:
        try:
            self.stack.poll()
        except FunctionError as error:
            print(f"a poll failed: {error}")


def drain(jobs: int = JOBS) -> Drained:
    """Label them all, poll every second until none is left, then count."""
    with _world() as world:
        world.label(jobs)
        keys = [f"DEMO-{number + 1}" for number in range(jobs)]
        left, started = keys.copy(), time.monotonic()
        while not world.is_drained(left):
            if time.monotonic() - started > LIMIT_S or world.stack.workers.broken:
                break
            world.poll()
            world.stack.wait_until(lambda: world.is_drained(left), POLL_EVERY_S)
        seconds = time.monotonic() - started
        world.stack.wait_until(world.stack.is_idle, LIMIT_S / 10)
        return _counted(world, keys, seconds)


def _counted(world: _World, keys: list[str], seconds: float) -> Drained:
    records = world.stack.aws.jobs()
    recorded = Counter(str(record["issue_key"]) for record in records)
    ended = {str(record["issue_key"]) for record in records if record["state"] == "ended"}
    lost, doubled, faults = set[str](), set[str](), Counter[str]()
    for key in keys:
        counts = {**_comments(world.jira.issue(key)), "record": recorded[key]}
        missing = [f"no {what}" for what, count in counts.items() if count == 0]
        missing += ["label left"] * bool(world.jira.issue(key).labels) + ["not ended"] * (key not in ended)
        several = [f"{count} times a {what}" for what, count in counts.items() if count > 1]
        lost |= {key} if missing else set()
        doubled |= {key} if several else set()
        faults.update(missing + several)
    return Drained(len(keys), seconds, len(lost), len(doubled), world.stack.aws.dead_letters(), faults)


def _comments(issue: Issue) -> dict[str, int]:
    parts = [comment.properties[RESULT_PROPERTY]["part"] for comment in issue.comments]
    return {"result": sum(part >= 0 for part in parts), "status": sum(part < 0 for part in parts)}


@contextmanager
def _world() -> Iterator[_World]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # The agent's own user has to reach it.
        folder.chmod(0o755)
        cli = folder / "claude"
        cli.write_text(CLI)
        cli.chmod(0o755)
        jira, github = stack.enter_context(JiraStandIn()), stack.enter_context(GitHubStandIn())
        github.seed(repository.FILES)
        settings = _settings(jira, github, cli)
        yield _World(jira, stack.enter_context(Stack(settings, CONCURRENCY, _silent, print)))


def _settings(jira: JiraStandIn, github: GitHubStandIn, cli: Path) -> LocalSettings:
    # The budgets of a day and of a ticket are not what is measured.
    plenty = {"DAILY_BUDGET_USD": "100000", "MAX_CONCURRENCY": str(CONCURRENCY), "WATCH_SECONDS": "0"}
    agent = {"ANTHROPIC_API_KEY": KEY, "CLAUDE_CLI": str(cli)}
    return checked({**jira.environment(), **github.environment(), **agent, **plenty})


def _silent(line: bytes) -> None:
    del line


def main() -> int:
    """Drain and print; the exit status says whether every ticket was answered once."""
    found = drain()
    print(
        f"{found.jobs} jobs, {CONCURRENCY} at once: {found.seconds:.0f} s, {found.jobs / found.seconds:.1f} jobs/s, "
        f"{found.lost} lost, {found.doubled} doubled, {found.dead_letters} dead letters"
    )
    for fault, count in found.faults.most_common():
        print(f"  {count} x {fault}")
    return 0 if found.is_clean else 1
