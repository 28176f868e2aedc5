"""The `.env` as values, and what each room gets of it: settings for its environment, secrets for the manager."""

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dotenv import dotenv_values

from alm.aws import ARTIFACTS_ROLE
from alm.environment import ROOT, installed_cli
from orchestrator.config import (
    MoneySettings,
    PollSettings,
    Provider,
    PublishSettings,
    TrackSettings,
    WorkerSettings,
)
from orchestrator.domain.money import Limits
from orchestrator.errors import ConfigError
from orchestrator.secret_values import JiraSecret, parsed_secret

CREDENTIALS = ("JIRA_CLIENT_ID", "JIRA_CLIENT_SECRET", "GITHUB_TOKEN")
# What each provider of the model needs beside them.
MODEL_CREDENTIALS = {
    Provider.ANTHROPIC: ("ANTHROPIC_API_KEY",),
    Provider.BEDROCK: ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    Provider.VERTEX: ("GOOGLE_APPLICATION_CREDENTIALS",),
}
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL
PROMPTS = ROOT / "prompts"
_PLACEHOLDERS = dict.fromkeys(
    (
        *("JOBS_TABLE", "ARTIFACTS_BUCKET", "JOB_QUEUE_URL", "RESULT_QUEUE_URL"),
        *("GITHUB_SECRET", "TRACK_FUNCTION", "ARTIFACTS_ROLE"),
    ),
    "checked-later",
)


@dataclass(frozen=True)
class LocalSettings:
    """What a `.env` says. Only the file counts: variables of the shell are never read."""

    values: Mapping[str, str]

    @property
    def poll_interval_s(self) -> float:
        """Seconds between polls."""
        return _positive("POLL_INTERVAL_SECONDS", self.values.get("POLL_INTERVAL_SECONDS", "60"))

    @cached_property
    def signing_key(self) -> str:
        """The key that signs jobs; without one of its own a run cannot take up jobs of an earlier one."""
        return self.values.get("SIGNING_KEY") or secrets.token_hex(32)

    @property
    def limits(self) -> Limits:
        """What a ticket and a day may cost."""
        return MoneySettings.read(self.values).limits

    @property
    def shares_write_token(self) -> bool:
        """Whether the worker has to clone with the write token, for want of a read token."""
        return not self.values.get("GITHUB_READ_TOKEN")

    def secrets(self) -> Mapping[str, str]:
        """Secret name to JSON text, for Secrets Manager."""
        value = self.values
        read_token = value.get("GITHUB_READ_TOKEN") or value["GITHUB_TOKEN"]
        return {
            "alm/jira": _json(client_id=value["JIRA_CLIENT_ID"], client_secret=value["JIRA_CLIENT_SECRET"]),
            "alm/github/read": _json(token=read_token),
            "alm/github/write": _json(token=value["GITHUB_TOKEN"]),
            "alm/signing": _json(current=self.signing_key),
            **self._model_secret(),
        }

    @property
    def provider(self) -> Provider:
        """Whose service runs the model; what is no provider is told when all settings are checked."""
        name = self.values.get("MODEL_PROVIDER", "")
        return Provider(name) if name in set(Provider) else Provider.ANTHROPIC

    def _model_secret(self) -> dict[str, str]:
        value = self.values
        if self.provider is Provider.BEDROCK:
            token = value.get("AWS_SESSION_TOKEN")
            keys = {
                "access_key_id": value["AWS_ACCESS_KEY_ID"],
                "secret_access_key": value["AWS_SECRET_ACCESS_KEY"],
            }
            return {"alm/bedrock": _json(**keys, **({"session_token": token} if token else {}))}
        if self.provider is Provider.VERTEX:
            return {"alm/vertex": _file(value["GOOGLE_APPLICATION_CREDENTIALS"])}
        return {"alm/anthropic": _json(api_key=value["ANTHROPIC_API_KEY"])}

    def poll_environment(self) -> Mapping[str, str]:
        """What poll_jira is told."""
        return self._told(PollSettings.model_fields)

    def worker_environment(self) -> Mapping[str, str]:
        """What run_job is told."""
        cli = self.values.get("CLAUDE_CLI") or str(installed_cli())
        told = self._told(WorkerSettings.model_fields)
        # The keys moto is called with are made up: here Bedrock's own come from a secret, not from a role.
        bedrock = {"BEDROCK_SECRET": "alm/bedrock"} if self.provider is Provider.BEDROCK else {}
        return {**told, **bedrock, "GITHUB_SECRET": "alm/github/read", "CLAUDE_CLI": cli}

    def track_environment(self) -> Mapping[str, str]:
        """What track_job is told."""
        return {**self._told(TrackSettings.model_fields), "ARTIFACTS_ROLE": ARTIFACTS_ROLE}

    def publish_environment(self) -> Mapping[str, str]:
        """What publish_result is told."""
        return {**self._told(PublishSettings.model_fields), "GITHUB_SECRET": "alm/github/write"}

    def _told(self, fields: Mapping[str, object]) -> dict[str, str]:
        names = (name.upper() for name in fields)
        told = {name: self.values[name] for name in names if self.values.get(name)}
        return {**told, "PROMPTS_DIR": self.values.get("PROMPTS_DIR") or str(PROMPTS)}


def read_env_file(path: Path) -> LocalSettings:
    """The settings in the file, all checked, or a ConfigError that says what to mend."""
    if not path.is_file():
        raise ConfigError(
            f"{path} does not exist. Copy .env.example to .env and fill it in, or name another file."
        )
    # interpolate=False: a $ in a secret is a $.
    values = {name: value for name, value in dotenv_values(path, interpolate=False).items() if value}
    return checked(values)


def with_kept_signing_key(settings: LocalSettings, env_file: Path) -> LocalSettings:
    """The settings with the signing key of earlier runs, so that a run can take up the jobs of one before it.

    The first run makes the key and keeps it next to the `.env`, for its owner only.
    """
    if settings.values.get("SIGNING_KEY"):
        return settings
    path = env_file.with_name(f"{env_file.name}.signing-key")
    with suppress(FileExistsError), os.fdopen(os.open(path, _NEW_FILE, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    return LocalSettings({**settings.values, "SIGNING_KEY": path.read_text().strip()})


def checked(values: Mapping[str, str]) -> LocalSettings:
    """The settings, or a ConfigError that names every variable that is wrong."""
    settings = LocalSettings(values)
    wanted = (*CREDENTIALS, *MODEL_CREDENTIALS[settings.provider])
    if missing := [name for name in wanted if not values.get(name)]:
        raise ConfigError(f"The configuration cannot be used. Missing: {', '.join(missing)}.")
    PollSettings.read({**_PLACEHOLDERS, **values})
    WorkerSettings.read({**_PLACEHOLDERS, **values})
    PublishSettings.read({**_PLACEHOLDERS, **values})
    TrackSettings.read({**_PLACEHOLDERS, **values})
    _ = settings.poll_interval_s
    return settings


def jira_secret(settings: LocalSettings) -> JiraSecret:
    """The service account's credentials, for a dry run in this process."""
    return parsed_secret(JiraSecret, "alm/jira", settings.secrets()["alm/jira"])


def _positive(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not number > 0:
        raise ConfigError(
            f"The configuration cannot be used. {name}: it must be a number of seconds above 0."
        )
    return number


def _file(path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, ValueError):
        raise ConfigError(
            "The configuration cannot be used. GOOGLE_APPLICATION_CREDENTIALS: the file cannot be read."
        ) from None


def _json(**fields: str) -> str:
    return json.dumps(fields)
