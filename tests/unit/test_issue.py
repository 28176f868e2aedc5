"""What a poll does about an issue."""

from typing import Any

import pytest
from tests.builders import action, catalogue, fix_job, issue, job

from orchestrator.domain.issue import (
    Claim,
    Leave,
    Resume,
    claimed_job,
    decide,
    is_claimed_for,
    is_released,
)
from orchestrator.domain.job import PROCESSING_LABEL, job_id


def test_a_label_of_ours_is_claimed() -> None:
    seen = issue(labels=frozenset({"ai-investigate", "customer"}))
    decision = decide(seen, catalogue())
    assert isinstance(decision, Claim)
    assert decision.action == action()
    assert decision.job == job(job_id=job_id(seen.id, seen.key, "investigate", seen.updated))


def test_of_several_labels_the_catalogues_first_is_claimed() -> None:
    decision = decide(issue(labels=frozenset({"ai-fix", "ai-investigate"})), catalogue())
    assert isinstance(decision, Claim)
    assert decision.job.label == "ai-investigate"


@pytest.mark.parametrize("labels", [frozenset(), {"customer"}, {"AI-FIX"}, {"ai-impact"}])
def test_an_issue_without_a_label_of_ours_is_left(labels: set[str]) -> None:
    assert isinstance(decide(issue(labels=frozenset(labels)), catalogue()), Leave)


def test_a_claimed_issue_is_resumed_whatever_else_it_asks_for() -> None:
    labels = frozenset({PROCESSING_LABEL, "ai-investigate"})
    claimed = issue(labels=labels, claim=fix_job().model_dump(mode="json"))
    assert decide(claimed, catalogue()) == Resume(fix_job())


@pytest.mark.parametrize(
    "claim",
    [
        None,
        {},
        {"hello": "world"},
        "text",
        [1],
        7,
        {**job().model_dump(), "outcome": "succeeded"},
        {**job().model_dump(), "version": 2},
        {**job().model_dump(), "job_id": "../../other"},
        {**job().model_dump(), "issue_id": "10002"},
        {key: value for key, value in job().model_dump().items() if key != "job_id"},
    ],
)
def test_a_claim_that_is_not_ours_for_this_issue_is_left_alone(claim: Any) -> None:
    labelled = issue(labels=frozenset({PROCESSING_LABEL, "ai-fix"}), claim=claim)
    assert isinstance(decide(labelled, catalogue()), Leave)


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (None, False),
        ({}, False),
        ("outcome", False),
        (job().model_dump(), False),
        ({**job().model_dump(), "outcome": "succeeded"}, True),
        (fix_job().model_dump(), True),
    ],
)
def test_a_job_is_released_once_its_claim_has_an_outcome_or_is_anothers(claim: Any, expected: bool) -> None:
    assert is_released(issue(claim=claim), job()) is expected


@pytest.mark.parametrize(
    ("label", "claim", "expected"),
    [
        (PROCESSING_LABEL, job().model_dump(), True),
        ("customer", job().model_dump(), False),
        (PROCESSING_LABEL, fix_job().model_dump(), False),
        (PROCESSING_LABEL, None, False),
    ],
)
def test_an_issue_is_claimed_for_a_job_by_label_and_claim_together(
    label: str, claim: Any, expected: bool
) -> None:
    assert is_claimed_for(issue(labels=frozenset({label}), claim=claim), job()) is expected


def test_a_claim_stays_good_when_the_issue_moves_to_another_project() -> None:
    moved = issue(key="OTHER-7", claim=job().model_dump(mode="json"))
    assert claimed_job(moved) == job()


def test_an_old_claim_without_the_processing_label_does_not_stop_a_new_one() -> None:
    ended = {**job().model_dump(), "outcome": "succeeded"}
    assert isinstance(decide(issue(claim=ended), catalogue()), Claim)
