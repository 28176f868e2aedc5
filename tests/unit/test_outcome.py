"""How a job ends: one row per reason."""

from dataclasses import replace
from typing import Any

import pytest
from tests.builders import REPORT, action, agent_run, changeset, cli_result, denial, fault, fix

from orchestrator.domain.action import Action
from orchestrator.domain.agent import AgentRun, Source, Stop
from orchestrator.domain.changeset import Changeset
from orchestrator.domain.outcome import Outcome, Verdict, decide_outcome

UNCHANGED = changeset(changes=())
DENIED = (denial(), denial(tool="WebFetch"), denial())
EMPTY_REPORT = {"summary": " ", "root_cause": "", "files": [], "confidence": "high"}


def _said(**result: Any) -> AgentRun:
    return agent_run(result=cli_result(**result))


def _reported(**report: Any) -> AgentRun:
    return _said(result='{"x": 1}', structured_output=report)


def _error(**result: Any) -> AgentRun:
    said = {"is_error": True, "result": "Failed: 10.0.0.7"} | result
    return agent_run(exit_status=1, result=cli_result(**said))


def _denied(run: AgentRun) -> AgentRun:
    return replace(run, denials=DENIED)


def _refused_call(status: int) -> AgentRun:
    return replace(_error(), upstream_status=status)


@pytest.mark.parametrize(
    ("run", "outcome", "words"),
    [
        (agent_run(), Outcome.SUCCEEDED, ""),
        (_reported(**REPORT), Outcome.SUCCEEDED, ""),
        (_denied(agent_run()), Outcome.SUCCEEDED, ""),
        (replace(agent_run(), stop=Stop.DEADLINE), Outcome.TIMED_OUT, "after its 20 minutes"),
        (agent_run(result=None, exit_status=-9, stop=Stop.DEADLINE), Outcome.TIMED_OUT, "timeout_minutes"),
        (replace(_error(), stop=Stop.DEADLINE), Outcome.TIMED_OUT, "after its 20 minutes"),
        (
            agent_run(result=None, stop=Stop.DEADLINE, upstream_status=529),
            Outcome.TIMED_OUT,
            "after its 20 minutes, and just then the model's service was overloaded (529). Try again later",
        ),
        (agent_run(stop=Stop.DEADLINE, upstream_status=502), Outcome.TIMED_OUT, "timeout_minutes"),
        (
            agent_run(stop=Stop.DEADLINE, capped_s=780),
            Outcome.TIMED_OUT,
            "after the 780 seconds that this deployment gives to an agent. Make the ticket smaller",
        ),
        (
            agent_run(stop=Stop.DEADLINE, capped_s=780),
            Outcome.TIMED_OUT,
            "or more precise, or raise CLAUDE_TIMEOUT_SECONDS.",
        ),
        (agent_run(stop=Stop.CANCELLED), Outcome.CANCELLED, "A person took the label `ai-processing` off"),
        (replace(_error(), stop=Stop.CANCELLED), Outcome.CANCELLED, "or cancelled the job"),
        (agent_run(result=None, stop=Stop.INTERRUPTED), Outcome.CANCELLED, "The orchestrator was stopped"),
        (
            agent_run(stop=Stop.EXCESS, excess="it ran more than 1024 processes"),
            Outcome.FAILED,
            "stopped because it ran more than 1024 processes",
        ),
        (agent_run(result=None, exit_status=0), Outcome.FAILED, "without a result (exit status 0)"),
        (agent_run(result=None, exit_status=137), Outcome.FAILED, "without a result (exit status 137)"),
        (agent_run(exit_status=3), Outcome.FAILED, "exit status 3 although"),
        (_error(), Outcome.FAILED, "ended with an error before it had a result"),
        (_error(subtype="error_max_turns", result=None), Outcome.FAILED, "all its 60 turns"),
        (_said(subtype="error_max_turns", result=None), Outcome.FAILED, "all its 60 turns"),
        (_error(subtype="error_max_budget_usd"), Outcome.FAILED, "its budget of $3.00"),
        (_error(subtype="error_max_structured_output_retries"), Outcome.FAILED, "into the form"),
        (_error(subtype="error_during_execution"), Outcome.FAILED, "ended with an error"),
        (_error(subtype=["a"]), Outcome.FAILED, "ended with an error"),
        (_error(api_error_status=404), Outcome.FAILED, "(404). CLAUDE_MODEL has to be checked"),
        (_error(api_error_status=418), Outcome.FAILED, "with an error (418)"),
        (
            replace(_error(api_error_status=403), upstream_status=401),
            Outcome.FAILED,
            "(401). It has to be renewed",
        ),
        (_refused_call(400), Outcome.FAILED, "(400)"),
        (_refused_call(401), Outcome.FAILED, "(401)"),
        (_refused_call(403), Outcome.FAILED, "(403)"),
        (_refused_call(429), Outcome.FAILED, "limiting requests (429)"),
        (_refused_call(529), Outcome.FAILED, "overloaded (529)"),
        (_refused_call(502), Outcome.FAILED, "with an error (502)"),
        (_said(result="INVALID TICKET: it is empty."), Outcome.DECLINED, "it is empty"),
        (_said(result="## INVALID TICKET\n\nNo steps.\nNo error."), Outcome.DECLINED, "No steps.\nNo error"),
        (_said(result="**INVALID TICKET** \u2013 no steps"), Outcome.DECLINED, "no steps"),
        (_said(result="Invalid ticket: no steps"), Outcome.DECLINED, "no steps"),
        (_said(result="INVALID TICKET"), Outcome.DECLINED, "The agent gave no reason."),
        (_said(result="Invalid ticket numbers crash the parser."), Outcome.SUCCEEDED, ""),
        (_said(result="INVALID TICKETS are accepted."), Outcome.SUCCEEDED, ""),
        (_reported(**REPORT, invalid_ticket=" no defect "), Outcome.DECLINED, "no defect"),
        (_reported(**REPORT, invalid_ticket="  "), Outcome.SUCCEEDED, ""),
        (_reported(**REPORT, invalid_ticket=None), Outcome.SUCCEEDED, ""),
        (_said(result=""), Outcome.FAILED, "its answer is empty"),
        (_said(result=" \n"), Outcome.FAILED, "its answer is empty"),
        (_said(result=None), Outcome.FAILED, "its answer is empty"),
        (_reported(**EMPTY_REPORT), Outcome.FAILED, "its answer is empty"),
        (_reported(), Outcome.FAILED, "its answer is empty"),
        (
            _denied(_said(result="")),
            Outcome.FAILED,
            "denied something it tried (Bash, WebFetch). It produced nothing",
        ),
        (_denied(_reported(**EMPTY_REPORT)), Outcome.FAILED, "It produced nothing"),
    ],
)
def test_how_an_analysis_ends(run: AgentRun, outcome: Outcome, words: str) -> None:
    decided = decide_outcome(action(), run, None)
    assert decided.outcome is outcome
    assert words in decided.reason
    assert bool(decided.reason) is (outcome is not Outcome.SUCCEEDED)


