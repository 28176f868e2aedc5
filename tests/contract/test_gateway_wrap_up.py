"""The gateway tells the agent that its time or its money is nearly over."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.gateway_client import TIMEOUT_S, Hours, ask

from alm.standins.model import Conversation, ScriptedModel, Turn
from orchestrator.adapters.gateway.anthropic import AnthropicModel
from orchestrator.adapters.gateway.budget import Budget
from orchestrator.adapters.gateway.provider import Answer, Call
from orchestrator.adapters.gateway.server import Gateway
from orchestrator.domain.ledger import Ledger, Spent, quote

CALL: dict[str, Any] = {
    "model": "claude-opus-5",
    "max_tokens": 1000,
    "tools": [{"name": "Read", "input_schema": {"type": "object"}}],
    "messages": [{"role": "user", "content": "h\u00e9"}],
}
LIMIT_S = 600.0


class Script:
    """Says hello, and notes what the ledger holds for a call while it is under way."""

    gateway: Gateway
    reserved_usd = 0.0

    def __call__(self, _conversation: Conversation) -> Turn:
        self.reserved_usd = self.gateway.budget.ledger.reserved_usd
        return Turn(text="hello")


class Counted:
    """A provider that counts tokens, and keeps what it was asked."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def send(self, call: Call) -> Answer:
        self.bodies.append(call.body)
        return Answer(200, {"content-type": "application/json"}, iter((b'{"input_tokens": 9}',)))


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def model(script: Script) -> Iterator[ScriptedModel]:
    with ScriptedModel(script) as running:
        yield running


@pytest.fixture
def gateway(model: ScriptedModel, script: Script, hours: Hours, tmp_path: Path) -> Iterator[Gateway]:
    provider = AnthropicModel(model.url, "sk-made-up")
    patience = hours.patience()
    with Gateway(
        tmp_path / "s", provider, budget=Budget(Ledger(1.0)), patience=patience, clock=hours
    ) as running:
        script.gateway = running
        yield running


def call(gateway: Gateway, request: dict[str, Any] = CALL, target: str = "/v1/messages") -> int:
    return ask(gateway.socket, "POST", target, json.dumps(request).encode()).status


def words(body: Any) -> list[str]:
    """The texts of the last message."""
    content = body["messages"][-1]["content"]
    return [content] if isinstance(content, str) else [block["text"] for block in content]


def test_from_nine_tenths_of_the_agents_time_on_each_call_ends_with_the_word(
    gateway: Gateway, model: ScriptedModel, hours: Hours
) -> None:
    gateway.begin(LIMIT_S)
    hours.now += 539
    assert call(gateway) == 200
    hours.now += 1
    assert call(gateway) == 200
    assert call(gateway) == 200
    before, *after = [body for _, body in model.requests]
    assert before == CALL
    assert len(after) == 2
    for body in after:
        first, word = words(body)
        assert first == "h\u00e9"
        assert word.startswith("Your time is nearly over: about a minute is left.")
        assert {**body, "messages": CALL["messages"]} == CALL


def test_before_the_agent_has_started_no_time_is_over(
    gateway: Gateway, model: ScriptedModel, hours: Hours
) -> None:
    hours.now += 1e6
    assert call(gateway) == 200
    assert model.requests[0][1] == CALL


def test_from_nine_tenths_of_the_budget_on_each_call_ends_with_the_word(
    gateway: Gateway, model: ScriptedModel
) -> None:
    gateway.budget.ledger = Ledger(1.0, Spent(cost_usd=0.91))
    assert call(gateway) == 200
    assert words(model.requests[0][1])[1].startswith("Your budget is nearly used up: 91% of it is spent.")


def test_the_word_is_part_of_what_is_held_for_the_call(
    gateway: Gateway, model: ScriptedModel, script: Script, hours: Hours
) -> None:
    gateway.begin(LIMIT_S)
    hours.now += 590
    assert call(gateway) == 200
    headers, body = model.requests[0]
    sent = {name.lower(): value for name, value in headers.items()}["content-length"]
    assert script.reserved_usd == quote(body, int(sent)).worst_usd
    assert int(sent) > len(json.dumps(CALL)) + 100
    assert gateway.budget.final(TIMEOUT_S).requests == 1


def test_a_call_without_tools_and_a_token_count_are_not_told(
    gateway: Gateway, model: ScriptedModel, hours: Hours
) -> None:
    gateway.begin(LIMIT_S)
    hours.now += 590
    plain = {name: value for name, value in CALL.items() if name != "tools"}
    assert call(gateway, plain) == 200
    assert model.requests[0][1] == plain
    counted = Counted()
    gateway.provider = counted
    assert call(gateway, CALL, "/v1/messages/count_tokens") == 200
    assert counted.bodies == [json.dumps(CALL).encode()]


def test_a_call_that_was_held_past_the_moment_is_told_when_it_goes_out(
    gateway: Gateway, model: ScriptedModel, hours: Hours
) -> None:
    said = [Turn(status=429, headers={"retry-after": "100"}), Turn(text="hello")]
    model.script = lambda _conversation: said.pop(0)
    gateway.begin(LIMIT_S)
    hours.now += 500
    assert call(gateway) == 200
    assert [len(words(body)) for _, body in model.requests] == [1, 2]
