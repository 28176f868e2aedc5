"""Which runs were ended at work, so that what they did may be half-done."""

import pytest
from tests.builders import agent_run

from orchestrator.domain.agent import AgentRun, Denial, Source, Stop

LEDGER = (Denial(tool="gateway", source=Source.BUDGET),)


@pytest.mark.parametrize(
    ("run", "cut_short"),
    [
        (agent_run(stop=Stop.DEADLINE), True),
        (agent_run(result=None, stop=Stop.CANCELLED), True),
        (agent_run(result=None, stop=Stop.INTERRUPTED), True),
        (agent_run(stop=Stop.EXCESS, denials=LEDGER), False),
        (agent_run(result={"subtype": "error_max_turns"}), True),
        (agent_run(result={"subtype": "error_max_budget_usd", "is_error": True}), True),
        (agent_run(result={"subtype": "success", "is_error": True}, denials=LEDGER), True),
        (agent_run(result=None, denials=LEDGER), True),
        (agent_run(denials=LEDGER), False),
        (agent_run(), False),
        (agent_run(result=None), False),
        (agent_run(result={"subtype": "error_during_execution", "is_error": True}), False),
        (agent_run(result={"subtype": ["error_max_turns"]}), False),
    ],
)
def test_what_was_ended_at_work_was_cut_short(run: AgentRun, cut_short: bool) -> None:
    assert run.is_cut_short is cut_short
