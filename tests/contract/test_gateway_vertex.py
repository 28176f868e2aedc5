"""The gateway in front of Vertex AI: Anthropic's words to the agent, Google's to the service."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.contract.cloud_models import (
    CALL,
    NAME,
    PLACEHOLDER,
    VERTEX_ID,
    Says,
    call,
    events,
    sends_chunks,
    text_of,
    vertex_gateway,
    vertex_standin,
)
from tests.contract.gateway_client import UnixConnection, say
from tests.contract.raw_server import RawServer, Script, sends

from alm.standins.model import Turn
from alm.standins.model_vertex import MODELS, TOKEN_PATH, VertexStandIn
from orchestrator.adapters.gateway.server import Gateway
from orchestrator.adapters.gateway.vertex import BearerToken
from orchestrator.errors import ConfigError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=b\r\n\r\n"


@pytest.fixture
def script() -> Says:
    return Says()


@pytest.fixture
def model(script: Says) -> Iterator[VertexStandIn]:
    with vertex_standin(script) as running:
        yield running


@pytest.fixture
def gateway(model: VertexStandIn, tmp_path: Path) -> Iterator[Gateway]:
    with vertex_gateway(tmp_path, model.url, model.credential()) as running:
        yield running


def test_a_call_goes_to_the_models_own_address_with_a_token_and_in_vertexs_words(
    gateway: Gateway, model: VertexStandIn
) -> None:
    answer = call(gateway, stream=True)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    assert text_of(events(answer.body)) == "hello\n\ndata: there"
    ((headers, body),) = model.requests
    assert body == {
        "max_tokens": 100,
        "messages": CALL["messages"],
        "metadata": CALL["metadata"],
        "stream": True,
        "anthropic_version": "vertex-2023-10-16",
    }
    assert headers["anthropic-beta"] == "claude-code-20250219,interleaved-thinking-2025-05-14"
    assert (gateway.denials, gateway.upstream_status, model.refused) == ((), None, [])


def test_no_header_of_a_connection_passes_either_way_and_no_credential(
    gateway: Gateway, model: VertexStandIn
) -> None:
    answers = [call(gateway), call(gateway, stream=True), call(gateway, "/v1/messages/count_tokens")]
    for headers, body in model.requests:
        assert {name.lower() for name in headers} <= {
            *("host", "user-agent", "content-length", "accept-encoding", "content-type"),
            *("authorization", "anthropic-beta"),
        }
        assert PLACEHOLDER not in repr((headers, body))
    for answer in answers:
        assert {name.lower() for name in answer.headers} == {"content-type", "transfer-encoding"}
        assert model.tokens[-1] not in repr(answer)


def test_an_answer_that_is_not_streamed_comes_whole(gateway: Gateway) -> None:
    answer = call(gateway)
    assert answer.json()["content"][0]["text"] == "hello\n\ndata: there"


def test_tokens_are_counted(gateway: Gateway) -> None:
    answer = call(gateway, "/v1/messages/count_tokens?beta=true")
    assert (answer.status, answer.json()) == (200, {"input_tokens": 17})


def test_a_token_is_got_once_and_again_when_it_is_due(script: Says, tmp_path: Path) -> None:
    with vertex_standin(script) as model, vertex_gateway(tmp_path, model.url, model.credential()) as gateway:
        assert [call(gateway).status for _ in range(3)] == [200] * 3
        assert len(model.tokens) == 1
    # Google-auth renews minutes before the end: one that is good for a second is always due.
    with vertex_standin(script) as model, vertex_gateway(tmp_path, model.url, model.credential()) as gateway:
        model.lifetime_s = 1
        assert [call(gateway).status for _ in range(3)] == [200] * 3
        assert len(model.tokens) == 3


def test_calls_at_once_share_one_token(gateway: Gateway, model: VertexStandIn) -> None:
    seen: list[int] = []
    threads = [Thread(target=lambda: seen.append(call(gateway).status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (seen, len(model.tokens)) == ([200] * 8, 1)


@pytest.mark.parametrize("path", ["/nothing-here", TOKEN_PATH], ids=["odd", "plain"])
def test_a_credential_that_is_refused_ends_the_run_at_once(
    model: VertexStandIn, tmp_path: Path, path: str
) -> None:
    another = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = another.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    wrong = {**model.credential(), "private_key": pem, "token_uri": f"{model.url}{path}"}
    with vertex_gateway(tmp_path, model.url, wrong) as gateway:
        answer = call(gateway)
        assert (answer.status, gateway.upstream_status) == (403, 403)
        assert answer.json()["error"]["message"] == "the model's service refuses the worker's credential"


def test_a_token_the_service_no_longer_takes_is_not_the_agents_to_repair(
    gateway: Gateway, model: VertexStandIn
) -> None:
    assert call(gateway).status == 200
    model.tokens.append("another")
    answer = call(gateway)
    assert (answer.status, gateway.upstream_status) == (403, 401)


def test_a_token_endpoint_that_does_not_answer_is_a_502(model: VertexStandIn, tmp_path: Path) -> None:
    with RawServer(sends(b"")) as silent:
        credential = {**model.credential(), "token_uri": silent.url}
        with vertex_gateway(tmp_path, model.url, credential) as gateway:
            assert (call(gateway).status, gateway.upstream_status) == (502, 502)
    assert model.requests == []


def test_a_token_request_follows_no_redirect(model: VertexStandIn, tmp_path: Path) -> None:
    with RawServer(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as elsewhere:
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n".encode()
        with RawServer(sends(moved)) as token:
            credential = {**model.credential(), "token_uri": token.url}
            with vertex_gateway(tmp_path, model.url, credential) as gateway:
                assert call(gateway).status == 403
    assert elsewhere.requests == []


def answered(tmp_path: Path, model: VertexStandIn, script: Script) -> tuple[bytes, Gateway, list[bytes]]:
    """What the agent gets when a raw server stands in Vertex's place, and what that was asked."""
    body = json.dumps({**CALL, "stream": True}).encode()
    request = b"POST /v1/messages HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with RawServer(script) as raw, vertex_gateway(tmp_path, raw.url, model.credential()) as gateway:
        return say(gateway.socket, request), gateway, raw.requests


