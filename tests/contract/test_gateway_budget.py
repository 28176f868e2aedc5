"""The ledger at work: what the gateway charges for a call, and that it stops at the budget."""

import http.client
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.contract.gateway_client import TIMEOUT_S, Answered, ask, dialled
from tests.contract.raw_server import RawServer, Script, sends

from orchestrator.adapters.gateway.anthropic import AnthropicModel
from orchestrator.adapters.gateway.budget import Budget, BudgetGone
from orchestrator.adapters.gateway.server import MOST_DENIALS, Gateway
from orchestrator.domain.agent import Source
from orchestrator.domain.ledger import MOST_CALLS, MOST_COUNTS, Ledger, Spent, quote

CALL = {"model": "claude-opus-5", "max_tokens": 1000, "messages": [{"role": "user", "content": "hi"}]}
BODY = json.dumps(CALL).encode()
WORST = quote(CALL, len(BODY)).worst_usd
# 1,000 tokens read and 100 written by Opus.
COST = 0.0075
START = (
    b'data: {"type": "message_start", "message": {"usage": {"input_tokens": 1000, "output_tokens": 1}}}\n\n'
)
END = b'data: {"type": "message_delta", "usage": {"output_tokens": 100}}\n\n'
BUDGET_USD = 1.0


def answer(body: bytes, kind: str = "text/event-stream", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode() + body


def cut_short(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99999\r\n\r\n"
    return head + body


Opened = Callable[..., tuple[Gateway, RawServer]]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with ExitStack() as stack:

        def made(script: Script, ledger: Ledger | None = None, counted: int = 0) -> tuple[Gateway, RawServer]:
            upstream = stack.enter_context(RawServer(script))
            budget = Budget(ledger or Ledger(BUDGET_USD), counted=counted)
            provider = AnthropicModel(upstream.url, "sk-made-up")
            return stack.enter_context(Gateway(tmp_path / "s", provider, budget=budget)), upstream

        yield made


def call(gateway: Gateway, target: str = "/v1/messages") -> Answered:
    return ask(gateway.socket, "POST", target, BODY)


def spent(cost_usd: float) -> Ledger:
    return Ledger(BUDGET_USD, Spent(cost_usd=cost_usd))


def after(gateway: Gateway) -> Spent:
    """The sums once no call is under way."""
    return gateway.budget.final(TIMEOUT_S)


@pytest.mark.parametrize(
    "said",
    [
        answer(START + END),
        answer((START + END).replace(b"\n", b"\r\n")),
        answer(b'{"usage": {"input_tokens": 1000, "output_tokens": 100}}', "application/json"),
    ],
)
def test_an_answer_costs_what_it_says_it_used(opened: Opened, said: bytes) -> None:
    gateway, _ = opened(sends(said))
    assert call(gateway).status == 200
    sums = after(gateway)
    assert (sums.requests, sums.input_tokens, sums.output_tokens) == (1, 1000, 100)
    assert sums.cost_usd == pytest.approx(COST)


def test_the_service_is_asked_for_an_answer_that_can_be_read(opened: Opened) -> None:
    gateway, upstream = opened(sends(answer(START + END)))
    ask(gateway.socket, "POST", "/v1/messages", BODY, {"Accept-Encoding": "gzip, br"})
    assert b"\r\naccept-encoding: identity\r\n" in upstream.requests[0].lower()


@pytest.mark.parametrize(
    "said",
    [
        answer(b""),
        answer(b"{}", "application/json"),
        answer(END),
        answer(b"\x1f\x8b\x08").replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n", 1),
        answer(b'data: {"type": "error", "error": {"type": "overloaded_error"}}\n\n'),
        cut_short(b""),
        b"",
        b"no HTTP\r\n\r\n",
    ],
)
def test_what_an_answer_does_not_say_costs_the_worst_case(opened: Opened, said: bytes) -> None:
    gateway, _ = opened(sends(said))
    ignored(lambda: call(gateway))
    assert after(gateway).cost_usd == pytest.approx(WORST)


def test_an_answer_that_breaks_off_costs_all_the_output_it_could_have_had(opened: Opened) -> None:
    gateway, _ = opened(sends(cut_short(START)))
    ignored(lambda: call(gateway))
    assert after(gateway).cost_usd == pytest.approx((1000 * 5 + 1000 * 25) / 1e6)


def test_an_agent_that_hangs_up_early_pays_for_the_call(opened: Opened) -> None:
    hung_up = Event()

    def slowly(connection: socket.socket) -> None:
        connection.sendall(answer(START))
        hung_up.wait(TIMEOUT_S)
        for _ in range(100):
            connection.sendall(b"data: {}\n\n" * 1000)

    gateway, _ = opened(slowly)
    with dialled(gateway.socket) as agent:
        agent.sendall(b"POST /v1/messages HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY))
        assert agent.recv(5) == b"HTTP/"
    hung_up.set()
    assert after(gateway).cost_usd == pytest.approx((1000 * 5 + 1000 * 25) / 1e6)


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "500 Oh"])
def test_what_the_service_refuses_costs_nothing_and_is_a_request(opened: Opened, status: str) -> None:
    gateway, _ = opened(sends(answer(b"{}", "application/json", status)))
    call(gateway)
    assert after(gateway) == Spent(requests=1)


def test_a_service_that_cannot_be_reached_costs_nothing(tmp_path: Path) -> None:
    with RawServer(sends(b"")) as gone:
        url = gone.url
    with Gateway(tmp_path / "s", AnthropicModel(url, "sk"), budget=Budget(Ledger(BUDGET_USD))) as gateway:
        assert call(gateway).status == 502
        assert after(gateway) == Spent(requests=1)


def test_a_call_is_made_while_anything_is_left_and_none_when_it_is_gone(opened: Opened) -> None:
    gateway, upstream = opened(sends(answer(START + END)), spent(BUDGET_USD - 0.001))
    assert call(gateway).status == 200
    after(gateway)
    for _ in range(3):
        refused = call(gateway)
        assert refused.status == 403
        assert refused.json()["error"] == {
            "type": "permission_error",
            "message": "the budget of $1.00 is used up, so the gateway answers no further call of this job",
        }
    assert len(upstream.requests) == 1
    assert [(denial.tool, denial.source, denial.target) for denial in gateway.denials] == [
        ("gateway", Source.BUDGET, "POST /v1/messages: the budget of $1.00 is used up")
    ] * 3
    assert after(gateway).cost_usd == pytest.approx(BUDGET_USD - 0.001 + COST)


def test_calls_without_end_are_refused_even_if_they_cost_nothing(opened: Opened) -> None:
    gateway, upstream = opened(
        sends(answer(b"{}", "application/json", "400 Bad")), Ledger(BUDGET_USD, calls=MOST_CALLS - 1)
    )
    assert [call(gateway).status for _ in range(2)] == [400, 403]
    assert len(upstream.requests) == 1
    assert "model calls" in gateway.denials[0].target


def test_counting_tokens_is_free_and_limited(opened: Opened) -> None:
    gateway, upstream = opened(
        sends(answer(b'{"input_tokens": 9}', "application/json")), counted=MOST_COUNTS - 1
    )
    statuses = [call(gateway, "/v1/messages/count_tokens").status for _ in range(2)]
    assert (statuses, len(upstream.requests)) == ([200, 403], 1)
    assert after(gateway) == Spent(requests=1)
    assert [denial.source for denial in gateway.denials] == [Source.BUDGET]


def test_counting_tokens_goes_on_when_the_budget_is_gone(opened: Opened) -> None:
    gateway, _ = opened(sends(answer(b'{"input_tokens": 9}', "application/json")), spent(BUDGET_USD))
    assert call(gateway, "/v1/messages/count_tokens").status == 200


def test_refusals_are_counted_up_to_a_number(opened: Opened) -> None:
    gateway, _ = opened(sends(b""))
    for _ in range(MOST_DENIALS + 1):
        gateway.deny("GET /x")
    assert len(gateway.denials) == MOST_DENIALS


BIG: Mapping[str, object] = {"model": "claude-opus-5", "max_tokens": 128_000}


def test_calls_at_once_cannot_reserve_more_than_the_budget_and_one_worst_case() -> None:
    budget = Budget(Ledger(BUDGET_USD), wait_s=0)
    with budget.call(BIG, 10), pytest.raises(BudgetGone, match="held for calls"), budget.call(BIG, 10):
        pass


def test_a_call_that_finds_no_room_waits_for_the_one_before_it() -> None:
    budget, order = Budget(Ledger(BUDGET_USD)), list[str]()

    def second() -> None:
        with budget.call(BIG, 10):
            order.append("second")

    thread = Thread(target=second, daemon=True)
    with budget.call(BIG, 10) as first:
        first.free = True
        thread.start()
        order.append("first")
    thread.join(TIMEOUT_S)
    assert order == ["first", "second"]


def test_a_call_that_has_not_ended_with_the_agent_counts_as_its_worst_case() -> None:
    budget = Budget(Ledger(BUDGET_USD))
    with budget.call(BIG, 10):
        assert budget.final(0).cost_usd == quote(BIG, 10).worst_usd


def test_a_call_that_waited_in_vain_is_refused() -> None:
    budget, ends = Budget(Ledger(BUDGET_USD)), list[str]()

    def second() -> None:
        try:
            with budget.call(BIG, 10):
                ends.append("made")
        except BudgetGone as gone:
            ends.append(str(gone))

    thread = Thread(target=second, daemon=True)
    with budget.call(BIG, 10):
        thread.start()
    thread.join(TIMEOUT_S)
    assert ends == ["the budget of $1.00 is used up"]


def ignored(work: Callable[[], object]) -> None:
    """Do it, whatever the agent sees of it."""
    try:
        work()
    except (OSError, http.client.HTTPException):
        return
