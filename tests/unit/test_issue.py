"""What a poll does about an issue."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.builders import catalogue, fix_job, issue, job

from orchestrator.domain.issue import (
    ORPHAN,
    RETRY,
    Claim,
    Issue,
    Leave,
    Resume,
    claimed_job,
    decide,
    is_claimed_for,
    is_released,
    is_taken_from,
)
from orchestrator.domain.job import PROCESSING_LABEL, RETRY_LABEL, Unfinished, job_id
from orchestrator.domain.outcome import Outcome

MINUTE_S = 60
EDITED_AT = datetime(2026, 11, 22, 10, tzinfo=UTC).timestamp()
UNFINISHED = Unfinished(action="fix", job_id="DEMO-1-fix-0123456789ab")


def _decided(seen: Issue, after_s: float = 0.0) -> Claim | Resume | Leave:
    """That many seconds after the issue's last edit."""
    return decide(seen, catalogue(), EDITED_AT + after_s)


def test_a_label_of_ours_is_claimed() -> None:
    seen = issue(labels=frozenset({"ai-investigate", "customer"}))
    asked = job(job_id=job_id(seen.id, seen.key, "investigate", seen.updated), claimed_at=int(EDITED_AT))
    asked = asked.model_copy(update={"signature": ""})
    assert _decided(seen) == Claim(asked, takes_off=frozenset({"ai-investigate"}))


def test_of_several_labels_the_catalogues_first_is_claimed() -> None:
    decision = _decided(issue(labels=frozenset({"ai-fix", "ai-investigate"})))
    assert isinstance(decision, Claim)
    assert decision.job.label == "ai-investigate"
    assert decision.takes_off == {"ai-investigate"}


@pytest.mark.parametrize("labels", [frozenset(), {"customer"}, {"AI-FIX"}, {"ai-impact"}])
def test_an_issue_without_a_label_of_ours_is_left(labels: set[str]) -> None:
    assert isinstance(_decided(issue(labels=frozenset(labels))), Leave)


def test_a_claimed_issue_is_resumed_whatever_else_it_asks_for() -> None:
    labels = frozenset({PROCESSING_LABEL, "ai-investigate"})
    claimed = issue(labels=labels, claim=fix_job().model_dump(mode="json"))
    assert _decided(claimed) == Resume(fix_job())


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
        {**job().model_dump(), "job_id": "../../other"},
        {**job().model_dump(), "issue_id": "10002"},
        {key: value for key, value in job().model_dump().items() if key != "job_id"},
    ],
)
def test_a_processing_label_without_a_claim_of_ours_is_told_after_five_minutes(claim: Any) -> None:
    """Not before: another poll's claim may be under way. A copied issue carries the claim of its original."""
    labelled = issue(labels=frozenset({PROCESSING_LABEL, "ai-fix"}), claim=claim)
    assert isinstance(_decided(labelled, 4 * MINUTE_S + 59), Leave)
    decision = _decided(labelled, 5 * MINUTE_S)
    assert isinstance(decision, Claim)
    assert (decision.job.action, decision.job.label) == (ORPHAN, PROCESSING_LABEL)
    assert decision.takes_off == frozenset()  # its release takes the label off, when all is told
    assert decision.verdict is not None
    assert (decision.verdict.outcome, decision.verdict.heading) == (Outcome.REJECTED, "NOTHING UNDER WAY")


@pytest.mark.parametrize("version", [3, 99])
def test_a_claim_of_a_newer_release_is_left_to_it_however_old(version: int) -> None:
    newer = {**job().model_dump(), "version": version, "unheard": "of"}
    labelled = issue(labels=frozenset({PROCESSING_LABEL}), claim=newer)
    assert _decided(labelled, 90 * 24 * 3600) == Leave("a newer release of the orchestrator has claimed it")


@pytest.mark.parametrize("version", [True, "2", None, -1, 1])
def test_what_only_looks_like_a_newer_claim_is_told_like_any_other_that_is_not_ours(version: Any) -> None:
    forged = {"version": version, "unheard": "of"}
    labelled = issue(labels=frozenset({PROCESSING_LABEL}), claim=forged)
    assert isinstance(_decided(labelled, 5 * MINUTE_S), Claim)


@pytest.mark.parametrize("updated", ["2026-11-22T10:00:00.000+0000", "2026-11-22T11:30:00.000+0130"])
def test_an_edit_is_as_old_as_jiras_date_says_in_whatever_zone(updated: str) -> None:
    labelled = issue(labels=frozenset({PROCESSING_LABEL}), updated=updated)
    assert isinstance(_decided(labelled, 4 * MINUTE_S + 59), Leave)
    assert isinstance(_decided(labelled, 5 * MINUTE_S), Claim)


@pytest.mark.parametrize("updated", ["", "yesterday", "2026-13-45T10:00:00.000+0000"])
def test_an_issue_that_does_not_say_when_it_was_edited_counts_as_old(updated: str) -> None:
    labelled = issue(labels=frozenset({PROCESSING_LABEL}), updated=updated)
    assert isinstance(_decided(labelled, -1_000_000.0), Claim)


