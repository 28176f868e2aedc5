"""Jobs: ids that stay the same, and values that travel."""

from typing import Any

import pytest
from pydantic import ValidationError
from tests.builders import brief, fix_job, job
from tests.fakes.queue import LEGAL_ID

from orchestrator.domain.job import (
    Brief,
    Job,
    JobRecord,
    JobState,
    brief_key,
    job_id,
    result_key,
    transcript_key,
)

CLAIM = ("10001", "DEMO-1", "fix", "2026-11-22T10:00:00.000+0000")


def test_the_same_claim_has_the_same_id() -> None:
    assert job_id(*CLAIM) == job_id(*CLAIM) == "DEMO-1-fix-27cdbf28fb1f"


@pytest.mark.parametrize("position", [0, 1, 2, 3])
def test_another_issue_action_or_edit_has_another_id(position: int) -> None:
    other = list(CLAIM)
    other[position] += "1"
    assert job_id(*other) != job_id(*CLAIM)


def test_the_longest_id_that_jira_cloud_can_cause_is_legal_in_sqs_and_as_a_job() -> None:
    # Jira Cloud: project keys of at most ten characters; an action's name has at most 40.
    identity = job_id("9" * 20, f"{'A' * 10}-{'9' * 10}", "x" * 40, CLAIM[3])
    assert len(identity) <= 128
    assert LEGAL_ID.fullmatch(identity)
    assert job(job_id=identity).job_id == identity


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("job_id", ""),
        ("job_id", "../other"),
        ("job_id", "a b"),
        ("job_id", "x" * 129),
        ("issue_key", "DEMO 1"),
        ("action", "Fix`"),
        ("label", "two words"),
        ("version", 3),
        ("outcome", "succeeded"),
    ],
)
def test_a_job_with_a_value_that_cannot_be_ours_is_none(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        job(**{field: value})


@pytest.mark.parametrize(
    ("known", "expected"),
    [({}, 0.0), ({"cost_usd": 0.5}, 0.5), ({"cost_usd": 0.5, "costs": {"run_a": 3.0, "run_b": 0.5}}, 3.5)],
)
def test_a_record_adds_up_what_all_its_runs_cost(known: dict[str, Any], expected: float) -> None:
    assert JobRecord(job_id="x", state=JobState.ENDED, **known).spent_usd == expected


def test_a_job_survives_its_message() -> None:
    assert Job.model_validate_json(fix_job().model_dump_json()) == fix_job()


def test_every_log_line_about_a_job_names_it() -> None:
    assert job().log_fields() == {
        "job_id": "DEMO-1-investigate-0123456789ab",
        "issue_key": "DEMO-1",
        "action": "investigate",
    }


def test_what_belongs_to_a_job_lies_together() -> None:
    folder = f"jobs/{job().job_id}/"
    assert brief_key(job()) == folder + "brief.json"
    assert result_key(job().job_id) == folder + "result.json"
    assert transcript_key(job()) == folder + "transcript.jsonl"


def test_a_brief_can_be_stored_whatever_the_ticket_says() -> None:
    stored = brief(summary="a\ud83d", description="\udc00").model_dump_json()
    read = Brief.model_validate_json(stored)
    assert (read.summary, read.description) == ("a?", "?")
