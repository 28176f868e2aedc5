"""What every test with the real CLI needs; a missing tool is a failure with a sentence, never a skip."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.agents import RUNGS

from alm.environment import installed_cli
from orchestrator.adapters.wall.sandbox import Sandbox


@pytest.fixture(autouse=True, scope="session")
def tools_are_installed() -> None:
    missing = [tool for tool in ("bwrap", "socat", "git") if shutil.which(tool) is None]
    assert not missing, f"install {', '.join(missing)}: `make setup` does"
    assert installed_cli().is_file(), "the Claude Code CLI is not in .tools: `make setup` installs it"


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder that the agent's own user can reach, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="alm-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "job" / "workspace"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("hello\n")
    return folder


@pytest.fixture(params=RUNGS)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Each wall in turn; the lower ones need a user of their own for the agent, which only root has to give."""
    if request.param != "bubblewrap" and os.geteuid() != 0:
        pytest.skip("only root has a user of its own to give to an agent")
    return RUNGS[request.param]
