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
from orchestrator.domain.issue import Claim, Issue, decide
from orchestrator.domain.job import PROCESSING_LABEL
from orchestrator.domain.jql import labelled_issues

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
            Stack(settings, options.concurrency, terminal.log, terminal.say) as stack,
            announced(options.logs_dir, stack.aws),
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
        stop.wait(interval_s)
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
    jql = labelled_issues(jira_settings.jira_project_key, (*catalogue.labels, PROCESSING_LABEL))
    found = 0
    with Terminal() as terminal:
        for seen in jira.search(jql):
            issue = jira.read(seen.key)
            if issue is not None:
                found += 1
                decision = decide(issue, catalogue)
                terminal.say(_would(issue, decision))
        terminal.say(f"{found} labelled issue(s). Dry run: nothing was changed.")
    return 0


def _would(issue: Issue, decision: object) -> str:
    if not isinstance(decision, Claim):
        return f"{issue.key}  left alone: it carries {PROCESSING_LABEL}  {issue.summary}"
    action = decision.action
    if not action.accepts(issue.issue_type):
        return (
            f"{issue.key}  {action.name} would be rejected: it is not for {issue.issue_type}  {issue.summary}"
        )
    return f"{issue.key}  would run {action.name}  {issue.summary}"
