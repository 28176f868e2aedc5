"""`alm doctor`: every condition of a working deployment, looked at, with how to mend what is not as it has to be."""

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from alm import account, shown
from alm.deployed_secrets import FORMS
from alm.doctor import aws, github, jira, machine, model, money
from alm.doctor.finding import Check, Finding, Grade, examined, fault, ok
from alm.settings import LocalSettings, read_env_file
from orchestrator.config import WorkerSettings
from orchestrator.domain.untrusted import scrubbed
from orchestrator.domain.wall import Rung
from orchestrator.errors import ConfigError
from orchestrator.secret_values import parsed_secret

if TYPE_CHECKING:
    from boto3.session import Session

LIMIT_S = 60.0
LONGEST = 300


def doctor(options: argparse.Namespace) -> int:
    """Look at everything and say it; 1 if there is a fault."""
    settings, read = _settings(options.env_file)
    checks = {**_machine(settings), **_services(settings), **_deployment(options, settings)}
    findings = (read, *examined(checks, LIMIT_S))
    _say(findings, as_json=options.json)
    return int(any(finding.grade is Grade.FAULT for finding in findings))


def _settings(env_file: Path) -> tuple[LocalSettings | None, Finding]:
    try:
        settings = read_env_file(env_file)
        _check_secrets(settings)
    except ConfigError as error:
        return None, fault(
            "configuration", str(error), "Mend the file; until then Jira, GitHub and model are not asked."
        )
    return settings, ok("configuration", f"{env_file} is whole and well-formed")


def _check_secrets(settings: LocalSettings) -> None:
    for name, text in settings.secrets().items():
        if name in FORMS:
            parsed_secret(FORMS[name], name, text)


def _machine(settings: LocalSettings | None) -> Mapping[str, Check]:
    named = settings.values.get("SANDBOX_FLOOR") if settings else None
    floor = Rung(named) if named else WorkerSettings.model_fields["sandbox_floor"].default
    return {"tools": machine.tools, "walls": lambda: machine.walls(floor)}


def _services(settings: LocalSettings | None) -> Mapping[str, Check]:
    if settings is None:
        return {}
    return {
        "jira": lambda: jira.account(settings),
        "github": lambda: github.tokens(settings),
        "model": lambda: model.access(settings),
        "budgets": lambda: money.budgets(settings),
    }


def _deployment(options: argparse.Namespace, settings: LocalSettings | None) -> Mapping[str, Check]:
    if options.stack is None:
        return {}
    # A session each: they are not made for several threads.
    return {
        "aws identity": lambda: aws.identity(account.session(options.region)),
        "stack": lambda: aws.stack(account.session(options.region), options.stack),
        "secrets": lambda: _secrets(account.session(options.region), options.stack, settings),
    }


def _secrets(session: "Session", stack: str, settings: LocalSettings | None) -> Iterable[Finding]:
    return aws.secrets(session, aws.prefix(session, stack), settings)


def _say(findings: Iterable[Finding], *, as_json: bool) -> None:
    lines = [
        {"check": one.topic, "grade": one.grade, "said": _safe(one.said), "mend": one.mend}
        for one in findings
    ]
    if as_json:
        shown.say_json(lines)
        return
    for line in lines:
        mend = f"\n         mend: {line['mend']}" if line["mend"] else ""
        shown.say(f"{line['grade']:<8} {line['check']}: {line['said']}{mend}")


def _safe(said: str) -> str:
    # What others answered may hold anything, our own credential included.
    return scrubbed(said, LONGEST)
