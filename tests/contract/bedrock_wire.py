"""Bedrock's bytes as a raw server sends them, and what the agent gets of them."""

import json
from pathlib import Path

from tests.contract.cloud_models import CALL, bedrock_gateway, sends_chunks
from tests.contract.gateway_client import say
from tests.contract.raw_server import RawServer

from alm.standins.model_bedrock import event_frame
from orchestrator.adapters.gateway.server import Gateway

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nTransfer-Encoding: chunked\r\n"
    b"Set-Cookie: a=b\r\nX-Odd: 1\r\nConnection: x-odd\r\nKeep-Alive: timeout=9\r\n\r\n"
)
START = event_frame({"type": "message_start", "message": {"usage": {"input_tokens": 3}}})
STOP = event_frame({"type": "message_stop"})


def stream_of(tmp_path: Path, *chunks: bytes, end: bool = True) -> tuple[bytes, Gateway]:
    """All the agent gets of a stream made of these chunks, and the gateway as it is then."""
    body = json.dumps({**CALL, "stream": True}).encode()
    request = b"POST /v1/messages HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with (
        RawServer(sends_chunks(HEAD, *chunks, end=end)) as upstream,
        bedrock_gateway(tmp_path, upstream.url) as gateway,
    ):
        return say(gateway.socket, request), gateway