@pytest.mark.parametrize(
    ("run", "changes", "outcome", "words"),
    [
        (agent_run(), changeset(), Outcome.SUCCEEDED, ""),
        (_denied(agent_run()), changeset(), Outcome.SUCCEEDED, ""),
        (agent_run(), UNCHANGED, Outcome.NO_CHANGE, "changed no file"),
        (agent_run(), None, Outcome.NO_CHANGE, "changed no file"),
        (_denied(agent_run()), UNCHANGED, Outcome.FAILED, "(Bash, WebFetch). It changed nothing"),
        (agent_run(), changeset(blocked=(fault(),)), Outcome.BLOCKED, "Nothing was published"),
        (agent_run(), changeset(changes=(), blocked=(fault(),)), Outcome.BLOCKED, "- `vendor/x`: a repos"),
        (_denied(agent_run()), changeset(blocked=(fault(),)), Outcome.BLOCKED, "`vendor/x`"),
        (_said(result=""), changeset(), Outcome.FAILED, "its answer is empty"),
        (_error(), changeset(), Outcome.FAILED, "ended with an error"),
        (replace(agent_run(), stop=Stop.DEADLINE), changeset(), Outcome.TIMED_OUT, "after its 20 minutes"),
        (replace(agent_run(), stop=Stop.CANCELLED), changeset(), Outcome.CANCELLED, "took the label"),
        (agent_run(stop=Stop.INTERRUPTED), changeset(), Outcome.CANCELLED, "was stopped while"),
        (_said(result="INVALID TICKET: no"), changeset(), Outcome.DECLINED, "no"),
        (_said(result="INVALID TICKET: no", structured_output=REPORT), changeset(), Outcome.DECLINED, "no"),
        (_reported(**REPORT, invalid_ticket="no"), changeset(), Outcome.DECLINED, "no"),
        (_reported(**REPORT, invalid_ticket="no"), changeset(blocked=(fault(),)), Outcome.DECLINED, "no"),
    ],
)
def test_how_a_change_ends(run: AgentRun, changes: Changeset | None, outcome: Outcome, words: str) -> None:
    decided = decide_outcome(fix(), run, changes)
    assert decided.outcome is outcome
    assert words in decided.reason


@pytest.mark.parametrize(
    ("run", "outcome"),
    [
        (_refused_call(403), Outcome.FAILED),
        (agent_run(result=None, exit_status=137), Outcome.FAILED),
        (agent_run(), Outcome.SUCCEEDED),
        (replace(_error(), stop=Stop.DEADLINE), Outcome.TIMED_OUT),
    ],
)
def test_a_budget_that_the_gateway_found_gone_is_told_as_the_clis_own_limit(
    run: AgentRun, outcome: Outcome
) -> None:
    refused = replace(run, denials=(denial(tool="gateway", source=Source.BUDGET),))
    decided = decide_outcome(action(budget_usd=1.5), refused, None)
    assert decided.outcome is outcome
    assert decided.reason.startswith("The agent used up its budget of $1.50") is (outcome is Outcome.FAILED)


@pytest.mark.parametrize("what", [action(), fix()])
@pytest.mark.parametrize("run", [_error(), _error(subtype="error_max_turns"), _refused_call(500)])
def test_a_reason_says_nothing_of_what_the_cli_says_in_an_error(what: Action, run: AgentRun) -> None:
    assert "10.0.0.7" not in decide_outcome(what, run, None).reason


@pytest.mark.parametrize(
    ("what", "run", "words"),
    [(fix(), agent_run(), "changed no file"), (action(), _said(result=""), "its answer is empty")],
)
def test_what_the_kernel_refused_does_not_decide(what: Action, run: AgentRun, words: str) -> None:
    refused = replace(run, denials=(denial(source=Source.KERNEL),))
    decided = decide_outcome(what, refused, UNCHANGED)
    assert (decided, words in decided.reason) == (decide_outcome(what, run, UNCHANGED), True)


def test_a_reason_can_be_stored_whatever_the_agent_wrote() -> None:
    assert Verdict(outcome=Outcome.DECLINED, reason="a\ud800").model_dump_json()
