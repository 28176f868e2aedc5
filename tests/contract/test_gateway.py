"""The gateway on its socket: what goes to the model's service, what comes back, what is refused."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from tests.contract.gateway_client import CALL, UnixConnection, ask, call, say
from tests.contract.raw_server import RawServer, read_request, sends

from alm.standins.model import Conversation, ScriptedModel, Turn
from orchestrator.adapters.gateway.anthropic import AnthropicModel
from orchestrator.adapters.gateway.server import Gateway
from orchestrator.domain.model_rules import ModelRules

KEY = "sk-made-up-key-of-the-gateway"
JSON_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Script:
    """Answers with the turn it holds."""

    def __init__(self) -> None:
        self.turn = Turn(text="hello")

    def __call__(self, _conversation: Conversation) -> Turn:
        return self.turn


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def model(script: Script) -> Iterator[ScriptedModel]:
    with ScriptedModel(script) as running:
        yield running


@pytest.fixture
def gateway(model: ScriptedModel, tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path / "model.sock", AnthropicModel(model.url, KEY)) as running:
        yield running
        assert KEY not in repr(running)
        assert KEY not in repr(running.denials)


def test_a_model_call_goes_through_with_the_key(gateway: Gateway, model: ScriptedModel) -> None:
    answer = call(gateway.socket, "/v1/messages?beta=true")
    assert (answer.status, answer.json()["content"][0]["text"]) == (200, "hello")
    ((headers, body),) = model.requests
    assert headers["x-api-key"] == KEY
    assert body == CALL
    assert KEY.encode() not in answer.body
    assert (gateway.denials, gateway.upstream_status) == ((), None)


def test_counting_tokens_is_a_model_call(tmp_path: Path) -> None:
    with (
        RawServer(sends(JSON_OK)) as upstream,
        Gateway(tmp_path / "s", AnthropicModel(upstream.url, KEY)) as gateway,
    ):
        assert call(gateway.socket, "/v1/messages/count_tokens?beta=true").status == 200
    assert upstream.requests[0].startswith(b"POST /v1/messages/count_tokens?beta=true HTTP/1.1\r\n")


def test_the_agents_own_credentials_and_connection_headers_stay_here(
    gateway: Gateway, model: ScriptedModel
) -> None:
    theirs = {
        "X-Api-Key": "placeholder",
        "Authorization": "Bearer placeholder",
        "Cookie": "a=placeholder",
        "Proxy-Authorization": "Basic placeholder",
        "Connection": "keep-alive, x-odd",
        "Keep-Alive": "timeout=placeholder",
        "TE": "trailers",
        "Upgrade": "placeholder",
        "X-Forwarded-For": "placeholder",
        "Host": "placeholder.example.net",
        "x-odd": "placeholder",
    }
    assert ask(gateway.socket, "POST", "/v1/messages", json.dumps(CALL).encode(), theirs).status == 200
    ((headers, _),) = model.requests
    assert {name.lower() for name in headers} <= {
        *("host", "content-length", "accept", "accept-encoding", "user-agent", "x-api-key", "content-type")
    }
    assert not [value for value in headers.values() if "placeholder" in value]


def test_what_the_messages_api_reads_is_passed_on(gateway: Gateway, model: ScriptedModel) -> None:
    call(
        gateway.socket,
        anthropic_version="2023-06-01",
        anthropic_beta="effort-2025-11-24, files-api-2025-04-14,x",
        user_agent="cli/2",
    )
    ((headers, _),) = model.requests
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["anthropic-beta"] == "effort-2025-11-24"
    assert headers["user-agent"] == "cli/2"


def test_what_the_service_says_of_itself_stays_there(tmp_path: Path) -> None:
    said = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: a=b\r\nServer: inner\r\n"
        b"anthropic-ratelimit-tokens-remaining: 7\r\nRequest-Id: r1\r\nConnection: x-odd\r\nX-Odd: 1\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    with (
        RawServer(sends(said)) as upstream,
        Gateway(tmp_path / "s", AnthropicModel(upstream.url, KEY)) as gateway,
    ):
        answer = call(gateway.socket)
    assert {name.lower() for name in answer.headers} == {
        *("content-type", "anthropic-ratelimit-tokens-remaining", "request-id", "transfer-encoding")
    }
    assert answer.body == b"{}"


def test_an_answer_arrives_piece_by_piece_while_the_service_is_still_at_it(tmp_path: Path) -> None:
    first_arrived = Event()

    def slowly(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nfirst\r\n"
        )
        if first_arrived.wait(5):
            connection.sendall(b"6\r\nsecond\r\n0\r\n\r\n")

    with RawServer(slowly) as upstream, Gateway(tmp_path / "s", AnthropicModel(upstream.url, KEY)) as gateway:
        connection = UnixConnection(gateway.socket)
        connection.request("POST", "/v1/messages", b"{}")
        answer = connection.getresponse()
        assert answer.read1() == b"first"
        first_arrived.set()
        assert answer.read() == b"second"
        connection.close()


def test_one_connection_carries_many_calls(gateway: Gateway, model: ScriptedModel) -> None:
    connection = UnixConnection(gateway.socket)
    for _ in range(3):
        connection.request("POST", "/v1/messages", json.dumps(CALL))
        assert connection.getresponse().read()
    connection.close()
    assert len(model.requests) == 3


@pytest.mark.parametrize(("status", "seen"), [(401, 403), (403, 403), (429, 429), (500, 500), (529, 529)])
def test_errors_of_the_service_are_passed_on_and_remembered(
    gateway: Gateway, script: Script, status: int, seen: int
) -> None:
    script.turn = Turn(status=status, headers={"retry-after": "7", "x-should-retry": "false"})
    answer = call(gateway.socket)
    assert (answer.status, gateway.upstream_status) == (seen, status)
    assert answer.json()["error"]["message"] == f"scripted {status}"
    assert (answer.headers["retry-after"], answer.headers["x-should-retry"]) == ("7", "false")
    assert gateway.denials == ()


def test_an_error_is_forgotten_when_a_later_call_goes_well(gateway: Gateway, script: Script) -> None:
    script.turn = Turn(status=500)
    call(gateway.socket)
    script.turn = Turn(text="hello")
    call(gateway.socket)
    assert gateway.upstream_status is None


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"nonsense\r\n\r\n"], ids=["cut", "half", "other"])
def test_a_service_that_does_not_answer_is_a_502(tmp_path: Path, answer: bytes) -> None:
    with (
        RawServer(sends(answer)) as upstream,
        Gateway(tmp_path / "s", AnthropicModel(upstream.url, KEY)) as gateway,
    ):
        refused = call(gateway.socket)
        assert (refused.status, gateway.upstream_status) == (502, 502)
        assert KEY.encode() not in refused.body
        assert gateway.denials == ()
    assert len(upstream.requests) == 1


def test_nobody_listening_is_a_502(tmp_path: Path) -> None:
    with RawServer(sends(b"")) as upstream:
        address = upstream.url
    with Gateway(tmp_path / "s", AnthropicModel(address, KEY)) as gateway:
        refused = call(gateway.socket)
        assert (refused.status, gateway.upstream_status) == (502, 502)
        assert address.encode() not in refused.body


@pytest.mark.parametrize(
    "half",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nfirst",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n63\r\nfirst",
    ],
    ids=["length", "chunks", "chunk"],
)
def test_an_answer_that_breaks_off_breaks_off_for_the_agent_too(tmp_path: Path, half: bytes) -> None:
    with (
        RawServer(sends(half)) as upstream,
        Gateway(tmp_path / "s", AnthropicModel(upstream.url, KEY)) as gateway,
    ):
        said = say(gateway.socket, b"POST /v1/messages HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        assert b"first" in said
        assert not said.endswith(b"0\r\n\r\n")
        assert gateway.upstream_status == 502


def test_what_is_left_of_an_answer_nobody_read_reaches_no_other_call(tmp_path: Path) -> None:
    gone, over = Event(), Event()

    def answers(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        if len(upstream.requests) == 1:
            gone.wait(5)
            connection.sendall(b"4\r\nleft\r\n")
            over.wait(5)
        connection.sendall(b"0\r\n\r\n")

    with (
        RawServer(answers) as upstream,
        Gateway(tmp_path / "s", AnthropicModel(upstream.url, KEY)) as gateway,
    ):
        connection = UnixConnection(gateway.socket)
        connection.request("POST", "/v1/messages", b"{}")
        assert connection.getresponse().read1() == b"first"
        connection.close()
        gone.set()
        # Long enough for the gateway to notice that nobody reads; the service is still at it.
        over.wait(0.2)
        assert call(gateway.socket).body == b"first"
        over.set()


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with RawServer(sends(JSON_OK)) as elsewhere:
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n".encode()
        with (
            RawServer(sends(moved)) as upstream,
            Gateway(tmp_path / "s", AnthropicModel(upstream.url, KEY)) as gateway,
        ):
            answer = call(gateway.socket)
    assert answer.status == 307
    assert "location" not in {name.lower() for name in answer.headers}
    assert elsewhere.requests == []


def test_the_socket_is_gone_afterwards(tmp_path: Path, model: ScriptedModel) -> None:
    with Gateway(tmp_path / "model.sock", AnthropicModel(model.url, KEY)):
        assert (tmp_path / "model.sock").is_socket()
    assert list(tmp_path.iterdir()) == []


def test_a_longer_answer_than_agreed_is_not_asked_for(model: ScriptedModel, tmp_path: Path) -> None:
    rules = ModelRules(most_tokens=5000)
    asked = {**CALL, "max_tokens": 128_000, "thinking": {"type": "enabled", "budget_tokens": 90_000}}
    with Gateway(tmp_path / "s", AnthropicModel(model.url, KEY), rules) as gateway:
        assert ask(gateway.socket, "POST", "/v1/messages", json.dumps(asked).encode()).status == 200
    ((_, body),) = model.requests
    assert body == {**asked, "max_tokens": 5000, "thinking": {"type": "enabled", "budget_tokens": 4999}}


def test_a_call_within_bounds_is_sent_byte_for_byte(tmp_path: Path) -> None:
    body = b'{ "model":"m",\r\n "max_tokens" : 1e1, "messages":[] }'
    with (
        RawServer(sends(JSON_OK)) as upstream,
        Gateway(tmp_path / "s", AnthropicModel(upstream.url, KEY)) as gateway,
    ):
        ask(gateway.socket, "POST", "/v1/messages", body)
    assert upstream.requests[0].endswith(b"\r\n\r\n" + body)


def test_an_answer_is_asked_for_unpacked_so_that_it_can_be_read_on_its_way(
    gateway: Gateway, model: ScriptedModel
) -> None:
    call(gateway.socket, accept_encoding="gzip, br")
    ((headers, _),) = model.requests
    assert {name.lower(): value for name, value in headers.items()}["accept-encoding"] == "identity"


def test_one_connection_to_the_service_carries_many_calls(tmp_path: Path) -> None:
    def twice(connection: socket.socket) -> None:
        connection.sendall(JSON_OK)
        read_request(connection)
        connection.sendall(JSON_OK)

    with RawServer(twice) as upstream, Gateway(tmp_path / "s", AnthropicModel(upstream.url, KEY)) as gateway:
        assert [call(gateway.socket).status for _ in range(2)] == [200, 200]
    assert len(upstream.requests) == 1
