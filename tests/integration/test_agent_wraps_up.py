"""The real CLI when its time or its money is nearly over: the model is told, and the run ends well."""

from pathlib import Path
from typing import Any

from tests.contract.gateway_client import Hours
from tests.integration.agents import REPORT, Ran, ask, bash, reports, task

from alm.standins.model import Conversation, Turn

TIME, MONEY = "Your time is nearly over: about 2 minutes are left.", "Your budget is nearly used up: 9"


class WrapsUp:
    """A model that works on and on until it is told to finish; in its second turn time passes."""

    def __init__(self, hours: Hours, passes_s: float = 0.0, says: str = "") -> None:
        self.hours, self.passes_s, self.says = hours, passes_s, says

    def __call__(self, conversation: Conversation) -> Turn:
        if conversation.step == 1:
            self.hours.now += self.passes_s
        told = any(word in conversation.prompt for word in (TIME, MONEY))
        if told or conversation.step > 5:
            return reports(REPORT)
        return Turn(self.says, bash(f"echo {conversation.step}").tools)


def last_blocks(body: Any) -> list[dict[str, Any]]:
    """The blocks of the request's last message that is not a remark of the CLI's own."""
    return list([message for message in body["messages"] if message["role"] != "system"][-1]["content"])


def told(ran: Ran) -> list[bool]:
    """For each request whether its very last block is the word."""
    lasts = [last_blocks(body)[-1] for _, body in ran.requests]
    return [str(last.get("text")).startswith((TIME, MONEY)) for last in lasts]


def test_a_run_whose_time_is_nearly_over_is_told_and_ends_well(workspace: Path) -> None:
    hours = Hours()
    ran = ask(WrapsUp(hours, 18 * 60), task(workspace, timeout_minutes=20), timeout_s=None, clock=hours)
    assert told(ran) == [False, False, True]
    assert (ran.run.report, ran.run.exit_status, ran.run.stop) == (REPORT, 0, None)


def test_a_run_whose_budget_is_nearly_used_up_is_told_and_ends_well(workspace: Path) -> None:
    # The first turn is a long one and costs nine cents, the second less than one.
    ran = ask(WrapsUp(Hours(), says="x" * 17_000), task(workspace, budget_usd=0.1))
    assert told(ran) == [False, True]
    assert (ran.run.report, ran.run.exit_status) == (REPORT, 0)


def test_the_word_breaks_no_cache_mark_of_the_clis(workspace: Path) -> None:
    hours = Hours()
    ran = ask(WrapsUp(hours, 18 * 60), task(workspace, timeout_minutes=20), timeout_s=None, clock=hours)
    *before, word = last_blocks(ran.requests[-1][1])
    assert set(word) == {"type", "text"}
    assert before[0]["type"] == "tool_result"
    assert "cache_control" in before[-1]
