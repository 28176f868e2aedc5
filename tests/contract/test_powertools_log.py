"""The log and the metrics as CloudWatch reads them: one JSON line each."""

import json
from enum import StrEnum
from typing import Any

import pytest

from orchestrator.adapters.powertools_log import PowertoolsEvents


class _Kind(StrEnum):
    FAILED = "failed"


def _line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    return dict(json.loads(line))


@pytest.mark.parametrize(
    ("name", "unit"),
    [("PermissionDenials", "Count"), ("CostUsd", "None"), ("JobSeconds", "Seconds")],
)
def test_a_metric_is_in_our_namespace_by_its_dimensions_only(
    capsys: pytest.CaptureFixture[str], name: str, unit: str
) -> None:
    PowertoolsEvents("run_job").metric(name, 2, action="fix")
    line = _line(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("ALMOrchestrator", [["action"]])
    assert directive["Metrics"] == [{"Name": name, "Unit": unit}]
    assert (line[name], line["action"], line["service"]) == ([2.0], "fix", "run_job")


def test_metrics_do_not_share_dimensions(capsys: pytest.CaptureFixture[str]) -> None:
    events = PowertoolsEvents("run_job")
    events.metric("Jobs", 1, action="fix", outcome=_Kind.FAILED)
    assert _line(capsys)["outcome"] == "failed"
    events.metric("PermissionDenials", 0, action="fix")
    assert "outcome" not in _line(capsys)


def test_what_always_stands_in_a_line_stands_in_every_one(capsys: pytest.CaptureFixture[str]) -> None:
    events = PowertoolsEvents("always", sandbox_floor="vm-boundary")
    events.info("job.taken", job_id="x")
    assert _line(capsys)["sandbox_floor"] == "vm-boundary"
    events.warning("permission.denied")
    assert _line(capsys)["sandbox_floor"] == "vm-boundary"


@pytest.mark.parametrize("name", ["PollErrors", "TasksLaunched", "JiraRequests", "OldestJobSeconds"])
def test_a_metric_without_dimensions_is_one_number_for_all(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "elsewhere")
    PowertoolsEvents("poll_jira").metric(name, 0)
    line = _line(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [[]]
    assert (line[name], line["service"]) == ([0.0], "poll_jira")
