"""The gateway in front of Bedrock: Anthropic's words to the agent, AWS's to the service."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest
from botocore.eventstream import EventStreamBuffer
from tests.contract.bedrock_wire import HEAD, START, STOP, stream_of
from tests.contract.cloud_models import (
    CALL,
    NAME,
    PLACEHOLDER,
    Says,
    bedrock_gateway,
    bedrock_settings,
    bedrock_standin,
    call,
    events,
    text_of,
)
from tests.contract.gateway_client import UnixConnection
from tests.contract.raw_server import RawServer

from alm.standins.model import Turn
from alm.standins.model_bedrock import (
    ACCESS_KEY,
    REGION,
    SECRET_KEY,
    BedrockStandIn,
    exception_frame,
    frames,
)
from orchestrator.adapters.gateway.bedrock import BedrockModel, client_config, connect
from orchestrator.adapters.gateway.server import Gateway
from orchestrator.config import ModelSettings

HOP = {
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "proxy-authorization",
    "proxy-connection",
    "x-odd",
}


@pytest.fixture
def script() -> Says:
    return Says()


@pytest.fixture
def model(script: Says) -> Iterator[BedrockStandIn]:
    with bedrock_standin(script) as running:
        yield running


@pytest.fixture
def gateway(model: BedrockStandIn, tmp_path: Path) -> Iterator[Gateway]:
    with bedrock_gateway(tmp_path, model.url) as running:
        yield running


def test_a_call_is_signed_and_put_in_bedrocks_words(gateway: Gateway, model: BedrockStandIn) -> None:
    answer = call(gateway, stream=True)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    assert text_of(events(answer.body)) == "hello\n\ndata: there"
    ((headers, body),) = model.requests
    assert body == {
        "max_tokens": 100,
        "messages": CALL["messages"],
        "metadata": CALL["metadata"],
        "anthropic_version": "bedrock-2023-05-31",
        "anthropic_beta": ["interleaved-thinking-2025-05-14"],
    }
    assert f"Credential={ACCESS_KEY}/" in headers["Authorization"]
    assert model.refused == []
    assert (gateway.denials, gateway.upstream_status) == ((), None)


def test_the_stand_ins_frames_are_ones_that_botocore_reads() -> None:
    message: dict[str, Any] = {
        "content": [{"type": "text", "text": "hé"}],
        "stop_reason": "end_turn",
        "usage": {},
    }
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(frames(message)))
    parts: list[Any] = list(buffer)
    assert [part.headers[":event-type"] for part in parts] == ["chunk"] * 6
    buffer.add_data(exception_frame("throttlingException", "slow down"))
    error: Any = next(buffer)
    assert (error.headers[":exception-type"], json.loads(error.payload)) == (
        "throttlingException",
        {"message": "slow down"},
    )


def test_no_header_of_a_connection_passes_either_way_and_no_credential(
    gateway: Gateway, model: BedrockStandIn, tmp_path: Path
) -> None:
    call(gateway)
    ((headers, body),) = model.requests
    assert not HOP & {name.lower() for name in headers}
    assert PLACEHOLDER not in repr((headers, body))
    said, _ = stream_of(tmp_path / "..", START, STOP)
    head = said.partition(b"\r\n\r\n")[0].lower()
    assert head == b"http/1.1 200 ok\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked"


def test_the_credential_never_reaches_the_agent(gateway: Gateway, script: Says) -> None:
    answers = [call(gateway), call(gateway, stream=True), call(gateway, "/v1/messages/count_tokens")]
    script.turn = Turn(status=403)
    answers.append(call(gateway))
    for answer in answers:
        said = repr(answer)
        assert ACCESS_KEY not in said
        assert SECRET_KEY not in said
        assert "Signature" not in said


def test_an_answer_that_is_not_streamed_comes_whole(gateway: Gateway, model: BedrockStandIn) -> None:
    answer = call(gateway)
    assert answer.json()["content"][0]["text"] == "hello\n\ndata: there"
    assert answer.headers["content-type"] == "application/json"
    assert "stream" not in model.requests[0][1]


def test_an_event_arrives_while_the_service_is_still_at_it(tmp_path: Path) -> None:
    first_arrived = Event()

    def slowly(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"%x\r\n%s\r\n" % (len(START), START))
        if first_arrived.wait(5):
            connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(STOP), STOP))

    with RawServer(slowly) as upstream, bedrock_gateway(tmp_path, upstream.url) as gateway:
        connection = UnixConnection(gateway.socket)
        connection.request("POST", "/v1/messages", json.dumps({**CALL, "stream": True}))
        answer = connection.getresponse()
        assert events(answer.read1())[0]["type"] == "message_start"
        first_arrived.set()
        assert events(answer.read()) == [{"type": "message_stop"}]
        connection.close()


def test_frames_may_come_in_pieces_of_any_size(tmp_path: Path) -> None:
    said, gateway = stream_of(tmp_path, *(bytes([byte]) for byte in START + STOP))
    assert said.endswith(b"\r\n0\r\n\r\n")
    assert said.count(b"event: message_start\n") == said.count(b"event: message_stop\n") == 1
    assert gateway.upstream_status is None


def test_what_bedrock_measured_is_no_part_of_the_answer(gateway: Gateway) -> None:
    assert events(call(gateway, stream=True).body)[-1] == {"type": "message_stop"}


def test_a_model_without_a_pinned_id_is_refused_and_counted(gateway: Gateway, model: BedrockStandIn) -> None:
    answer = call(gateway, model="claude-fable-5-2")
    assert (answer.status, answer.json()["error"]["type"]) == (404, "not_found_error")
    assert [denial.target for denial in gateway.denials] == [
        "POST /v1/messages with a model this deployment has not agreed to"
    ]
    assert model.requests == []


def test_tokens_are_counted_by_the_model_behind_the_profile(gateway: Gateway) -> None:
    answer = call(gateway, "/v1/messages/count_tokens?beta=true")
    assert (answer.status, answer.json()) == (200, {"input_tokens": 17})


def test_tokens_that_cannot_be_counted_are_a_501_as_the_vendors_own_gateway_says_it(
    model: BedrockStandIn, tmp_path: Path
) -> None:
    arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc"
    client: Any = boto3.client(
        "bedrock-runtime",
        region_name=REGION,
        endpoint_url=model.url,
        config=client_config(),
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    with Gateway(tmp_path / "s", BedrockModel(client, {NAME: arn})) as gateway:
        answer = call(gateway, "/v1/messages/count_tokens")
    assert (answer.status, answer.headers["x-should-retry"]) == (501, "false")
    assert b"123456789012" not in answer.body


def test_the_client_calls_once_and_at_the_named_address_alone(
    monkeypatch: pytest.MonkeyPatch, model: BedrockStandIn
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", model.url)
    client = boto3.Session(region_name=REGION).client("bedrock-runtime", config=client_config())
    assert client.meta.endpoint_url == f"https://bedrock-runtime.{REGION}.amazonaws.com"
    assert client.meta.config.retries["total_max_attempts"] == 1


def test_the_roles_own_credentials_sign_where_no_secret_is_named(
    monkeypatch: pytest.MonkeyPatch, model: BedrockStandIn, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    given = {name: value for name, value in bedrock_settings(model.url).items() if name != "BEDROCK_SECRET"}
    settings = ModelSettings.read(given)
    with Gateway(tmp_path / "s", connect(settings, pytest.fail), settings.rules) as gateway:
        assert call(gateway).status == 200
    assert model.refused == []
