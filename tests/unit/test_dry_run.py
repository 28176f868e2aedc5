"""What `alm run --dry-run` says of an issue."""

import pytest
from tests.builders import catalogue, fix_job, issue, job

from alm.run import would
from orchestrator.domain.issue import Claim, Issue, Leave, Resume, decide
from orchestrator.domain.job import PROCESSING_LABEL, RETRY_LABEL, Unfinished

NOW = 2_000_000_000.0


def said(seen: Issue) -> str:
    return would(seen, decide(seen, catalogue(), NOW), catalogue())


def asking(*labels: str, issue_type: str = "Bug", unfinished: Unfinished | None = None) -> Issue:
    return issue(labels=frozenset(labels), issue_type=issue_type, summary="It breaks", unfinished=unfinished)


def test_an_action_that_is_asked_for_would_run() -> None:
    assert said(asking("ai-investigate")) == "DEMO-1  would run investigate  It breaks"


def test_an_action_of_another_issue_type_would_be_rejected() -> None:
    assert "investigate would be rejected: it is not for Story" in said(
        asking("ai-investigate", issue_type="Story")
    )


def test_a_retry_would_run_what_did_not_succeed_again() -> None:
    past = Unfinished(action="fix", job_id="DEMO-1-fix-0123456789ab")
    assert "would run fix again" in said(asking(RETRY_LABEL, unfinished=past))


def test_a_retry_of_nothing_would_only_be_told() -> None:
    assert "would only be told: nothing to retry" in said(asking(RETRY_LABEL))


def test_a_claim_that_nobody_knows_would_only_be_told() -> None:
    assert "would only be told: nothing under way" in said(asking(PROCESSING_LABEL))


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (Resume(fix_job()), f"it carries {PROCESSING_LABEL}, for fix"),
        (Leave("it carries no label of ours any more"), "it carries no label of ours any more"),
    ],
)
def test_an_issue_that_needs_nothing_is_left_alone(decision: Resume | Leave, why: str) -> None:
    assert would(asking(), decision, catalogue()) == f"DEMO-1  left alone: {why}  It breaks"


def test_an_action_that_this_deployment_lacks_would_not_run() -> None:
    unknown = Claim(job(action="unknown"), frozenset())
    assert "would run" not in would(asking(), unknown, catalogue())
