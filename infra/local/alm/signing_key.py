"""`alm secrets rotate-signing`: a new key signs jobs from now on, and those of before are still accepted."""

import argparse
import json
import secrets
from typing import TYPE_CHECKING

from alm import account, shown
from alm.account import aws_answers
from alm.deployed_secrets import named
from alm.deployment import deployed
from orchestrator.secret_values import SigningSecret, parsed_secret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# A job may be under way for weeks, in dead letters for example: a key counts until three newer ones were replaced.
MOST_PREVIOUS = 3


def rotate_command(options: argparse.Namespace) -> int:
    """Put a new key in front of the deployment's; no key is printed."""
    session = account.session(options.region)
    name = named(deployed(session, options.stack).secrets_prefix, "alm/signing")
    with aws_answers():
        kept = rotate(session.client("secretsmanager"), name)
    shown.say(
        f"{name}  rotated: functions sign with the new key as they start anew, and accept {kept} earlier one(s). "
        "Jobs under way go on."
    )
    return 0


def rotate(client: "SecretsManagerClient", name: str) -> int:
    """Store a new key and the latest earlier ones; how many of those are kept. ConfigError if none can be read."""
    stored = client.get_secret_value(SecretId=name)["SecretString"]
    previous = parsed_secret(SigningSecret, name, stored).keys[:MOST_PREVIOUS]
    value = json.dumps({"current": secrets.token_hex(32), "previous": list(previous)})
    client.put_secret_value(SecretId=name, SecretString=value)
    return len(previous)
