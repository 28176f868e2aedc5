"""Commands of `alm` run in this process, on a run of this machine."""

import json
from pathlib import Path

import pytest

from alm import deployment as deployments
from alm.aws import LocalAws
from alm.cli import _parser


def alm(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints; the environment of this process stays."""
    options = _parser().parse_args(arguments)
    assert options.command(options) == 0
    return capsys.readouterr().out


def local_run(tmp_path: Path, aws: LocalAws) -> tuple[str, ...]:
    """The options that name a run on this machine whose file lies there."""
    outputs = {"endpoint": aws.endpoint, "outputs": dict(deployments._local_outputs(aws))}  # noqa: SLF001
    (tmp_path / deployments.RUNTIME_FILE).write_text(json.dumps(outputs))
    return ("--local", "--logs-dir", str(tmp_path))
