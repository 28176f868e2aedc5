"""What every test with the real CLI needs; a missing tool is a failure with a sentence, never a skip."""

import shutil
from pathlib import Path

import pytest

from alm.environment import installed_cli


@pytest.fixture(autouse=True, scope="session")
def tools_are_installed() -> None:
    missing = [tool for tool in ("bwrap", "socat", "git") if shutil.which(tool) is None]
    assert not missing, f"install {', '.join(missing)}: `make setup` does"
    assert installed_cli().is_file(), "the Claude Code CLI is not in .tools: `make setup` installs it"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "README.md").write_text("hello\n")
    return folder
