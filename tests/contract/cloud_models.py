"""The gateway in front of a cloud's model, with the provider made as bootstrap makes it."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.contract.gateway_client import Answered, ask

from alm.standins import model_bedrock, model_vertex
from alm.standins.model import Conversation, Script, Turn
from orchestrator.adapters.gateway import bedrock, vertex
from orchestrator.adapters.gateway.server import Gateway
from orchestrator.config import ModelSettings

NAME = "claude-opus-5-5"
BEDROCK_ID, VERTEX_ID = "eu.anthropic.claude-opus-5-5-v1:0", "claude-opus-5-5@20260801"
PLACEHOLDER = "the-gateway-holds-the-credential"
CALL: Mapping[str, Any] = {
    "model": NAME,
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
    "metadata": {"user_id": "x"},
}


class Says:
    """A script that answers with the turn it holds."""

    def __init__(self) -> None:
        self.turn = Turn(text="hello\n\ndata: there")

    def __call__(self, _conversation: Conversation) -> Turn:
        return self.turn


def bedrock_standin(script: Script) -> model_bedrock.BedrockStandIn:
    return model_bedrock.BedrockStandIn(script, models=frozenset({BEDROCK_ID}))


def vertex_standin(script: Script) -> model_vertex.VertexStandIn:
    return model_vertex.VertexStandIn(script, models=frozenset({VERTEX_ID}))


def bedrock_settings(url: str) -> dict[str, str]:
    return {
        "MODEL_PROVIDER": "bedrock",
        "MODEL_IDS": json.dumps({NAME: BEDROCK_ID}),
        "BEDROCK_REGION": model_bedrock.REGION,
        "BEDROCK_ENDPOINT_URL": url,
        "BEDROCK_SECRET": "alm/bedrock",
    }


def bedrock_secret(_name: str) -> str:
    keys = {"access_key_id": model_bedrock.ACCESS_KEY, "secret_access_key": model_bedrock.SECRET_KEY}
    return json.dumps(keys)


def vertex_settings(url: str) -> dict[str, str]:
    return {
        "MODEL_PROVIDER": "vertex",
        "MODEL_IDS": json.dumps({NAME: VERTEX_ID}),
        "VERTEX_PROJECT": model_vertex.PROJECT,
        "VERTEX_REGION": model_vertex.REGION,
        "VERTEX_ENDPOINT_URL": url,
    }


@contextmanager
def bedrock_gateway(folder: Path, url: str) -> Iterator[Gateway]:
    settings = ModelSettings.read(bedrock_settings(url))
    with Gateway(folder / "model.sock", bedrock.connect(settings, bedrock_secret), settings.rules) as running:
        yield running
        assert model_bedrock.SECRET_KEY not in repr(running)


@contextmanager
def vertex_gateway(folder: Path, url: str, credential: Mapping[str, str]) -> Iterator[Gateway]:
    settings = ModelSettings.read(vertex_settings(url))
    provider = vertex.connect(settings, lambda _name: json.dumps(dict(credential)))
    with Gateway(folder / "model.sock", provider, settings.rules) as running:
        yield running
        assert "PRIVATE KEY" not in repr(running)


def call(gateway: Gateway, target: str = "/v1/messages?beta=true", **changes: object) -> Answered:
    """A model call with the headers the CLI sends, and some it should not."""
    headers = {
        "x-api-key": PLACEHOLDER,
        "authorization": f"Bearer {PLACEHOLDER}",
        "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,files-api-2025-04-14,"
        "token-counting-2024-11-01",
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
        "user-agent": "claude-cli",
        "accept-encoding": "gzip",
        "connection": "keep-alive, x-odd",
        "keep-alive": "timeout=9",
        "te": "trailers",
        "trailer": "x-odd",
        "upgrade": "odd",
        "proxy-authorization": "Basic odd",
        "proxy-connection": "keep-alive",
        "x-odd": "odd",
    }
    return ask(gateway.socket, "POST", target, json.dumps({**CALL, **changes}).encode(), headers)


def events(body: bytes) -> list[dict[str, Any]]:
    """The events of a stream. Each has its type as its name, and its data in one line."""
    found = []
    for block in body.decode().removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        value = json.loads(data.removeprefix("data: "))
        assert name == f"event: {value['type']}"
        found.append(value)
    return found


def text_of(stream: list[dict[str, Any]]) -> str:
    """What the model said, put together."""
    return "".join(
        event["delta"]["text"] for event in stream if event.get("delta", {}).get("type") == "text_delta"
    )


def sends_chunks(head: bytes, *chunks: bytes, end: bool = True) -> Callable[[socket.socket], None]:
    """A raw server's answer in chunks."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return lambda connection: connection.sendall(head + body + (b"0\r\n\r\n" if end else b""))