def test_the_address_names_project_region_and_pinned_model(model: VertexStandIn, tmp_path: Path) -> None:
    _, _, (asked,) = answered(tmp_path, model, sends_chunks(HEAD, b"data"))
    assert asked.startswith(f"POST {MODELS}{VERTEX_ID}:streamRawPredict HTTP/1.1\r\n".encode())


def test_an_event_arrives_while_the_service_is_still_at_it(model: VertexStandIn, tmp_path: Path) -> None:
    first_arrived = Event()

    def slowly(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"5\r\nfirst\r\n")
        if first_arrived.wait(5):
            connection.sendall(b"6\r\nsecond\r\n0\r\n\r\n")

    with RawServer(slowly) as upstream, vertex_gateway(tmp_path, upstream.url, model.credential()) as gateway:
        connection = UnixConnection(gateway.socket)
        connection.request("POST", "/v1/messages", json.dumps({**CALL, "stream": True}))
        answer = connection.getresponse()
        assert answer.read1() == b"first"
        first_arrived.set()
        assert answer.read() == b"second"
        connection.close()


def test_a_stream_that_breaks_off_breaks_off_for_the_agent_too(model: VertexStandIn, tmp_path: Path) -> None:
    said, gateway, _ = answered(tmp_path, model, sends_chunks(HEAD, b"first", end=False))
    assert b"first" in said
    assert not said.endswith(b"0\r\n\r\n")
    assert gateway.upstream_status == 502


@pytest.mark.parametrize(
    ("status", "seen", "kind", "message"),
    [
        (400, 400, "invalid_request_error", "scripted 400"),
        (403, 403, "permission_error", "the worker's account may not use this model"),
        (429, 429, "rate_limit_error", "the model's service limits how often it may be asked"),
        (500, 500, "api_error", "scripted 500"),
        (503, 529, "overloaded_error", "the model's service is overloaded"),
    ],
)
def test_an_error_of_the_service_is_one_of_anthropics(
    gateway: Gateway, script: Says, status: int, seen: int, kind: str, message: str
) -> None:
    script.turn = Turn(
        status=status, headers={"retry-after": "7", "x-should-retry": "false", "set-cookie": "a=b"}
    )
    answer = call(gateway, stream=True)
    assert (answer.status, gateway.upstream_status) == (seen, seen)
    assert answer.json()["error"] == {"type": kind, "message": message}
    assert answer.headers["retry-after"] == "7"
    assert "set-cookie" not in {name.lower() for name in answer.headers}


@pytest.mark.parametrize("body", [b"x" * 1_000_000, b"\xff", b"[]", b'{"error": "no"}', b"[" * 50_000, b""])
def test_an_error_nobody_can_read_is_one_all_the_same(
    model: VertexStandIn, tmp_path: Path, body: bytes
) -> None:
    head = b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n" % len(body)
    said, _, _ = answered(tmp_path, model, sends(head + body))
    assert said.startswith(b"HTTP/1.1 500 ")
    assert b"the model's service failed" in said


def test_a_model_without_a_pinned_id_is_refused_and_counted(gateway: Gateway, model: VertexStandIn) -> None:
    answer = call(gateway, model="claude-fable-5-2")
    assert (answer.status, len(gateway.denials), model.requests) == (404, 1, [])


@pytest.mark.parametrize(
    "name", ["../../../x", NAME + "/../x", "count-tokens", "x:rawPredict?a", 7, None, [NAME]]
)
def test_no_name_of_a_model_leads_to_another_address(
    gateway: Gateway, model: VertexStandIn, name: object
) -> None:
    assert call(gateway, model=name).status == 404
    assert (model.requests, model.refused) == ([], [])


@pytest.mark.parametrize(
    "information",
    [
        {"type": "service_account"},
        {"type": "service_account", "client_email": "a", "token_uri": "b", "private_key": "hunter2"},
        {"type": "external_account"},
        {"type": "external_account", "audience": "hunter2"},
        {},
    ],
)
def test_a_credential_google_auth_does_not_take_is_a_fault_that_shows_nothing(
    information: dict[str, str],
) -> None:
    with pytest.raises(ConfigError) as caught:
        BearerToken(information)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__
