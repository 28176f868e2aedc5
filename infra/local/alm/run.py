"""`alm run`: the stack against a real Jira, GitHub and model, polling until someone presses Ctrl-C."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from alm.deployment import announced
from alm.function import FunctionError
from alm.settings import LocalSettings, jira_secret
from alm.stack import Stack
from alm.terminal import Terminal
from orchestrator import bootstrap
from orchestrator.config import JiraSettings
from orchestrator.domain.action import Catalogue
from orchestrator.domain.issue import Claim, Issue, Leave, Resume, decide
from orchestrator.domain.job import PROCESSING_LABEL, RETRY_LABEL
from orchestrator.domain.jql import labelled_issues

# While jobs are under way: whoever takes ai-processing off waits for this and for the worker's own look.
LOOK_EVERY_S = 10.0
BROKEN = "The worker does not start: see the lines above. Nothing was lost: tickets taken are taken up again."


@dataclass(frozen=True)
class RunOptions:
    """The command line of `alm run`."""

    poll_interval_s: float | None = None
    once: bool = False
    verbose: bool = False
    logs_dir: Path | None = None
    concurrency: int = 2


def run(settings: LocalSettings, options: RunOptions) -> int:
    """Poll and work until stopped; the exit status."""
    stop = Event()
    with Terminal(options.verbose, options.logs_dir) as terminal, _stopped_by_signals(stop, terminal):
        if settings.shares_write_token:
            terminal.say(
                "GITHUB_READ_TOKEN is not set: the worker clones with GITHUB_TOKEN, which can write."
            )
        with (
            Stack(settings, options.concurrency, terminal.log, terminal.say, stop) as stack,
            announced(options.logs_dir, stack.aws, settings.limits),
        ):
            status = _loop(stack, options, options.poll_interval_s or settings.poll_interval_s, stop)
        return _farewell(stack, terminal, status)


def _loop(stack: Stack, options: RunOptions, interval_s: float, stop: Event) -> int:
    first = True
    while not stop.is_set():
        try:
            stack.poll()
        except FunctionError as error:
            stack.complain(f"The poll failed: {error}")
            if first and error.kind == "ConfigError":
                return 2
        if options.once:
            return _finish(stack, stop)
        if stack.workers.broken:
            stack.complain(BROKEN)
            return 1
        first = False
        stop.wait(interval_s if stack.is_idle() else min(interval_s, LOOK_EVERY_S))
    return 0


def _finish(stack: Stack, stop: Event) -> int:
    """Wait for every job that was taken; 1 if workers cannot start."""
    forever = float("inf")
    stack.wait_until(lambda: stop.is_set() or stack.is_idle(), forever)
    if stack.workers.broken:
        stack.complain(BROKEN)
    return int(stack.workers.broken)


def _farewell(stack: Stack, terminal: Terminal, status: int) -> int:
    """Say what is left undone; the queue is gone now, but the tickets' own claims are not."""
    if stack.left_over:
        terminal.say(
            f"{stack.left_over} queued job(s) were not started: the next `alm run` takes them up again."
        )
    return status


@contextmanager
def _stopped_by_signals(stop: Event, terminal: Terminal) -> Iterator[None]:
    def ask(*_: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        terminal.say("Stopping: running agents are ended and their tickets told. Again to leave at once.")
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def dry_run(settings: LocalSettings) -> int:
    """One search, printed; nothing is written anywhere and nothing is started."""
    told = settings.poll_environment()
    catalogue = bootstrap.catalogue(Path(told["PROMPTS_DIR"]))
    jira_settings = JiraSettings.read(told)
    jira = bootstrap.jira(jira_settings, jira_secret(settings))
    jql = labelled_issues(jira_settings.jira_project_key, (*catalogue.labels, RETRY_LABEL, PROCESSING_LABEL))
    found = 0
    with Terminal() as terminal:
        for seen in jira.search(jql):
            issue = jira.read(seen.key)
            if issue is not None:
                found += 1
                decision = decide(issue, catalogue, bootstrap.clock().time())
                terminal.say(would(issue, decision, catalogue))
        terminal.say(f"{found} labelled issue(s). Dry run: nothing was changed.")
    return 0


def would(issue: Issue, decision: Claim | Resume | Leave, catalogue: Catalogue) -> str:
    """What a poll would do about the issue, as a line."""
    if isinstance(decision, Leave):
        return f"{issue.key}  left alone: {decision.reason}  {issue.summary}"
    if isinstance(decision, Resume):
        return f"{issue.key}  left alone: it carries {PROCESSING_LABEL}, for {decision.job.action}  {issue.summary}"
    return f"{issue.key}  {_claimed(issue, decision, catalogue)}  {issue.summary}"


def _claimed(issue: Issue, claim: Claim, catalogue: Catalogue) -> str:
    action = catalogue.named(claim.job.action)
    if action is None:
        said = claim.verdict.heading.lower() if claim.verdict else "no such action"
        return f"would only be told: {said}"
    if not action.accepts(issue.issue_type):
        return f"{action.name} would be rejected: it is not for {issue.issue_type}"
    again = " again" if RETRY_LABEL in claim.takes_off else ""
    return f"would run {action.name}{again}"
