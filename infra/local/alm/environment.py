"""Environments made from nothing: what the command was started with never reaches a function or the agent."""

import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Terminal, language and where trusted certificates lie: nothing that could be a credential.
PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "TERM", "TMPDIR", "TZ", "COLUMNS"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
)
REGION = "us-east-1"
# Root's alone to write, everybody's to read.
CACHE = Path("/var/cache/alm-orchestrator")


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
    """The Claude Code CLI where `make setup` puts it, or a copy where the agent's own user can reach it."""
    packages = ROOT / ".tools" / "claude" / "node_modules" / "@anthropic-ai"
    found = next(iter(sorted(packages.glob("claude-code-linux-*/claude"))), packages / "claude")
    return _reachable(found) if os.geteuid() == 0 and found.is_file() else found


def _reachable(cli: Path) -> Path:
    """The same, or a copy in the system's cache: a clone may lie in a folder that is closed to other users."""
    if all(folder.stat().st_mode & stat.S_IXOTH for folder in cli.parents):
        return cli
    facts = cli.stat()
    copy = CACHE / f"{facts.st_size}-{facts.st_mtime_ns}" / "claude"
    if not copy.is_file():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=copy.parent, delete=False) as half:
            shutil.copyfile(cli, half.name)
        Path(half.name).chmod(0o711)
        Path(half.name).rename(copy)
    return copy