def test_a_retry_repeats_the_last_action_that_did_not_succeed() -> None:
    decision = _decided(issue(labels=frozenset({RETRY_LABEL, "customer"}), unfinished=UNFINISHED))
    assert isinstance(decision, Claim)
    assert (decision.job.action, decision.job.label, decision.verdict) == ("fix", "ai-fix", None)
    assert decision.takes_off == {RETRY_LABEL, "ai-fix"}


def test_a_retry_comes_before_another_label_which_stays_for_the_next_poll() -> None:
    labels = frozenset({RETRY_LABEL, "ai-investigate"})
    decision = _decided(issue(labels=labels, unfinished=UNFINISHED))
    assert isinstance(decision, Claim)
    assert decision.job.action == "fix"
    assert labels - decision.takes_off == {"ai-investigate"}


def test_a_retry_of_the_action_that_is_asked_for_too_is_one_job() -> None:
    decision = _decided(issue(labels=frozenset({RETRY_LABEL, "ai-fix"}), unfinished=UNFINISHED))
    assert isinstance(decision, Claim)
    assert decision.job.action == "fix"
    assert decision.takes_off == {RETRY_LABEL, "ai-fix"}


@pytest.mark.parametrize(
    "past",
    [
        None,
        Unfinished(action="impact", job_id="DEMO-1-impact-0123456789ab"),
        Unfinished(action="fix", job_id="DEMO-2-fix-0123456789ab"),
        Unfinished(action="fix", job_id="DEMO-11-fix-0123456789ab"),
        Unfinished(action="fix", job_id="DEMO-1-investigate-0123456789ab"),
        Unfinished(action=RETRY, job_id="DEMO-1-retry-0123456789ab"),
    ],
    ids=["none", "unknown action", "another issue", "a longer key", "another action", "a retry"],
)
def test_a_retry_of_nothing_of_this_ticket_is_only_told(past: Unfinished | None) -> None:
    decision = _decided(issue(labels=frozenset({RETRY_LABEL}), unfinished=past))
    assert isinstance(decision, Claim)
    assert (decision.job.action, decision.job.label) == (RETRY, RETRY_LABEL)
    assert decision.takes_off == {RETRY_LABEL}
    assert decision.verdict is not None
    assert (decision.verdict.outcome, decision.verdict.heading) == (Outcome.REJECTED, "NOTHING TO RETRY")


def test_beside_a_retry_of_nothing_what_else_is_asked_for_is_done_first() -> None:
    decision = _decided(issue(labels=frozenset({RETRY_LABEL, "ai-investigate"})))
    assert isinstance(decision, Claim)
    assert (decision.job.action, decision.verdict) == ("investigate", None)
    assert decision.takes_off == {"ai-investigate"}


def test_a_retry_of_a_claimed_issue_waits_for_its_end() -> None:
    labels = frozenset({PROCESSING_LABEL, RETRY_LABEL})
    claimed = issue(labels=labels, claim=job().model_dump(mode="json"), unfinished=UNFINISHED)
    assert _decided(claimed) == Resume(job())


@pytest.mark.parametrize("labels", [{PROCESSING_LABEL}, {RETRY_LABEL}])
def test_what_is_only_told_is_told_by_whoever_brings_its_claim_back(labels: set[str]) -> None:
    seen = issue(labels=frozenset(labels))
    claim = _decided(seen, 5 * MINUTE_S)
    assert isinstance(claim, Claim)
    claimed = replace(seen, labels=frozenset({PROCESSING_LABEL}), claim=claim.job.model_dump(mode="json"))
    assert _decided(claimed) == Resume(claim.job, claim.verdict)


@pytest.mark.parametrize(
    ("labels", "claim", "taken"),
    [
        ({PROCESSING_LABEL}, job().model_dump(), False),
        ({PROCESSING_LABEL}, None, False),
        ({"customer"}, job().model_dump(), True),
        (set(), None, True),
        (set(), {}, True),
        (set(), "text", True),
        (set(), {**job().model_dump(), "outcome": "succeeded"}, False),
        (set(), fix_job().model_dump(), False),
    ],
)
def test_a_claim_is_taken_away_once_its_label_is_gone_and_we_did_not_release_it(
    labels: set[str], claim: Any, *, taken: bool
) -> None:
    assert is_taken_from(issue(labels=frozenset(labels), claim=claim), job()) is taken


def test_an_issue_that_is_gone_may_only_be_hidden_from_us_and_cancels_nothing() -> None:
    assert not is_taken_from(None, job())


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


def test_a_claim_is_worth_nothing_on_an_issue_that_it_does_not_name() -> None:
    for moved in (issue(key="OTHER-7"), issue(key="DEMO-2"), issue(id="10002")):
        assert claimed_job(replace(moved, claim=job().model_dump(mode="json"))) is None


def test_an_old_claim_without_the_processing_label_does_not_stop_a_new_one() -> None:
    ended = {**job().model_dump(), "outcome": "succeeded"}
    assert isinstance(_decided(issue(claim=ended)), Claim)
