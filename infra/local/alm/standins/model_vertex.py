"""A scripted model behind Vertex AI's wire format, and the token endpoint its credential names.

The token is given for an assertion that the service account's key has signed, as Google does, and runs out.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from alm.standins.model import events_of, message_of
from alm.standins.model_server import Asked, CloudModel, Said, whole

PROJECT, REGION, VERSION = "alm-stand-in", "europe-west1", "vertex-2023-10-16"
TOKEN_PATH = "/token"  # noqa: S105  # a path
MODELS = f"/v1/projects/{PROJECT}/locations/{REGION}/publishers/anthropic/models/"
PATH = re.compile(re.escape(MODELS) + "([^/:]+):(rawPredict|streamRawPredict)")
STATUSES: Mapping[int, str] = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class VertexStandIn(CloudModel):
    """Vertex. `models` are the ids it has, `lifetime_s` how long a token is good, `tokens` those it gave."""

    models: frozenset[str] = frozenset()
    lifetime_s: int = 3600
    tokens: list[str] = field(default_factory=list)

    def credential(self) -> dict[str, str]:
        """The JSON of a service account whose tokens come from here."""
        pem = _key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "stand-in",
            "private_key": pem,
            "client_email": f"agent@{PROJECT}.example.net",
            "token_uri": self.url + TOKEN_PATH,
        }

    def answer(self, asked: Asked) -> Said:
        """See `CloudModel`."""
        if asked.path == TOKEN_PATH:
            return self._token(asked)
        bearer = {name.lower(): value for name, value in asked.headers.items()}.get("authorization")
        if not self.tokens or bearer != f"Bearer {self.tokens[-1]}":
            return self._error(401, "Request had invalid authentication credentials.")
        found = PATH.fullmatch(asked.path)
        return self._error(404, "no such path") if found is None else self._predicted(asked, found)

    def _token(self, asked: Asked) -> Said:
        if not _is_signed(parse_qs(asked.body.decode()).get("assertion", [""])[0]):
            self.refuse("400 invalid_grant")
            return whole(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        self.tokens.append(f"ya29.stand-in-{len(self.tokens)}")
        return whole(
            200, {"access_token": self.tokens[-1], "expires_in": self.lifetime_s, "token_type": "Bearer"}
        )

    def _predicted(self, asked: Asked, found: re.Match[str]) -> Said:
        body, model = json.loads(asked.body), unquote(found[1])
        if model == "count-tokens":
            return (
                whole(200, {"input_tokens": 17})
                if body.get("model") in self.models
                else self._error(404, "?")
            )
        if model not in self.models:
            return self._error(404, f"Publisher Model `{found[0][1:]}` was not found.")
        if (fault := body_fault(body)) is not None:
            return self._error(400, fault)
        conversation, turn = self.turn(asked, body)
        if turn.status >= 400:  # noqa: PLR2004  # HTTP's own line between answers and errors
            return self._error(turn.status, f"scripted {turn.status}", turn.headers)
        message = message_of(conversation, turn, model)
        if found[2] == "rawPredict":
            return whole(200, message)
        return Said(200, {"content-type": "text/event-stream"}, _stream(message))

    def _error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Said:
        self.refuse(f"{status}: {message}")
        error = {"code": status, "message": message, "status": STATUSES.get(status, "UNKNOWN")}
        return whole(status, [{"error": error}], headers)


def body_fault(body: Mapping[str, Any]) -> str | None:
    """What Vertex would not take; None if it takes it."""
    extra = body.keys() & {"model", "context_management"}
    if extra:
        return f"{min(extra)}: Extra inputs are not permitted"
    return None if body.get("anthropic_version") == VERSION else "anthropic_version: Field required"


def _stream(message: dict[str, Any]) -> Iterator[bytes]:
    for name, data in events_of(message):
        yield f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()


def _is_signed(assertion: str) -> bool:
    signed, _, signature = assertion.rpartition(".")
    try:
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        _key().public_key().verify(raw, signed.encode(), padding.PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True
