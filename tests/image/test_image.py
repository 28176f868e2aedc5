"""What is in the worker image, and what is not."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.image.conftest import Inside, Tell

from alm.environment import ROOT

MB = 10**6
# As root: only root reads the CLI's folder whole, and a folder that cannot be entered hides what is in it.
WALK = """
import json, os, stat
found = {"setuid": [], "capable": [], "open": []}
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if not os.path.ismount(os.path.join(folder, name))]
    for path in (os.path.join(folder, name) for name in (*folders, *files)):
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            continue
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            found["setuid"].append(path)
        if stat.S_ISREG(mode) and "security.capability" in os.listxattr(path):
            found["capable"].append(path)
        if mode & stat.S_IWOTH:
            found["open"].append(path)
print(json.dumps(found))
"""
IMPORT_ALL = """
import pkgutil, importlib, orchestrator, run_job.handler
names = [found.name for found in pkgutil.walk_packages(orchestrator.__path__, "orchestrator.")]
for name in names:
    if not name.endswith("wall.confine"):
        importlib.import_module(name)
import awslambdaric
print(len(names))
"""
CALL_ALL = """
import boto3
for service in ("bedrock-runtime", "lambda", "s3", "secretsmanager", "sqs", "sts"):
    boto3.client(service, region_name="eu-central-1")
print("described")
"""


@pytest.fixture(scope="module")
def modes(inside: Inside) -> Mapping[str, list[str]]:
    return dict(json.loads(inside("python", "-c", WALK, user="0")))


def test_it_is_the_cli_and_300_mb_at_most(facts: Mapping[str, Any], inside: Inside, tell: Tell) -> None:
    cli = int(inside("stat", "--format", "%s", "/opt/claude/claude"))
    rest = facts["Size"] - cli
    tell(
        f"worker image: {facts['Size'] / MB:.0f} MB, of it the CLI {cli / MB:.0f} MB, the rest {rest / MB:.0f} MB"
    )
    assert rest <= 300 * MB  # of it 45 MB for the secret scanner: decision 26


def test_no_file_gives_the_one_who_runs_it_more_rights(modes: Mapping[str, list[str]]) -> None:
    assert modes["setuid"] == []
    assert modes["capable"] == []


def test_only_what_lambda_leaves_writable_is_everybodys(modes: Mapping[str, list[str]]) -> None:
    assert modes["open"] == ["/tmp"]


@pytest.mark.parametrize(
    "program",
    ["gcc", "cc", "make", "pip", "pip3", "uv", "npm", "node", "perl", "curl", "wget", "sudo", "ssh"],
)
def test_nothing_that_builds_installs_or_fetches_is_in_it(program: str, inside: Inside) -> None:
    allowed = {"perl": "/usr/bin/perl"}  # of the part of Debian without which no package is removed
    assert inside("sh", "-c", f"command -v {program} || true").strip() in {"", allowed.get(program, "")}


@pytest.mark.parametrize("module", ["pip", "ensurepip", "uv"])
def test_python_installs_nothing(module: str, inside: Inside) -> None:
    found = f"import importlib.util; print(importlib.util.find_spec({module!r}))"
    assert inside("python", "-c", found).strip() == "None"


def test_the_labels_say_which_versions_are_in_it(facts: Mapping[str, Any], inside: Inside) -> None:
    said = {name.rpartition("version.")[2]: value for name, value in facts["Labels"].items()}
    assert inside("bwrap", "--version").strip() == f"bubblewrap {said['bubblewrap']}"
    assert inside("python", "--version").startswith(f"Python {said['python']}.")
    assert inside("env", "HOME=/tmp", "/opt/claude/claude", "--version").split()[0] == said["claude-code"]
    assert said["org.opencontainers.image.licenses"] == "MIT"


def test_the_cli_is_the_pinned_one_and_nobody_but_root_reads_it(inside: Inside) -> None:
    pin = dict(line.split(" ", 1) for line in (ROOT / "infra/claude-code.pin").read_text().splitlines())
    assert inside("cat", "/opt/claude/version").strip() == pin["version"]
    assert inside("stat", "--format", "%U %a", "/opt/claude/claude").strip() == "root 711"


def test_it_runs_as_a_user_who_owns_nothing_but_the_folder_for_jobs(
    facts: Mapping[str, Any], inside: Inside
) -> None:
    assert facts["Config"]["User"] == "10001:10001"
    assert inside("id", "--user").strip() == "10001"
    assert inside("id", "--user", "--name").strip() == "worker"
    owned = inside("find", "/", "-xdev", "-user", "worker", user="0").split()
    assert owned in ([], ["/var/lib/alm"])  # a mount of its own, where podman makes a volume of it
    assert inside("stat", "--format", "%U %a", "/var/lib/alm").strip() == "worker 711"


def test_every_module_of_the_package_finds_what_it_needs(inside: Inside) -> None:
    assert int(inside("python", "-c", IMPORT_ALL)) > 50


def test_every_service_of_aws_that_the_worker_calls_is_described(inside: Inside) -> None:
    assert inside("python", "-c", CALL_ALL).strip() == "described"


def test_the_agents_own_python_has_none_of_our_packages(inside: Inside) -> None:
    found = "import importlib.util; print(importlib.util.find_spec('orchestrator'))"
    assert inside("env", "--ignore-environment", "/usr/bin/python3", "-c", found).strip() == "None"


def test_what_is_compiled_is_what_lies_there(inside: Inside) -> None:
    stale = (
        "import importlib.util, pathlib; "
        "files = list(pathlib.Path('/opt/orchestrator/orchestrator').rglob('*.py')); "
        "print(all(pathlib.Path(importlib.util.cache_from_source(str(f))).read_bytes()[8:16] "
        "== importlib.util.source_hash(f.read_bytes()) for f in files), len(files) > 50)"
    )
    assert inside("python", "-c", stale).split() == ["True", "True"]


def test_nothing_else_of_this_repository_is_in_it(inside: Inside) -> None:
    listed = inside("ls", "-A", "/opt", "/opt/prompts", "/opt/orchestrator/run_job").split()
    assert not {".git", ".env", "tests", "infra", "template.yaml"} & set(listed)
    prompts = {path.name for path in (ROOT / "prompts").iterdir()}
    assert prompts <= set(listed)
