"""What goes wrong at Bedrock, told to the agent as Anthropic would tell it."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from tests.contract.bedrock_wire import START, STOP, stream_of
from tests.contract.cloud_models import (
    BEDROCK_ID,
    CALL,
    NAME,
    Says,
    bedrock_gateway,
    bedrock_standin,
    call,
    events,
    text_of,
)
from tests.contract.gateway_client import UnixConnection
from tests.contract.raw_server import RawServer, sends

from alm.standins.model import Turn
from alm.standins.model_bedrock import (
    ACCESS_KEY,
    REGION,
    BedrockStandIn,
    event_frame,
    exception_frame,
)
from orchestrator.adapters.gateway.bedrock import BedrockModel, client_config
from orchestrator.adapters.gateway.server import Gateway


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


def test_a_signature_of_another_key_is_refused_and_nothing_told_of_it(
    model: BedrockStandIn, tmp_path: Path
) -> None:
    client = boto3.client(
        "bedrock-runtime",
        region_name=REGION,
        endpoint_url=model.url,
        config=client_config(),
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key="another",
    )
    with Gateway(tmp_path / "s", BedrockModel(client, {NAME: BEDROCK_ID})) as gateway:
        answer = call(gateway, stream=True)
    assert (answer.status, gateway.upstream_status) == (403, 403)
    assert answer.json()["error"] == {
        "type": "permission_error",
        "message": "the worker's role may not use this model",
    }
    assert model.refused == ["403 InvalidSignatureException: the signature is wrong"]
    assert model.requests == []


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("throttlingException", "rate_limit_error", "the model's service limits how often it may be asked"),
        ("serviceUnavailableException", "overloaded_error", "the model's service is overloaded"),
        ("modelStreamErrorException", "api_error", "at arn of a kind"),
        ("internalServerException", "api_error", "at arn of a kind"),
        ("modelTimeoutException", "timeout_error", "the model took too long"),
        ("validationException", "invalid_request_error", "at arn of a kind"),
        ("somethingNewException", "api_error", "the model's service failed"),
    ],
)
def test_an_exception_in_the_stream_is_an_error_event_that_ends_it(
    tmp_path: Path, code: str, kind: str, message: str
) -> None:
    said, _ = stream_of(tmp_path, START, exception_frame(code, "at arn of a kind"), STOP)
    assert said.endswith(b"\r\n0\r\n\r\n")
    error = json.dumps({"type": "error", "error": {"type": kind, "message": message}}, separators=(",", ":"))
    assert f"event: error\ndata: {error}\n\n".encode() in said
    assert b"message_stop" not in said


@pytest.mark.parametrize(
    ("chunks", "end"),
    [
        ((START,), True),
        ((START, STOP[:-3]), True),
        ((START, STOP[:20] + b"x" + STOP[21:]), True),
        ((START, event_frame({"no": "type"}), STOP), True),
        ((START,), False),
        ((START, STOP[:9]), False),
    ],
    ids=["no end", "half a frame", "wrong checksum", "no event", "cut", "cut in a frame"],
)
def test_a_stream_that_breaks_off_breaks_off_for_the_agent_too(
    tmp_path: Path, chunks: tuple[bytes, ...], end: bool
) -> None:
    said, gateway = stream_of(tmp_path, *chunks, end=end)
    assert b"event: message_start" in said
    assert not said.endswith(b"0\r\n\r\n")
    assert gateway.upstream_status == 502


@pytest.mark.parametrize(
    ("status", "seen", "kind"),
    [
        (400, 400, "invalid_request_error"),
        (403, 403, "permission_error"),
        (404, 404, "not_found_error"),
        (429, 429, "rate_limit_error"),
        (500, 500, "api_error"),
        (503, 529, "overloaded_error"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_an_error_of_the_service_is_one_of_anthropics(
    gateway: Gateway, script: Says, model: BedrockStandIn, status: int, seen: int, kind: str, stream: bool
) -> None:
    script.turn = Turn(status=status, headers={"x-should-retry": "false"})
    answer = call(gateway, stream=stream)
    assert (answer.status, answer.json()["error"]["type"], gateway.upstream_status) == (seen, kind, seen)
    # The CLI repeats; a second try here would be one more than anybody counts.
    assert len(model.requests) == 1


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"nonsense\r\n\r\n"], ids=["cut", "half", "other"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_service_that_does_not_answer_is_a_502(tmp_path: Path, answer: bytes, stream: bool) -> None:
    with RawServer(sends(answer)) as upstream, bedrock_gateway(tmp_path, upstream.url) as gateway:
        refused = call(gateway, stream=stream)
        assert (refused.status, gateway.upstream_status) == (502, 502)
        assert upstream.url.encode() not in refused.body
    assert len(upstream.requests) == 1


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with RawServer(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as elsewhere:
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n".encode()
        with RawServer(sends(moved)) as upstream, bedrock_gateway(tmp_path, upstream.url) as gateway:
            answer = call(gateway)
    assert answer.status >= 300
    assert elsewhere.requests == []


def test_a_worker_without_credentials_ends_the_run_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = boto3.Session(region_name=REGION).client("bedrock-runtime", config=client_config())
    with Gateway(tmp_path / "s", BedrockModel(client, {NAME: BEDROCK_ID})) as gateway:
        assert call(gateway).status == 403


@pytest.mark.parametrize("gone_after", [1, 2])
def test_a_peer_that_goes_away_leaves_nothing_to_the_next_call(
    gateway: Gateway, model: BedrockStandIn, gone_after: int
) -> None:
    for _ in range(gone_after):
        connection = UnixConnection(gateway.socket)
        connection.request("POST", "/v1/messages", json.dumps({**CALL, "stream": True}))
        connection.getresponse().read(1)
        connection.close()
    assert text_of(events(call(gateway, stream=True).body)) == "hello\n\ndata: there"
    assert model.refused == []
