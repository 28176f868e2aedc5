"""docs/deploy.md, followed literally as far as moto goes; what it and docs/operations.md say, held to the code."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from tests.contract.deployed import SESSION, a_job, a_stack, store
from tests.contract.doctor_jira import teach
from tests.e2e.alm_command import KEY, World

from alm.account import VARIABLES
from alm.aws import LocalAws
from alm.cli import _parser
from alm.deployed_secrets import FORMS
from alm.environment import ROOT
from alm.standins.model import Turn
from orchestrator.bootstrap import catalogue
from orchestrator.domain.job import Job

DEPLOY, OPERATIONS = ((ROOT / "docs" / name).read_text() for name in ("deploy.md", "operations.md"))
BLOCK = re.compile(r"^```(\S[^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
STACK = "alm-orchestrator"
ELSEWHERE = ("aws", "docker", "git", "make", "export", "registry=$(aws")


def shell(folder: Path, aws: LocalAws) -> dict[str, str]:
    """A person's shell: a profile that leads to moto, and a variable that would lead elsewhere."""
    config = folder / "aws-config"
    config.write_text(f"[default]\nregion = us-east-1\nendpoint_url = {aws.endpoint}\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }


def deploy(aws: LocalAws) -> Job:
    """What `sam deploy` leaves as far as `alm` looks at it, and a job that a poll has queued since."""
    manager = SESSION.client("secretsmanager", endpoint_url=aws.endpoint)
    for name in sorted(set(FORMS) - {"alm/vertex"}):
        manager.create_secret(Name=name)
    job = a_job("DEMO-1", "investigate")
    with a_stack(aws, STACK) as (_, deployment):
        store(deployment).create(job, None)
    return job


def follow(world: World, aws: LocalAws) -> tuple[str, Job | None]:
    """Every block in turn: what was printed, and the job that was queued."""
    printed, job = "", None
    environment = shell(world.folder, aws)
    for info, commands in BLOCK.findall(DEPLOY):
        if info == "sh":
            printed += run(world.folder, commands, environment)
        if "sam deploy" in commands:
            job = deploy(aws)
        if "cp .env.example .env" in commands:
            world.write_env({})
    return printed, job


def run(folder: Path, commands: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def test_the_guide_leads_from_an_empty_file_to_a_job_that_is_shown(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / ".env.example").write_text((ROOT / ".env.example").read_text())
    with World.around(tmp_path, lambda _: Turn(text="yes")) as world, LocalAws({}) as aws:
        (tmp_path / ".env").unlink()
        teach(world.jira)
        world.jira.create_issue("Bug", "One")
        printed, job = follow(world, aws)
        secrets = (KEY, world.jira.settings.client_secret, world.github.settings.write_token, "made-up")
    assert job is not None
    assert printed.count(job.job_id) == 2
    assert sum(f"{name}  updated" in printed for name in FORMS) == 4
    assert "agents here run behind" in printed
    for secret in secrets:
        assert secret not in printed


def test_a_deployment_that_has_a_fault_ends_the_doctor_with_1(tmp_path: Path) -> None:
    with World.around(tmp_path, lambda _: Turn(status=401)) as world, LocalAws({}) as aws:
        done = subprocess.run(
            [str(ROOT / ".venv" / "bin" / "alm"), "doctor", "--stack", "nowhere", "--json"],
            cwd=world.folder,
            env=shell(tmp_path, aws),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    assert '"stack"' in done.stdout
    assert "answered 401" in done.stdout


def test_it_has_at_most_ten_steps() -> None:
    numbers = re.findall(r"^## (\d+)\.", DEPLOY, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert len(numbers) <= 10


@pytest.mark.parametrize("page", [DEPLOY, OPERATIONS], ids=["deploy", "operations"])
def test_every_command_is_one_that_exists(page: str) -> None:
    for _, commands in BLOCK.findall(page):
        for line in commands.splitlines():
            program, *arguments = line.split()
            if program == ".venv/bin/alm":
                assert _parser().parse_args(arguments)
            else:
                assert program in {*ELSEWHERE, ".venv/bin/sam", "cp", "chmod"}, line


def test_the_variables_it_names_are_the_ones_that_are_read() -> None:
    told = re.search(r"by these variables alone: (.*?)\. `AWS_ENDPOINT_URL`", DEPLOY, re.DOTALL)
    assert told is not None
    named = set(re.findall(r"`([A-Z_]+)`", told[1]))
    assert named <= set(VARIABLES)
    grouped = {name for name in VARIABLES if "ROLE" in name or "WEB" in name or "CONTAINER" in name}
    assert set(VARIABLES) - named - grouped == {"AWS_EC2_METADATA_DISABLED"}


def test_every_alarm_has_its_row_in_the_runbook() -> None:
    alarms = re.findall(
        r"AlarmName: !Sub \$\{Deployment\} (.+)", (ROOT / "infra" / "alarms.yaml").read_text()
    )
    rows = re.findall(
        r"^\| ([a-z ]+) \| ", OPERATIONS.partition("## Alarms")[2].partition("\n## ")[0], re.MULTILINE
    )
    assert alarms
    assert set(rows) - {"alarm"} == set(alarms)


def test_the_idle_bill_adds_up_and_is_below_five_dollars() -> None:
    table = OPERATIONS.partition("| idle, a month")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    *rows, last = [(row[0], float(row[2]), float(row[3])) for row in cells]
    assert last == ("Sum", round(sum(row[1] for row in rows), 2), round(sum(row[2] for row in rows), 2))
    assert last[2] < 5


def test_the_budgets_are_the_actions_own() -> None:
    told = dict(re.findall(r"^\| `([a-z_]+)` \| \$([\d.]+) \|$", OPERATIONS, re.MULTILINE))
    assert told == {action.name: f"{action.budget_usd:.2f}" for action in catalogue(ROOT / "prompts").actions}
