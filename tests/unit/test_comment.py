"""What people read on the ticket at the end of a job."""

import pytest
from tests.builders import (
    action,
    code_review,
    denial,
    finding,
    fix,
    fix_job,
    fix_result,
    job,
    job_result,
    review_job,
    review_result,
    verdict,
)

from orchestrator.domain.changeset import Changeset, FileChange, FileMode
from orchestrator.domain.comment import body, duration, footer, pull_request_body, result_comment
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.domain.wall import Rung

LAST_LINE = "*claude-test-1 · 4 turns · $0.25 · 1 min 1 s · job DEMO-1-investigate-0123456789ab*"


def _ended(outcome: Outcome, **changes: object) -> JobResult:
    return job_result(verdict=verdict(outcome, "The reason."), **changes)


def test_a_success_is_header_report_and_footer() -> None:
    assert result_comment(action(), job(), job_result()) == (
        "## INVESTIGATION RESULTS\n\n"
        "### Summary\n\nIt is the cart.\n\n"
        "### Why\n\nA `>` too much.\n\n"
        "**Confidence:** high\n\n"
        f"{LAST_LINE}"
    )


def test_a_pull_request_is_linked_right_below_the_header() -> None:
    told = result_comment(fix(), fix_job(), fix_result(), "https://github.example/o/r/pull/1")
    assert told.startswith(
        "## FIX CREATED\n\n**Pull request:** <https://github.example/o/r/pull/1>\n\n### Summary"
    )


@pytest.mark.parametrize(
    ("outcome", "header"),
    [
        (Outcome.NO_CHANGE, "ACTION FAILED: no change"),
        (Outcome.DECLINED, "INVALID TICKET"),
        (Outcome.REJECTED, "ACTION FAILED: rejected"),
        (Outcome.BLOCKED, "ACTION FAILED: blocked"),
        (Outcome.REFUSED, "ACTION FAILED: refused"),
        (Outcome.CANCELLED, "ACTION FAILED: cancelled"),
        (Outcome.TIMED_OUT, "ACTION FAILED: timed out"),
        (Outcome.FAILED, "ACTION FAILED"),
    ],
)
def test_everything_but_success_is_header_and_reason(outcome: Outcome, header: str) -> None:
    told = result_comment(action(), job(), _ended(outcome), "https://github.example/o/r/pull/1")
    assert told.startswith(f"## {header}\n\nThe reason.\n\n")
    assert "INVESTIGATION RESULTS" not in told
    assert "pull/1" not in told


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.NO_CHANGE, True),
        (Outcome.FAILED, True),
        (Outcome.BLOCKED, True),
        (Outcome.DECLINED, False),
        (Outcome.REJECTED, False),
        (Outcome.REFUSED, False),
        (Outcome.CANCELLED, False),
        (Outcome.TIMED_OUT, False),
    ],
)
def test_what_the_agent_said_is_kept_where_it_helps(outcome: Outcome, said: bool) -> None:
    told = result_comment(action(), job(), _ended(outcome))
    assert ("What the agent said:\n\n### Summary\n\nIt is the cart." in told) is said


def test_a_success_without_a_report_is_told_as_it_was_written_and_says_so() -> None:
    told = result_comment(action(), job(), job_result(report=None, text="It is the cart."))
    note = "*The agent did not give its answer in the form it was asked for; here it is as it was written.*"
    assert told.startswith(f"## INVESTIGATION RESULTS\n\n{note}\n\nIt is the cart.\n\n")


def test_a_review_is_told_by_what_it_comes_to_and_its_findings_are_only_counted() -> None:
    found = (finding(), finding(title="A second one"), finding(title="A nit", severity="low"), {"path": 1})
    told = result_comment(code_review(), review_job(), review_result(*found), "https://github.example/r")
    assert told.startswith("## CODE REVIEW\n\n**Review:** <https://github.example/r>\n\n**Verdict:** comment")
    assert "**Findings:** 2 high, 1 low" in told
    assert "Off by one" not in told


def test_a_person_is_told_how_to_try_again() -> None:
    again = (
        "Put the label `ai-investigate` on the ticket again to run it once more, or `ai-retry` to repeat the last "
        "action that did not succeed"
    )
    assert f"\n\n{again}.\n\n" in result_comment(action(), job(), _ended(Outcome.FAILED))
    assert f"{again}, after saying" in result_comment(action(), job(), _ended(Outcome.DECLINED))
    assert f"\n\n{again}.\n\n" in result_comment(action(), job(), _ended(Outcome.REJECTED))


def test_a_verdict_with_a_heading_of_its_own_is_told_below_it_and_asks_for_no_other_try() -> None:
    wrong = Verdict(outcome=Outcome.REJECTED, reason="It is for bugs.", heading="INVALID ISSUE TYPE")
    told = result_comment(action(), job(), job_result(verdict=wrong))
    assert told.startswith("## INVALID ISSUE TYPE\n\nIt is for bugs.\n\n")
    assert "ai-investigate" not in told


