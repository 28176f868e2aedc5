"""The real CLI while the model's service is overloaded: it only waits, and at its deadline the ticket hears why."""

from pathlib import Path
from threading import Event

import pytest
from tests.builders import action
from tests.contract.gateway_client import Hours
from tests.integration.agents import REPORT, ask, bash, reports, task

from alm.standins.model import Conversation, Turn
from orchestrator.adapters.gateway.patience import HOLD_S, Patience
from orchestrator.domain.agent import Stop
from orchestrator.domain.outcome import Outcome, decide_outcome

REPEATED = '"subtype":"api_retry"'


class Overloaded:
    """A script that works for a turn, is refused so many times, and then finishes."""

    def __init__(self, *refusals: Turn) -> None:
        self.refusals = list(refusals)

    def __call__(self, conversation: Conversation) -> Turn:
        if conversation.step == 0:
            return bash("echo one")
        return self.refusals.pop(0) if self.refusals else reports(REPORT)


@pytest.mark.parametrize(
    "refusal", [Turn(status=529), Turn(status=429, headers={"retry-after": "120"}), Turn(status=503)]
)
def test_the_cli_sees_nothing_of_an_overload_that_passes(workspace: Path, refusal: Turn) -> None:
    hours = Hours()
    ran = ask(Overloaded(*[refusal] * 4), task(workspace), patience=lambda: hours.patience(10 * HOLD_S))
    assert ran.run.report == REPORT
    assert REPEATED not in ran.transcript
    assert len(ran.requests) == 6
    assert ran.run.spent is not None
    assert ran.run.result is not None
    assert ran.run.spent.requests == 6
    assert ran.run.spent.cost_usd == pytest.approx(ran.run.result["total_cost_usd"])


def test_an_overload_longer_than_a_hold_is_ridden_out_by_the_clis_own_repeats(workspace: Path) -> None:
    hours = Hours()
    hint = Turn(status=529, headers={"retry-after": str(2.5 * HOLD_S)})
    ran = ask(Overloaded(hint), task(workspace), patience=hours.patience, max_retries=6)
    assert ran.run.report == REPORT
    assert ran.transcript.count(REPEATED) == 2
    # The hint was longer than two holds, and the service was asked once before it was over and once after.
    assert len(ran.requests) == 3


def test_an_overload_at_the_deadline_is_told_and_costs_only_what_was_answered(workspace: Path) -> None:
    hours = Hours()

    def passing(over: Event, wait_s: float) -> bool:
        hours.now += 10_000
        return over.wait(wait_s)

    refusal = Turn(status=529, headers={"retry-after": "3600"})
    ran = ask(Overloaded(refusal), task(workspace), clock=hours, patience=lambda: Patience(wait=passing))
    assert (ran.run.stop, ran.run.upstream_status) == (Stop.DEADLINE, 529)
    assert len(ran.requests) == 2
    # It ended at the first, polite signal: the harder ones leave no result.
    assert ran.run.result is not None
    assert ran.run.spent is not None
    assert ran.run.cost_usd == ran.run.spent.cost_usd
    assert 0 < ran.run.spent.cost_usd < 0.02
    decided = decide_outcome(action(), ran.run, None)
    assert decided.outcome is Outcome.TIMED_OUT
    assert "the model's service was overloaded (529)" in decided.reason
