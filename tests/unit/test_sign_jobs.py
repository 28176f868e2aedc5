"""Signatures of jobs and of what tickets keep of them."""

from dataclasses import replace
from typing import Any

import pytest
from tests.builders import CLAIMED_AT, SIGNER, issue, job, unsigned
from tests.fakes.clock import FakeClock
from tests.fakes.signing import FixedKeys

from orchestrator.domain.issue import Left
from orchestrator.domain.job import PastResult, Unfinished
from orchestrator.domain.signature import VALID_S
from orchestrator.usecases.sign_jobs import SignJobs

OLD, NEW = "o" * 32, "n" * 32
KEPT = Left(
    {"investigate": PastResult(job_id="DEMO-1-investigate-1", comment_id="7")},
    Unfinished(action="fix", job_id="DEMO-1-fix-1"),
)


@pytest.mark.parametrize(
    "changed",
    [
        {"job_id": "DEMO-1-investigate-another"},
        {"issue_id": "10002"},
        {"issue_key": "DEMO-2"},
        {"issue_key": "OTHER-1"},
        {"action": "fix"},
        {"label": "ai-fix"},
        {"claimed_at": CLAIMED_AT + 1},
        {"signature": ""},
        {"signature": "0" * 64},
    ],
    ids=str,
)
def test_a_job_is_genuine_only_as_it_was_signed(changed: dict[str, Any]) -> None:
    assert SIGNER.is_genuine(job())
    assert not SIGNER.is_genuine(job().model_copy(update=changed))


def test_a_job_of_another_project_is_not_genuine_even_if_it_is_signed() -> None:
    assert not SIGNER.is_genuine(job(issue_key="OTHER-1"))


def test_a_signature_ends_before_the_record_that_stops_its_replay() -> None:
    clock = FakeClock()
    signer = replace(SIGNER, clock=clock)
    claimed = signer.sign(job(claimed_at=int(clock.now)))
    clock.now += VALID_S - 1
    assert signer.is_genuine(claimed)
    clock.now += 2
    assert not signer.is_genuine(claimed)


def test_a_key_that_was_in_use_before_still_counts() -> None:
    before = SignJobs("DEMO", FixedKeys(OLD), FakeClock())
    after = SignJobs("DEMO", FixedKeys(NEW, OLD), FakeClock())
    assert after.is_genuine(before.sign(job()))
    assert not before.is_genuine(after.sign(job()))


def test_a_rotated_key_is_found_by_reading_the_keys_again() -> None:
    keys = FixedKeys(OLD, rotated=(NEW, OLD))
    rotated = SignJobs("DEMO", FixedKeys(NEW, OLD), FakeClock()).sign(job())
    assert SignJobs("DEMO", keys, FakeClock()).is_genuine(rotated)
    assert keys.fetches == 1


def test_what_a_ticket_keeps_counts_on_that_ticket_only() -> None:
    kept = issue(latest=KEPT.latest, unfinished=KEPT.unfinished)
    here = SIGNER.vouch(kept)
    assert here is not None
    assert (here.latest, here.unfinished) == (kept.latest, kept.unfinished)
    for elsewhere in (replace(kept, id="10002"), unsigned(kept)):
        found = SIGNER.vouch(elsewhere)
        assert found is not None
        assert (found.latest, found.unfinished) == ({}, None)


def test_a_latest_result_does_not_count_for_another_action_or_comment() -> None:
    kept = issue(latest=KEPT.latest)
    past = kept.latest["investigate"]
    for latest in ({"impact": past}, {"investigate": past.model_copy(update={"comment_id": "8"})}):
        found = SIGNER.vouch(replace(kept, latest=latest))
        assert found is not None
        assert found.latest == {}


def test_an_issue_of_another_project_is_not_seen() -> None:
    assert SIGNER.vouch(issue(key="OTHER-1")) is None


def test_a_signature_of_one_purpose_is_worth_nothing_for_another() -> None:
    signed = SIGNER.signed(job(), KEPT)
    assert signed.unfinished is not None
    latest = {
        "investigate": KEPT.latest["investigate"].model_copy(
            update={"signature": signed.unfinished.signature}
        )
    }
    found = SIGNER.vouch(replace(issue(), latest=latest))
    assert found is not None
    assert found.latest == {}
