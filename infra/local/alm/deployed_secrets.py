"""`alm secrets push`: the credentials of a `.env` into Secrets Manager. Names are shown, values never."""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from alm import account, shown
from alm.account import aws_answers
from alm.deployment import SECRETS_PREFIX, deployed
from alm.settings import LocalSettings, read_env_file
from orchestrator.errors import ConfigError
from orchestrator.secret_values import AnthropicSecret, GitHubSecret, JiraSecret, VertexSecret, parsed_secret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

FORMS: Mapping[str, type[JiraSecret | GitHubSecret | AnthropicSecret | VertexSecret]] = {
    "alm/jira": JiraSecret,
    "alm/github/read": GitHubSecret,
    "alm/github/write": GitHubSecret,
    "alm/anthropic": AnthropicSecret,
    "alm/vertex": VertexSecret,
}


CREATED = "Created without a stack, whose own secrets have the same names: deploy first, then push."


def push_command(options: argparse.Namespace) -> int:
    """Check everything, then push it and say what was done; the values are never printed."""
    secrets = deployable(read_env_file(options.env_file))
    session = account.session(options.region)
    prefix = deployed(session, options.stack).secrets_prefix if options.stack else SECRETS_PREFIX
    done = dict[str, str]()
    for name, what in push(session.client("secretsmanager"), secrets, prefix):
        done[name] = what
        shown.say(f"{name}  {what}")
    if "created" in done.values() and not options.stack:
        shown.say(CREATED)
    return 0


def deployable(settings: LocalSettings) -> Mapping[str, str]:
    """Secret name to JSON text for a deployment, all checked. With Bedrock the role is the model's credential."""
    write = settings.values["GITHUB_TOKEN"]
    if settings.values.get("GITHUB_READ_TOKEN", "") in {"", write}:
        raise ConfigError(
            "GITHUB_READ_TOKEN has to be a token of its own that can only read: a deployed worker must not be able "
            "to write."
        )
    secrets = {name: text for name, text in settings.secrets().items() if name in FORMS}
    for name, text in secrets.items():
        parsed_secret(FORMS[name], name, text)
    return secrets


def named(prefix: str, name: str) -> str:
    """What a deployment with that prefix calls the secret."""
    return f"{prefix}/{name.partition('/')[2]}"


def push(
    client: "SecretsManagerClient", secrets: Mapping[str, str], prefix: str = SECRETS_PREFIX
) -> Iterator[tuple[str, str]]:
    """Make each secret what it has to be; its name and what was done, as soon as it is done."""
    for name, text in secrets.items():
        full_name = named(prefix, name)
        with aws_answers():
            done = _pushed(client, full_name, text)
        yield full_name, done


def _pushed(client: "SecretsManagerClient", name: str, text: str) -> str:
    try:
        stored = client.get_secret_value(SecretId=name).get("SecretString")
    except ClientError as error:
        return _made(client, name, text, error)
    if _is_same(stored, text):
        return "unchanged"
    client.put_secret_value(SecretId=name, SecretString=text)
    return "updated"


def _made(client: "SecretsManagerClient", name: str, text: str, missing: ClientError) -> str:
    """Create the secret, bring it back from its deletion, or give it its first value."""
    match missing.response["Error"]["Code"], _state(client, name):
        case _, "missing":
            client.create_secret(Name=name, SecretString=text, Description="ALM Orchestrator")
            return "created"
        case _, "deleted":
            client.restore_secret(SecretId=name)
            client.put_secret_value(SecretId=name, SecretString=text)
            return "restored"
        case "ResourceNotFoundException", _:  # it is there and has no value yet
            client.put_secret_value(SecretId=name, SecretString=text)
            return "updated"
        case _:
            raise missing


def _state(client: "SecretsManagerClient", name: str) -> str:
    try:
        described = client.describe_secret(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return "missing"
        raise
    return "deleted" if described.get("DeletedDate") else "there"


def _is_same(stored: str | None, text: str) -> bool:
    try:
        return stored is not None and bool(json.loads(stored) == json.loads(text))
    except ValueError:
        return False
