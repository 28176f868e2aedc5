"""Where the vendors' API documents are: beside the clone, else the ones that npm has. Jira's is not on npm."""

import json
import re
import subprocess
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "contracts"
FETCHED = ROOT / ".tools" / "contracts"
# name of ours: package, version, file in it
ON_NPM = {
    "github.json": ("@octokit/openapi", "23.0.2", "package/generated/api.github.com.json"),
    "adf-v1.json": ("@atlaskit/adf-schema", "57.7.22", "package/dist/json-schema/v1/full.json"),
}
# Of GitHub's thousand paths, those that we may use: the others only take time to load.
USED = re.compile(
    re.escape("/repos/{owner}/{repo}")
    + r"(?:|/git/.+|/compare/.+|/branches/\{branch\}|/issues/\{issue_number\}/comments|/pulls(?:/\{pull_number\})?"
    + r"(?:/files|/reviews|/comments)?)|/user"
)
TIMEOUT_S = 180


@cache
def document(name: str, shared: Path = SHARED, fetched: Path = FETCHED) -> dict[str, Any] | None:
    """The document, None where neither folder nor registry has it; the caller says so and skips."""
    path = shared / name
    if not path.is_file() and name in ON_NPM:
        path = fetched / name
        if not path.is_file() and not _fetch(name, path):
            return None
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else None


def missing(name: str) -> str:
    """The sentence a skipped test says."""
    where = "npm could not deliver it" if name in ON_NPM else "no registry has it"
    return f"{name} is neither in shared/contracts beside this clone, and {where}: nothing can be held against it."


def _fetch(name: str, target: Path) -> bool:
    package, version, member = ON_NPM[name]
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(
                ["npm", "pack", "--silent", "--pack-destination", folder, f"{package}@{version}"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=TIMEOUT_S,
            )
        except (OSError, subprocess.SubprocessError):
            return False
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as packed, packed.extractfile(member) as content:  # type: ignore[union-attr]
            found = json.load(content)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(_used(found)))
    return True


def _used(found: dict[str, Any]) -> dict[str, Any]:
    if "paths" not in found:
        return found
    paths = {path: operations for path, operations in found["paths"].items() if USED.fullmatch(path)}
    return {**found, "paths": paths}
