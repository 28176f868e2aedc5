"""`alm jobs`, `show`, `retry`, `cancel` and `redrive`: which deployment is meant, what is asked, what is printed."""

import argparse
import tomllib
from collections.abc import Iterator
from typing import Any

from alm import account, deployment, jobs, shown, steering
from alm.deployment import Deployment
from alm.environment import ROOT
from alm.jobs import Detail, StoredJob
from alm.settings import jira_secret, read_env_file
from orchestrator import bootstrap
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.config import JiraSettings
from orchestrator.domain.changeset import Changeset
from orchestrator.domain.outcome import JobResult
from orchestrator.domain.publishable import told

STACK = "alm-orchestrator"


def list_jobs(options: argparse.Namespace) -> int:
    """Every job that is kept, the one that changed last first."""
    listing = jobs.listed(_deployment(options), options.issue)
    if options.json:
        shown.say_json([_record_json(job) for job in listing.jobs])
        return 0
    shown.table(("job", "state", "outcome", "cost", "attempt", "changed"), map(_row, listing.jobs))
    if listing.unreadable:
        shown.say(f"{listing.unreadable} record(s) could not be read.")
    return 0


def show_job(options: argparse.Namespace) -> int:
    """One job with its result, and where the rest lies."""
    found = jobs.detail(_deployment(options), options.job)
    if options.json:
        shown.say_json(_detail_json(found))
        return 0
    shown.table(("", ""), _facts(found))
    if found.result is not None and found.result.text:
        shown.say(f"\n{found.result.text}")
    return 0


def cancel_job(options: argparse.Namespace) -> int:
    """End a job that has not ended."""
    where = _deployment(options)
    return _done(options, steering.cancel(where, jobs.found(where, options.job)))


def retry_job(options: argparse.Namespace) -> int:
    """Ask for a job's work again."""
    record = jobs.found(_deployment(options), options.job)
    return _done(options, steering.retry(_jira(options), record))


def redrive(options: argparse.Namespace) -> int:
    """Bring back what was given up."""
    redriven = steering.redrive(_deployment(options), delete_foreign=options.delete_foreign)
    if options.json:
        shown.say_json({one.queue: {"moved": list(one.moved), "foreign": one.foreign} for one in redriven})
        return 0
    for one in redriven:
        shown.say(one.words())
    return 0


def stack_name() -> str:
    """The stack that samconfig.toml deploys, if it says so."""
    try:
        presets = tomllib.loads((ROOT / "samconfig.toml").read_text())
    except (OSError, ValueError):
        return STACK
    parameters = presets.get("default", {}).get("global", {}).get("parameters", {})
    return str(parameters.get("stack_name", STACK))


def _deployment(options: argparse.Namespace) -> Deployment:
    if options.local:
        return deployment.local(options.logs_dir)
    return deployment.deployed(account.session(options.region), options.stack or stack_name())


def _jira(options: argparse.Namespace) -> JiraCloud:
    settings = read_env_file(options.env_file)
    return bootstrap.jira(JiraSettings.read(settings.poll_environment()), jira_secret(settings))


def _done(options: argparse.Namespace, words: str) -> int:
    if options.json:
        shown.say_json({"job": options.job, "done": words})
    else:
        shown.say(words)
    return 0


def _row(job: StoredJob) -> tuple[object, ...]:
    return (
        job.job_id,
        job.state,
        job.outcome or job.phase,
        _dollars(job.cost_usd),
        job.attempt,
        job.changed_at,
    )


def _dollars(cost_usd: float | None) -> str:
    return "" if cost_usd is None else f"${cost_usd:.2f}"


def _facts(found: Detail) -> Iterator[tuple[object, object]]:
    record = found.record
    yield "job", record.job_id
    yield "issue", record.issue_key
    yield "action", f"{record.action} ({record.label})"
    yield "state", f"{record.state} {record.phase}".strip()
    yield "attempt", record.attempt
    yield "changed", record.changed_at
    for probe in record.probes:
        yield "wall tried", f"{probe.rung}: {probe.answer}" + (f" ({probe.reason})" if probe.reason else "")
    if found.result is not None:
        yield from _result_facts(found.result)
    yield from found.artifacts.items()


def _result_facts(result: JobResult) -> Iterator[tuple[str, object]]:
    yield "outcome", result.verdict.outcome
    if result.verdict.reason:
        yield "reason", result.verdict.reason
    yield "cost", _dollars(result.cost_usd)
    yield "model", f"{result.model}, {result.turns} turns, {result.duration_ms / 1000:.0f} s"
    for denial in result.denials:
        yield "denied", f"{denial.tool}: {denial.target} ({denial.source})"
    if result.changeset is not None:
        yield from _changes(result.branch or "", result.changeset)


def _changes(branch: str, changeset: Changeset) -> Iterator[tuple[str, object]]:
    yield "branch", branch
    for change in changeset.changes:
        yield "file deleted" if change.is_deletion else "file changed", change.path
    if changeset.blocked:
        yield "blocked", told(changeset.blocked)


def _record_json(record: StoredJob) -> dict[str, Any]:
    return {**record.model_dump(mode="json", exclude={"expires_at"}), "changed_at": record.changed_at}


def _detail_json(found: Detail) -> dict[str, Any]:
    return {
        "record": _record_json(found.record),
        "result": None if found.result is None else _result_json(found.result),
        "artifacts": dict(found.artifacts),
    }


def _result_json(result: JobResult) -> dict[str, Any]:
    """The result without the files' contents, which the artifact holds."""
    dumped = result.model_dump(mode="json", exclude={"changeset"})
    if result.changeset is None:
        return dumped
    blocked = [fault.model_dump(mode="json") for fault in result.changeset.blocked]
    paths = [change.path for change in result.changeset.changes]
    return {**dumped, "changeset": {"paths": paths, "blocked": blocked}}
