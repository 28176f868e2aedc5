"""What a poll takes with nothing, a page and a backlog of labelled issues: seconds, requests, claims, memory."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from alm.aws import LocalAws
from alm.environment import machine_environment
from alm.settings import LocalSettings, checked
from alm.standins.jira import JiraStandIn
from orchestrator.errors import ConfigError

# The second poll of a backlog finds every worker taken.
SIZES = (0, 100, 10_000)
WORKERS = 8
# What a page of Jira Cloud holds when labels are asked for.
PAGE = 100
NOBODY = {"ANTHROPIC_API_KEY": "none", "GITHUB_TOKEN": "none", "GITHUB_REPO": "nobody/nothing"}


@dataclass(frozen=True)
class Polled:
    """One poll of so many labelled issues, those claimed before it included. Sign-in is no request here."""

    labelled: int
    claimed_before: int
    claims: int
    seconds: float
    requests: int
    searches: int
    peak_mb: float


def polls() -> Iterator[Polled]:
    """Two polls of each size, one after the other, each in a fresh process through the real adapters."""
    for size in SIZES:
        with _account() as (jira, environment):
            for number in range(size):
                jira.create_issue("Bug", "Wrong total", labels=("ai-investigate",), key=f"DEMO-{number + 1}")
            first = polled(jira, environment, size, 0)
            yield first
            if size:
                yield polled(jira, environment, size, first.claims)


@contextmanager
def _account() -> Iterator[tuple[JiraStandIn, Mapping[str, str]]]:
    with JiraStandIn() as jira:
        jira.settings = replace(jira.settings, page_cap=PAGE)
        settings = checked({**jira.environment(), **NOBODY, "MAX_CONCURRENCY": str(WORKERS)})
        with LocalAws(settings.secrets()) as aws:
            yield jira, _environment(settings, aws)


def _environment(settings: LocalSettings, aws: LocalAws) -> Mapping[str, str]:
    # One look at the tracker: what a poll does afterwards is to wait for people who change their mind.
    watching = {"WATCH_SECONDS": "0"}
    return {**machine_environment(), **aws.environment, **settings.poll_environment(), **watching}


def polled(jira: JiraStandIn, environment: Mapping[str, str], labelled: int, claimed_before: int) -> Polled:
    """One poll, measured."""
    jira.forget_requests()
    argv = [sys.executable, "-m", "alm.bench.poll_process"]
    done = subprocess.run(argv, env=dict(environment), stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    if told["unusable"] or told["failed"]:
        raise ConfigError(f"the poll failed: {told}")
    paths = [request.path for request in jira.requests if "/rest/api/" in request.path]
    return Polled(
        labelled,
        claimed_before,
        len(told["claimed"]),
        told["seconds"],
        len(paths),
        sum(path.endswith("/search/jql") for path in paths),
        told["peak_mb"],
    )


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """For the table of the bench."""
    for one in polls():
        yield (
            f"a poll, {one.labelled:,} labelled"
            + (f", {one.claimed_before} claimed" * (one.claimed_before > 0)),
            f"{one.seconds:.2f} s, {one.peak_mb:.0f} MB",
            "",
            f"{one.requests} requests, {one.claims} claims",
            "< 128 MB",
        )
