"""Many dear calls at once, over real HTTP: the job's budget holds but for the worst case of one call."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from tests.contract.gateway_client import TIMEOUT_S, ask
from tests.unit.test_model_content import PDF, asking, document, image, pdf, png

from alm.standins import model_charges
from alm.standins.model import Conversation, ScriptedModel, Turn
from orchestrator.adapters.gateway.anthropic import AnthropicModel
from orchestrator.adapters.gateway.budget import Budget
from orchestrator.adapters.gateway.server import Gateway
from orchestrator.domain.ledger import MOST_AT_ONCE, Ledger, price_of, quote
from orchestrator.domain.model_usage import usage_of

BUDGET_USD = 5.0
CALLS = 100
# A small file, and dear to read.
DOCUMENT = document({**PDF, "data": pdf(24)})
TEXT = {"type": "text", "text": "Read the picture. " * 500}
SCREENSHOT = image(png(1920, 1080, 900_000))


class Service:
    """Charges for what it is sent, takes a moment over it, and notes how many calls it had at once."""

    def __init__(self) -> None:
        self.under_way = self.most = 0
        self._lock = Lock()

    def __call__(self, conversation: Conversation) -> Turn:
        self._count(1)
        time.sleep(0.02)
        self._count(-1)
        return Turn("read", usage=model_charges.usage(conversation.body))

    def _count(self, step: int) -> None:
        with self._lock:
            self.under_way += step
            self.most = max(self.most, self.under_way)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def gateway(service: Service, tmp_path: Path) -> Iterator[Gateway]:
    budget = Budget(Ledger(BUDGET_USD))
    with ExitStack() as stack:
        model = stack.enter_context(ScriptedModel(service))
        provider = AnthropicModel(model.url, "sk-made-up")
        yield stack.enter_context(Gateway(tmp_path / "s", provider, budget=budget))


def flood(gateway: Gateway, request: dict[str, Any], calls: int = CALLS) -> list[int]:
    """The same call that many times at once; how each was answered."""
    body = json.dumps(request).encode()
    with ThreadPoolExecutor(calls) as pool:
        answers = pool.map(lambda _: ask(gateway.socket, "POST", "/v1/messages", body), range(calls))
        return [answer.status for answer in answers]


def cost_usd(request: dict[str, Any]) -> float:
    """What the service charges for one such call."""
    used = usage_of({**model_charges.usage(request), "output_tokens": 50})
    return price_of(request["model"]).of(used)


@pytest.mark.parametrize(
    "content",
    [DOCUMENT, {"type": "tool_result", "tool_use_id": "t", "content": [DOCUMENT]}],
    ids=["document", "document in a tool result"],
)
def test_a_hundred_documents_at_once_cost_no_more_than_the_budget_and_one_call(
    gateway: Gateway, service: Service, content: dict[str, Any]
) -> None:
    request = asking(content)
    assert cost_usd(request) * CALLS > 8 * BUDGET_USD
    assert set(flood(gateway, request)) == {200, 403}
    spent_usd = gateway.budget.final(TIMEOUT_S).cost_usd
    assert BUDGET_USD <= spent_usd <= BUDGET_USD + quote(request, len(json.dumps(request))).worst_usd
    # Two quotes are more than the budget, so that no third call is under way at any time.
    assert service.most <= 2
    assert spent_usd <= BUDGET_USD + 2 * cost_usd(request)


def test_many_cheap_calls_at_once_are_made_in_turn_and_none_is_refused(
    gateway: Gateway, service: Service
) -> None:
    assert flood(gateway, asking({"type": "text", "text": "hi"})) == [200] * CALLS
    assert 1 < service.most <= MOST_AT_ONCE


def test_four_agents_at_once_may_each_look_at_a_picture(gateway: Gateway, service: Service) -> None:
    """The head-room of an image: its maximum of 5,000 tokens, $0.025 of the dearest cache at $4 a million."""
    request = asking(TEXT, {**SCREENSHOT, "cache_control": {"type": "ephemeral"}}, max_tokens=32_000)
    assert flood(gateway, request, calls=4) == [200] * 4
    assert service.most > 1


def test_a_long_run_with_a_picture_and_a_document_uses_its_whole_budget(gateway: Gateway) -> None:
    """One call after the other, each with all that came before: refused only when the money is really gone."""
    request = asking(TEXT, SCREENSHOT, document({**PDF, "data": pdf(2)}))
    body, one_usd = json.dumps(request).encode(), cost_usd(request)
    calls = 0
    while ask(gateway.socket, "POST", "/v1/messages", body).status == 200:
        calls += 1
        gateway.budget.final(TIMEOUT_S)
    assert calls == int(BUDGET_USD / one_usd) + 1
