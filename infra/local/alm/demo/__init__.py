"""`alm demo`: all seven actions at work on this machine, without any account."""

import os
import time

from rich.console import Console

from alm.demo import repository
from alm.demo.checks import unmet
from alm.demo.evidence import World, collect
from alm.demo.model import script
from alm.demo.show import show
from alm.demo.tickets import TICKETS, create
from alm.settings import LocalSettings, checked
from alm.stack import Stack
from alm.standins.github import GitHubStandIn
from alm.standins.jira import Issue, JiraStandIn
from alm.standins.model import ScriptedModel
from alm.terminal import Terminal

LIMIT_S = 120.0
CONCURRENCY = 3
# Made up here so that a check can look for them everywhere the agent left traces.
MODEL_KEY = "sk-ant-demo-" + os.urandom(8).hex()


def demo(*, verbose: bool) -> int:
    """Seven tickets through the real pipeline; 0 only if all of them ended as they should."""
    started = time.monotonic()
    console = Console(highlight=False)
    with JiraStandIn() as jira, GitHubStandIn() as github, ScriptedModel(script) as model:
        before = _write_tickets(jira, github)
        with (
            Terminal(verbose=verbose, console=console) as terminal,
            Stack(_settings(jira, github, model), CONCURRENCY, terminal.log, terminal.say) as stack,
        ):
            _work(stack, jira)
            evidence = collect(World(jira, github, model, stack.aws), before)
        show(evidence, console)
        faults = unmet(evidence, (MODEL_KEY, github.settings.read_token, github.settings.write_token))
    for fault in faults:
        console.print(f"NOT AS IT SHOULD BE: {fault}", markup=False)
    console.print(f"\nTook {time.monotonic() - started:.1f} s.")
    console.print("The demo failed." if faults else f"All {len(TICKETS)} tickets ended as they should.")
    return 1 if faults else 0


def _write_tickets(jira: JiraStandIn, github: GitHubStandIn) -> tuple[Issue, ...]:
    github.seed(repository.FILES)
    github.push_commit(repository.BRANCH, repository.BRANCH_FILES, author="colleague")
    github.open_pull_request(repository.BRANCH, repository.PULL_REQUEST_TITLE)
    return create(jira, github)


def _work(stack: Stack, jira: JiraStandIn) -> None:
    """Poll until no ticket asks for anything: labels of one ticket run one after the other."""
    deadline = time.monotonic() + LIMIT_S
    while _asked(jira) and time.monotonic() < deadline and not stack.workers.broken:
        stack.poll()
        # As soon as one ticket is free its next label can be taken; the others work on meanwhile.
        stack.wait_until(lambda: _is_free(jira) or stack.is_idle(), LIMIT_S)
    stack.wait_until(stack.is_idle, LIMIT_S)


def _keys() -> tuple[str, ...]:
    return tuple(f"DEMO-{number}" for number in range(1, len(TICKETS) + 1))


def _asked(jira: JiraStandIn) -> bool:
    return any(jira.issue(key).labels for key in _keys())


def _is_free(jira: JiraStandIn) -> bool:
    labels = (jira.issue(key).labels for key in _keys())
    return any(names and "ai-processing" not in names for names in labels)


def _settings(jira: JiraStandIn, github: GitHubStandIn, model: ScriptedModel) -> LocalSettings:
    return checked(
        {
            **jira.environment(),
            **github.environment(),
            "ANTHROPIC_API_KEY": MODEL_KEY,
            "ANTHROPIC_BASE_URL": model.url,
        }
    )
