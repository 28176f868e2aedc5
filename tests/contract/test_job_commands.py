"""What people see of a deployment's jobs and do to them, against moto."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.alm_commands import alm, local_run
from tests.contract.deployed import SESSION, a_job, a_stack, ended, put, queued, store

from alm import deployment as deployments
from alm import jobs
from alm.aws import LocalAws
from alm.cli import _parser
from alm.deployment import Deployment
from orchestrator.domain.agent import Denial, Source
from orchestrator.domain.changeset import Changeset, FileChange, FileMode
from orchestrator.domain.job import JobState
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.domain.wall import Answer, Probe, Rung
from orchestrator.errors import ConfigError, NotFoundError

ESCAPE = "\x1b[31m[bold]red\u202e"


@pytest.fixture
def where(aws: LocalAws) -> Iterator[Deployment]:
    with a_stack(aws) as (_, found):
        yield found


def test_a_stack_is_found_by_its_outputs(aws: LocalAws) -> None:
    with a_stack(aws) as (name, found):
        assert found.bucket == f"{name}-artifacts"
        assert set(found.outputs) == set(deployments.OUTPUTS)


def test_a_stack_of_others_is_refused_with_the_outputs_it_lacks(aws: LocalAws) -> None:
    client = SESSION.client("cloudformation", endpoint_url=aws.endpoint)
    body = {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}
    client.create_stack(StackName="somebody-elses", TemplateBody=json.dumps(body))
    with pytest.raises(ConfigError, match="lacks these outputs of ours: JobsTableName"):
        deployments.deployed(SESSION, "somebody-elses", aws.endpoint)


def test_a_stack_that_is_not_there_is_a_sentence(aws: LocalAws) -> None:
    with pytest.raises(ConfigError, match="AWS refused DescribeStacks"):
        deployments.deployed(SESSION, "nowhere", aws.endpoint)


def test_a_local_run_is_found_by_its_file_while_it_runs(tmp_path: Path, aws: LocalAws) -> None:
    with deployments.announced(tmp_path, aws):
        assert (tmp_path / deployments.RUNTIME_FILE).stat().st_mode & 0o077 == 0
        assert deployments.local(tmp_path).outputs["JobQueueUrl"] == aws.job_queue
    with pytest.raises(ConfigError, match="No `alm run` is at work"):
        deployments.local(tmp_path)


@pytest.mark.parametrize("endpoint", ["http://192.0.2.1:80", "http://127.0.0.1:80@192.0.2.1/", "file:///x"])
def test_a_runtime_file_cannot_lead_to_another_machine(tmp_path: Path, aws: LocalAws, endpoint: str) -> None:
    local_run(tmp_path, aws)
    path = tmp_path / deployments.RUNTIME_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "endpoint": endpoint}))
    with pytest.raises(ConfigError, match="not on this machine"):
        deployments.local(tmp_path)


def test_jobs_are_listed_and_chosen_by_issue(where: Deployment) -> None:
    first, second = queued(where, a_job("DEMO-1")), ended(where, a_job("DEMO-2"))
    assert {job.job_id for job in jobs.listed(where).jobs} == {first.job_id, second.job_id}
    (only,) = jobs.listed(where, "DEMO-2").jobs
    assert (only.job_id, only.state, only.outcome, only.cost_usd) == (
        second.job_id,
        JobState.ENDED,
        "failed",
        0.5,
    )


def test_every_page_of_the_table_is_listed(where: Deployment) -> None:
    # A page of DynamoDB ends after 1 MB: four records of 400 kB do not fit into one.
    for _ in range(4):
        where.table.put_item(Item={"job_id": a_job().job_id, "state": "ended", "filler": "x" * 390_000})
    assert len(jobs.listed(where).jobs) == 4


def test_a_record_that_cannot_be_read_does_not_hide_the_others(where: Deployment) -> None:
    queued(where, a_job())
    where.table.put_item(Item={"job_id": "odd", "state": "dancing"})
    listing = jobs.listed(where)
    assert (len(listing.jobs), listing.unreadable) == (1, 1)


def test_an_unknown_job_is_a_sentence(where: Deployment) -> None:
    with pytest.raises(NotFoundError, match="There is no job DEMO-9-fix-0"):
        jobs.detail(where, "DEMO-9-fix-0")


def test_show_tells_result_denials_walls_changes_and_places(
    where: Deployment, aws: LocalAws, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    local = deployments.local(Path(local_run(tmp_path, aws)[-1]))
    job = ended(local, a_job(f"DEMO-{len(where.bucket)}"))
    store(local).walls_tried(
        job, (Probe(rung=Rung.BUBBLEWRAP, answer=Answer.DENIED, reason="no namespaces"),)
    )
    result = JobResult(
        verdict=Verdict(outcome=Outcome.FAILED, reason="It was not to be."),
        text="What the agent said.",
        cost_usd=0.25,
        denials=(Denial(tool="Bash", source=Source.KERNEL, target="/etc/shadow"),),
        branch="fix-DEMO-1",
        changeset=Changeset(
            base_sha="0", changes=(FileChange.written("a.py", FileMode.REGULAR, b"secret body"),)
        ),
    )
    put(local, job, result)
    printed = alm(capsys, "show", job.job_id, "--local", "--logs-dir", str(tmp_path))
    for part in (
        "It was not to be.",
        "$0.25",
        "/etc/shadow",
        "no namespaces",
        "a.py",
        f"/{job.job_id}/result.json",
    ):
        assert part in printed
    assert "transcript" not in printed
    told = json.loads(alm(capsys, "show", job.job_id, "--local", "--logs-dir", str(tmp_path), "--json"))
    assert told["result"]["changeset"] == {"paths": ["a.py"], "blocked": []}
    assert told["record"]["probes"][0]["reason"] == "no namespaces"


def test_text_of_tickets_and_agents_is_shown_inert(
    aws: LocalAws, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = local_run(tmp_path, aws)
    local = deployments.local(tmp_path)
    job = ended(local, a_job("DEMO-77"))
    put(local, job, JobResult(verdict=Verdict(outcome=Outcome.FAILED, reason=ESCAPE), text=ESCAPE))
    for more in ((), ("--json",)):
        printed = alm(capsys, "show", job.job_id, *options, *more)
        assert "\x1b" not in printed
        assert "\u202e" not in printed
        assert "[bold]red" in printed


def test_the_list_is_a_table_for_people_and_json_for_scripts(
    aws: LocalAws, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = local_run(tmp_path, aws)
    job = ended(deployments.local(tmp_path), a_job("DEMO-78"))
    (line,) = [
        row for row in alm(capsys, "jobs", "--issue", "DEMO-78", *options).splitlines() if "DEMO-78" in row
    ]
    assert line.split()[:4] == [job.job_id, "ended", "failed", "$0.50"]
    (told,) = json.loads(alm(capsys, "jobs", "--issue", "DEMO-78", *options, "--json"))
    assert (told["job_id"], told["outcome"]) == (job.job_id, "failed")


def a_draft(aws: LocalAws, tmp_path: Path, issue: str, diff: str) -> tuple[str, ...]:
    """The command that prints a draft with that diff."""
    options = local_run(tmp_path, aws)
    local = deployments.local(tmp_path)
    job = ended(local, a_job(issue))
    change = FileChange.written("a.py", FileMode.REGULAR, b"body")
    kept = Changeset(base_sha="0", changes=(change,), diff=diff)
    put(local, job, JobResult(verdict=Verdict(outcome=Outcome.TIMED_OUT), changeset=kept, draft=True))
    return ("show", job.job_id, *options, "--diff")


DIFF = "diff --git a/a.py b/a.py\n+\x1b[31m\u202e\ttab\r\n+[bold]é"


def test_a_diff_is_printed_as_the_bytes_it_is(
    aws: LocalAws, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    options = _parser().parse_args(a_draft(aws, tmp_path, "DEMO-93", DIFF))
    assert options.command(options) == 0
    assert capsysbinary.readouterr().out == DIFF.encode()


def test_a_diff_does_nothing_to_the_terminal_it_is_shown_on(
    aws: LocalAws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = a_draft(aws, tmp_path, "DEMO-94", DIFF)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    printed = alm(capsys, *command)
    assert "\x1b[31m" not in printed
    assert "\u202e" not in printed
    assert "[bold]é" in printed
