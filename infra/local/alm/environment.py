"""Environments made from nothing: what the command was started with never reaches a function or the agent."""

import os
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Terminal, language and where trusted certificates lie: nothing that could be a credential.
PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "TERM", "TMPDIR", "TZ", "COLUMNS"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
)
REGION = "us-east-1"


def machine_environment() -> dict[str, str]:
    """What a program needs of this machine to run at all."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def aws_environment(endpoint: str) -> dict[str, str]:
    """Everything boto3 looks at, pointed at moto: no profile, no metadata service, made-up keys."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # moto is beside us or gone for good: a worker whose parent was killed must not wait for it.
        "AWS_MAX_ATTEMPTS": "2",
    }


def forget_the_rest(keep: Mapping[str, str]) -> None:
    """Make this process's own environment from nothing, so that no library of ours can find more."""
    os.environ.clear()
    os.environ.update(keep)


def installed_cli() -> Path:
    """The Claude Code CLI where `make setup` puts it."""
    packages = ROOT / ".tools" / "claude" / "node_modules" / "@anthropic-ai"
    found = sorted(packages.glob("claude-code-linux-*/claude"))
    return found[0] if found else packages / "claude"
