"""A scripted model behind Amazon Bedrock's wire format: signed requests in, the AWS event stream out.

The signature is checked with botocore's own signer. Frames are written here and read by botocore in the tests.
"""

import base64
import json
import re
import struct
from binascii import crc32
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from alm.standins.model import events_of, message_of
from alm.standins.model_server import Asked, CloudModel, Said, whole

ACCESS_KEY, SECRET_KEY, REGION = "AKIAALMSTANDIN", "the-secret-key-of-the-stand-in", "eu-central-1"
VERSION = "bedrock-2023-05-31"
PATH = re.compile(r"/model/([^/]+)/(invoke|invoke-with-response-stream|count-tokens)")
SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([a-z0-9-]+)/bedrock/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}"
)
# The code of an error for the status a script names.
CODES: Mapping[int, str] = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


@dataclass
class BedrockStandIn(CloudModel):
    """Bedrock's runtime. `models` are the ids it has; only those with no geography before them can be counted."""

    models: frozenset[str] = frozenset()

    def answer(self, asked: Asked) -> Said:
        """See `CloudModel`."""
        found = PATH.fullmatch(asked.path)
        if (reason := signature_fault(asked, self.url)) is not None:
            return self._error(403, reason, "InvalidSignatureException")
        if found is None:
            return self._error(404, "no such operation", "UnknownOperationException")
        model, operation = unquote(found[1]), found[2]
        if operation == "count-tokens":
            return self._counted(asked, model)
        return self._invoked(asked, model, streams=operation != "invoke")

    def _counted(self, asked: Asked, model: str) -> Said:
        if not model.startswith("anthropic."):
            return self._error(400, "The provided model doesn't support counting tokens.")
        body = json.loads(base64.b64decode(json.loads(asked.body)["input"]["invokeModel"]["body"]))
        fault = body_fault(body)
        return whole(200, {"inputTokens": 17}) if fault is None else self._error(400, fault)

    def _invoked(self, asked: Asked, model: str, *, streams: bool) -> Said:
        body = json.loads(asked.body)
        if model not in self.models:
            return self._error(400, "The provided model identifier is invalid.")
        if (fault := body_fault(body)) is not None:
            return self._error(400, fault)
        conversation, turn = self.turn(asked, body)
        if turn.status >= 400:  # noqa: PLR2004  # HTTP's own line between answers and errors
            return self._error(turn.status, f"scripted {turn.status}", headers=turn.headers)
        message = message_of(conversation, turn, model)
        if not streams:
            return whole(200, message)
        return Said(200, {"content-type": "application/vnd.amazon.eventstream"}, frames(message))

    def _error(
        self, status: int, message: str, code: str = "", headers: Mapping[str, str] | None = None
    ) -> Said:
        code = code or CODES.get(status, "InternalServerException")
        self.refuse(f"{status} {code}: {message}")
        return whole(status, {"message": message}, {**(headers or {}), "x-amzn-errortype": code})


def body_fault(body: Mapping[str, Any]) -> str | None:
    """What Bedrock would not take; None if it takes it."""
    extra = body.keys() & {"model", "stream", "context_management"}
    if extra:
        return f"{min(extra)}: Extra inputs are not permitted"
    if body.get("anthropic_version") != VERSION:
        return "anthropic_version: Field required"
    return None if "max_tokens" in body and "messages" in body else "max_tokens: Field required"


def signature_fault(asked: Asked, url: str) -> str | None:
    """What is wrong with a request's signature; None if it is botocore's own for the known key."""
    headers = {name.lower(): value for name, value in asked.headers.items()}
    signed = SIGNED.fullmatch(headers.get("authorization", ""))
    if signed is None:
        return "the request is not signed"
    if (signed[1], signed[2]) != (ACCESS_KEY, REGION):
        return "the key or the region is another one"
    names = signed[3].split(";")
    if not {"host", "x-amz-date"} <= set(names) or not set(names) <= headers.keys():
        return "too few headers are signed"
    request = AWSRequest("POST", url + asked.path, {name: headers[name] for name in names}, asked.body)
    right = _signature(request, headers["x-amz-date"])
    return None if headers["authorization"].endswith(f"Signature={right}") else "the signature is wrong"


def _signature(request: AWSRequest, date: str) -> str:
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "bedrock", REGION)
    request.context["timestamp"] = date
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(text, request))


def frames(message: dict[str, Any]) -> Iterator[bytes]:
    """The message's events, each in a frame of its own; the last tells what was measured, as Bedrock's does."""
    for name, data in events_of(message):
        measured = (
            {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 1}} if name == "message_stop" else {}
        )
        yield event_frame({"type": name, **data, **measured})


def event_frame(event: Mapping[str, Any]) -> bytes:
    """One event of the model."""
    inner = base64.b64encode(json.dumps(event).encode()).decode()
    # Bedrock pads its events, so that their length tells nothing.
    payload = json.dumps({"bytes": inner, "p": "abcdefgh"}).encode()
    return frame(
        {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}, payload
    )


def exception_frame(kind: str, message: str) -> bytes:
    """An error in the middle of a stream."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": message}).encode())


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message of `application/vnd.amazon.eventstream`: lengths, their checksum, headers, payload, checksum."""
    named = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(named) + len(payload), len(named))
    message = prelude + struct.pack("!I", crc32(prelude)) + named + payload
    return message + struct.pack("!I", crc32(message))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(text)) + text
