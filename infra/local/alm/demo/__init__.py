"""`alm demo`: everything at work on this machine, without any account."""

import os
import time

from rich.console import Console

from alm.demo import repository
from alm.demo.checks import unmet
from alm.demo.evidence import collect
from alm.demo.model import script
from alm.demo.show import show
from alm.settings import LocalSettings, checked
from alm.stack import Stack
from alm.standins.github import GitHubStandIn
from alm.standins.jira import JiraStandIn, paragraphs
from alm.standins.model import ScriptedModel
from alm.terminal import Terminal

LIMIT_S = 120.0
# Made up here so that a check can look for them everywhere the agent left traces.
MODEL_KEY = "sk-ant-demo-" + os.urandom(8).hex()
SUMMARY = "Ten pieces of an article cost the full price"
DESCRIPTION = paragraphs(
    "Ten pieces of one article should cost ten per cent less, as the README says. They cost the full price; "
    "eleven pieces are cheaper as they should be.",
    "Acceptance criterion: ten pieces cost ten per cent less.",
)


def demo(*, verbose: bool) -> int:
    """Two tickets through the real pipeline; 0 only if both ended as they should."""
    started = time.monotonic()
    console = Console(highlight=False)
    with JiraStandIn() as jira, GitHubStandIn() as github, ScriptedModel(script) as model:
        github.seed(repository.FILES)
        jira.create_issue("Bug", SUMMARY, description=DESCRIPTION, labels=("ai-investigate",))
        jira.create_issue("Bug", SUMMARY, description=DESCRIPTION, labels=("ai-fix",))
        before = (jira.issue("DEMO-1"), jira.issue("DEMO-2"))
        with (
            Terminal(verbose=verbose, console=console) as terminal,
            Stack(_settings(jira, github, model), 2, terminal.log, terminal.say) as stack,
        ):
            stack.poll()
            stack.wait_until(stack.is_idle, LIMIT_S)
            evidence = collect(jira, github, stack.aws, before)
        show(evidence, console)
        faults = unmet(evidence, (MODEL_KEY, *_tokens(github)))
        console.print(f"\nTook {time.monotonic() - started:.1f} s.")
    for fault in faults:
        console.print(f"NOT AS IT SHOULD BE: {fault}")
    console.print("The demo failed." if faults else "Both tickets ended as they should.")
    return 1 if faults else 0


def _settings(jira: JiraStandIn, github: GitHubStandIn, model: ScriptedModel) -> LocalSettings:
    return checked(
        {
            **jira.environment(),
            **github.environment(),
            "ANTHROPIC_API_KEY": MODEL_KEY,
            "ANTHROPIC_BASE_URL": model.url,
        }
    )


def _tokens(github: GitHubStandIn) -> tuple[str, ...]:
    return (github.settings.read_token, github.settings.write_token)