def test_denials_are_counted_and_their_targets_kept_private() -> None:
    denials = (denial(), denial(), denial(tool="Read", target="/workspace/.env"))
    told = result_comment(action(), job(), job_result(denials=denials))
    assert "The agent was denied 3 of the things it tried (Bash, Read)." in told
    assert ".env" not in told
    assert "curl" not in told


def test_an_action_this_deployment_does_not_have_is_told_all_the_same() -> None:
    told = result_comment(None, job(), JobResult(verdict=verdict(Outcome.FAILED, "No such action.")))
    assert told.startswith("## ACTION FAILED\n\nNo such action.")
    assert told.endswith("*Job DEMO-1-investigate-0123456789ab*")


def test_a_success_of_an_action_that_is_gone_is_no_success() -> None:
    assert result_comment(None, job(), job_result(text="Done")).startswith("## ACTION FAILED")


def test_what_cannot_be_seen_is_written_out_in_a_comment() -> None:
    told = result_comment(action(), job(), job_result(report=None, text="a\u202eb\x00c\U000e0041"))
    assert "a<U+202E>b<U+0000>c<U+E0041>" in told


def test_without_a_report_the_body_is_the_last_word() -> None:
    assert body(action(), job_result(report=None, text="Words")) == "Words"
    assert body(action(), job_result(report={"other": 1}, text="Words")) == "Words"
    assert body(None, job_result(text="Words")) == "Words"


def test_a_cost_nobody_told_is_unknown_and_not_free() -> None:
    assert "4 turns · cost unknown · 1 min" in footer(job(), job_result(cost_usd=None))
    assert "4 turns · $0.00 · 1 min" in footer(job(), job_result(cost_usd=0.0))


def test_one_turn_is_singular() -> None:
    assert " · 1 turn · " in footer(job(), job_result(turns=1))


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(0, "0 s"), (499, "0 s"), (59_400, "59 s"), (59_600, "1 min 0 s"), (3_725_000, "62 min 5 s")],
)
def test_a_duration_is_said_as_people_say_it(milliseconds: int, said: str) -> None:
    assert duration(milliseconds) == said


def test_that_the_wall_had_no_network_is_told_where_the_action_wanted_one() -> None:
    wanting = action(network=("registry.example.org",))
    told = result_comment(wanting, job(), job_result(sandbox=Rung.SECCOMP))
    assert "could not reach `registry.example.org`" in told
    assert "seccomp" in told
    for of, rung in ((wanting, Rung.BUBBLEWRAP), (action(), Rung.SECCOMP)):
        assert "could not reach" not in result_comment(of, job(), job_result(sandbox=rung))


def test_that_there_was_no_wall_is_told() -> None:
    told = result_comment(action(), job(), job_result(sandbox=Rung.VM_BOUNDARY))
    assert "No wall stood around the agent" in told


HALF_DONE = Changeset(
    base_sha="0" * 40, changes=(FileChange.written("src/a.py", FileMode.REGULAR, b"secret"),)
)
CONTINUED = "This run began with the unfinished changes of an earlier one."


@pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.FAILED, Outcome.CANCELLED])
def test_a_draft_is_told_with_the_way_to_it_and_the_run_that_goes_on_with_it(outcome: Outcome) -> None:
    told = result_comment(fix(), fix_job(), _ended(outcome, draft=True, changeset=HALF_DONE))
    assert "kept as a draft (1 file)" in told
    assert "`alm show DEMO-1-fix-ba9876543210 --diff | git apply`" in told
    assert "`jobs/DEMO-1-fix-ba9876543210/result.json`" in told
    assert "The next run of `ai-fix` on this ticket begins with it" in told
    assert "`ai-retry`" in told
    assert "secret" not in told


def test_a_changeset_that_is_no_draft_or_holds_nothing_is_not_promised_to_anybody() -> None:
    for changes in (
        {"changeset": HALF_DONE},
        {"draft": True},
        {"draft": True, "changeset": Changeset(base_sha="0")},
    ):
        told = result_comment(fix(), fix_job(), _ended(Outcome.TIMED_OUT, **changes))
        assert "draft" not in told
        assert "begins with it" not in told


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.TIMED_OUT, Outcome.NO_CHANGE])
def test_a_run_that_went_on_with_a_draft_says_so(outcome: Outcome) -> None:
    assert f"*{CONTINUED}*" in result_comment(fix(), fix_job(), _ended(outcome, continued=True))
    assert CONTINUED not in result_comment(fix(), fix_job(), _ended(outcome))


def test_a_pull_request_says_that_its_change_was_begun_by_an_earlier_run() -> None:
    assert f"*{CONTINUED}*" in pull_request_body(fix(), fix_job(), job_result(continued=True), "https://x")
    assert f"*{CONTINUED}*" not in pull_request_body(fix(), fix_job(), job_result(), "https://x")
