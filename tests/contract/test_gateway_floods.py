"""An agent that floods the gateway costs itself its answers, and the worker no memory."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPException
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.contract.gateway_client import CALL, TIMEOUT_S, ask, call, dialled
from tests.contract.raw_server import RawServer, sends

from orchestrator.adapters.gateway import server as gateway_module
from orchestrator.adapters.gateway.agent_http import MOST_PARTS, is_dense
from orchestrator.adapters.gateway.anthropic import AnthropicModel
from orchestrator.adapters.gateway.in_flight import InFlight
from orchestrator.adapters.gateway.server import Gateway

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with (
        RawServer(sends(OK)) as upstream,
        Gateway(tmp_path / "model.sock", AnthropicModel(upstream.url, "sk")) as running,
    ):
        yield running


def served(gateway: Gateway) -> bool:
    try:
        return call(gateway.socket).status == 200
    except (OSError, HTTPException):
        return False


def test_connections_beyond_the_limit_are_hung_up_on_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "MOST_CONNECTIONS", 4)
    with (
        RawServer(sends(OK)) as upstream,
        Gateway(tmp_path / "model.sock", AnthropicModel(upstream.url, "sk")) as gateway,
    ):
        with ExitStack() as stack:
            held = [stack.enter_context(dialled(gateway.socket)) for _ in range(4)]
            beyond = stack.enter_context(dialled(gateway.socket))
            assert beyond.recv(1) == b""
            held[0].close()
            while not served(gateway):
                pass  # until the thread of the one that left has made room
        assert {denial.target for denial in gateway.denials} == {"a connection beyond the 4th"}


def test_a_body_that_would_grow_when_it_is_parsed_is_refused_unparsed_and_counted(gateway: Gateway) -> None:
    bomb = b'{"messages": [' + b"[]," * (MOST_PARTS // 2 + 1) + b"[]]}"
    assert ask(gateway.socket, "POST", "/v1/messages", bomb).status == 413
    assert len(gateway.denials) == 1


def test_a_long_conversation_about_code_is_not_dense() -> None:
    line = 'def total(items, *, discount=None): return sum(item["price"] for item in items[:10])\n'
    message = {"role": "user", "content": [{"type": "text", "text": line * 50_000}]}
    assert not is_dense(json.dumps({**CALL, "messages": [message]}).encode())


def test_bodies_wait_for_room_and_a_large_one_is_held_alone() -> None:
    room = InFlight(room_bytes=10)
    second_held = Event()

    def second() -> None:
        with room.body(6):
            second_held.set()

    with room.body(100):
        thread = Thread(target=second, daemon=True)
        thread.start()
        assert not second_held.wait(0.05)
    assert second_held.wait(TIMEOUT_S)
    thread.join(TIMEOUT_S)
    with room.body(6), room.body(4):
        pass
