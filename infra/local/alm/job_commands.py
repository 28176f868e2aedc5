"""`alm jobs`, `show`, `retry`, `cancel` and `redrive`: which deployment is meant, what is asked, what is printed."""

import argparse
import time
import tomllib
from collections.abc import Iterator
from typing import Any

from alm import account, deployment, jobs, shown, steering
from alm.deployment import Deployment
from alm.environment import ROOT
from alm.jobs import Detail, Spending, StoredJob
from alm.patches import patch_of
from alm.settings import jira_secret, read_env_file
from orchestrator import bootstrap
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.config import JiraSettings
from orchestrator.domain.changeset import Changeset
from orchestrator.domain.job import JobState
from orchestrator.domain.money import Account, Limits, day_of, end_of, moment
from orchestrator.domain.outcome import JobResult
from orchestrator.domain.publishable import told
from orchestrator.errors import ConfigError

STACK = "alm-orchestrator"


def list_jobs(options: argparse.Namespace) -> int:
    """Every job that is kept, the one that changed last first; or what tickets or days have cost."""
    if options.by is not None:
        return _list_spending(options, Account(options.by))
    listing = jobs.listed(_deployment(options), options.issue)
    if options.json:
        shown.say_json([_record_json(job) for job in listing.jobs])
        return 0
    shown.table(("job", "state", "outcome", "cost", "attempt", "changed"), map(_row, listing.jobs))
    if listing.unreadable:
        shown.say(f"{listing.unreadable} record(s) could not be read.")
    return 0


def _list_spending(options: argparse.Namespace, account_of: Account) -> int:
    if options.issue and account_of is Account.DAY:
        raise ConfigError("What a day costs is not kept by issue. `alm jobs --by ticket --issue KEY` is.")
    where = _deployment(options)
    found = [one for one in jobs.spending(where, account_of) if options.issue in {None, one.issue_key}]
    if options.json:
        shown.say_json([_spending_json(one, account_of, where.limits) for one in found])
        return 0
    headers = (account_of.value, "spent", "budget", "left", "resets")
    shown.table(headers, (_spending_row(one, account_of, where.limits) for one in found))
    return 0


def show_job(options: argparse.Namespace) -> int:
    """One job with its result, and where the rest lies; or only the changes it kept."""
    found = jobs.detail(_deployment(options), options.job)
    if options.diff:
        shown.say_bytes(patch_of(found.result.changeset if found.result else None))
        return 0
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
    redriven = steering.redrive(
        _deployment(options), lambda: _jira(options), delete_foreign=options.delete_foreign
    )
    if options.json:
        shown.say_json({one.queue: _redriven_json(one) for one in redriven})
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
        _how(job),
        _dollars(_spent(job)),
        job.attempt,
        job.changed_at,
    )


def _how(job: StoredJob) -> str:
    """How it ended, else what stands in its way, else what it does."""
    waits = f"until {moment(job.wait_until)}" if job.state is JobState.WAITING else ""
    stopped = f"dead letter ({job.dead_letter})" if job.dead_letter else ""
    return job.outcome or stopped or ("cancelling" if job.cancel_asked else "") or waits or job.phase


def _spent(job: StoredJob) -> float | None:
    """What all its runs cost, None if nobody knows of any."""
    return job.spent_usd if job.costs or job.cost_usd is not None else None


def _is_over(one: Spending, account_of: Account) -> bool:
    return account_of is Account.DAY and one.of != day_of(time.time())


def _left(one: Spending, account_of: Account, limits: Limits | None) -> float | None:
    """What may still be spent; nothing can be any more of a day that is over."""
    if limits is None or _is_over(one, account_of):
        return None
    return max(0.0, limits.of(account_of) - one.usd)


def _spending_row(one: Spending, account_of: Account, limits: Limits | None) -> tuple[object, ...]:
    budget = None if limits is None else limits.of(account_of)
    left = _left(one, account_of, limits)
    resets_at = end_of(one.of) if account_of is Account.DAY else one.expires_at
    resets = "" if _is_over(one, account_of) else moment(resets_at)
    return (one.issue_key or one.of, *map(_dollars, (one.usd, budget, left)), resets)


def _spending_json(one: Spending, account_of: Account, limits: Limits | None) -> dict[str, Any]:
    who = {"day": one.of} if account_of is Account.DAY else {"ticket": one.issue_key, "issue_id": one.of}
    budget = None if limits is None else limits.of(account_of)
    return {**who, "usd": one.usd, "budget_usd": budget, "left_usd": _left(one, account_of, limits)}


def _redriven_json(one: steering.Redriven) -> dict[str, Any]:
    return {
        "moved": list(one.moved),
        "asked": list(one.asked),
        "foreign": one.foreign,
        "newer": one.newer,
    }


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
    yield from _standing_facts(record)
    for run, cost_usd in sorted(record.costs.items()):
        yield f"cost of {run}", _dollars(cost_usd)
    if record.costs:
        yield "cost of all runs", _dollars(record.spent_usd)
    for probe in record.probes:
        yield "wall tried", f"{probe.rung}: {probe.answer}" + (f" ({probe.reason})" if probe.reason else "")
    if found.result is not None:
        yield from _result_facts(found.result)
    yield from found.artifacts.items()


def _standing_facts(record: StoredJob) -> Iterator[tuple[str, object]]:
    """What keeps the job from going on, or will end it."""
    if record.state is JobState.WAITING:
        yield "waits for", f"the budget of the {record.wait_for}, until {moment(record.wait_until)}"
    if record.dead_letter:
        yield "dead letter", f"its message was given up in {record.dead_letter}: `alm redrive` brings it back"
    if record.cancel_asked:
        yield "cancel asked", "yes"
    if record.sends:
        yield "sent again", f"{record.sends} time(s)"


def _result_facts(result: JobResult) -> Iterator[tuple[str, object]]:
    yield "outcome", result.verdict.outcome
    if result.verdict.reason:
        yield "reason", result.verdict.reason
    yield "cost", _dollars(result.cost_usd)
    yield "model", f"{result.model}, {result.turns} turns, {result.duration_ms / 1000:.0f} s"
    for denial in result.denials:
        yield "denied", f"{denial.tool}: {denial.target} ({denial.source})"
    if result.continued:
        yield "began with", "the unfinished changes of an earlier run"
    if result.draft:
        yield "draft", "the changes below are unfinished; --diff prints them for `git apply`"
    if result.changeset is not None:
        yield from _changes(result.branch or "", result.changeset)


def _changes(branch: str, changeset: Changeset) -> Iterator[tuple[str, object]]:
    yield "branch", branch
    for change in changeset.changes:
        yield "file deleted" if change.is_deletion else "file changed", change.path
    if changeset.blocked:
        yield "blocked", told(changeset.blocked)


def _record_json(record: StoredJob) -> dict[str, Any]:
    facts = {"spent_usd": _spent(record), "changed_at": record.changed_at}
    return {**record.model_dump(mode="json", exclude={"expires_at"}), **facts}


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
