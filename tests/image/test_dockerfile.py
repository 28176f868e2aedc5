"""The Dockerfile's own words, where no container runs too."""

import re
import subprocess
import sys
from pathlib import Path

from alm.environment import ROOT

DOCKERFILE = ROOT / "infra" / "worker" / "Dockerfile"


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run((hadolint, DOCKERFILE), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_label_names_the_pinned_cli() -> None:
    pinned = re.search(r"^version (\S+)$", (ROOT / "infra" / "claude-code.pin").read_text(), re.MULTILINE)
    labelled = re.search(r"^ARG CLAUDE_CODE_VERSION=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert pinned
    assert labelled
    assert labelled[1] == pinned[1]


def test_uv_is_the_one_that_sets_the_clone_up() -> None:
    version = re.search(r"^UV_VERSION=(\S+)$", (ROOT / "scripts" / "setup").read_text(), re.MULTILINE)
    assert version
    assert f"uv=={version[1]} " in (ROOT / "infra" / "worker" / "uv.txt").read_text()
