"""Vertex AI: the call with a bearer token that google-auth gets and renews; the stream passes as it is."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol, cast

import urllib3
from google.auth import aws, identity_pool
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.urllib3 import Request
from google.oauth2 import service_account

from orchestrator.adapters.gateway.provider import (
    CONNECT_TIMEOUT_S,
    Answer,
    Call,
    ModelProvider,
    NoAnswer,
    NotReached,
    error_answer,
)
from orchestrator.adapters.gateway.upstream_http import ServiceConnections
from orchestrator.config import ModelSettings
from orchestrator.domain import vertex
from orchestrator.errors import ConfigError
from orchestrator.secret_values import VertexSecret, parsed_secret

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
LARGEST_ERROR = 64 * 1024


class Refused(Exception):  # noqa: N818  # it says what happened
    """The token endpoint will not give a token for this credential."""


class _Credentials(Protocol):
    valid: bool
    token: str | None

    def refresh(self, request: Any) -> None: ...


class BearerToken:
    """The worker's token, got when first needed and again when it is due. Safe for many threads."""

    def __init__(self, information: Mapping[str, Any]) -> None:
        self._credentials = _credentials(information)
        timeout = urllib3.Timeout(CONNECT_TIMEOUT_S)
        pool = urllib3.PoolManager(timeout=timeout, retries=False)
        self._request = Request(pool)  # type: ignore[no-untyped-call]  # untyped there
        self._lock = Lock()

    def value(self) -> str:
        """A token that is good for some minutes; Refused or NotReached if there is none."""
        with self._lock:
            if not self._credentials.valid:
                self._refresh()
            return str(self._credentials.token)

    def _refresh(self) -> None:
        try:
            self._credentials.refresh(self._request)
        except (TransportError, urllib3.exceptions.HTTPError):
            raise NotReached from None
        except (GoogleAuthError, ValueError, AttributeError, KeyError, TypeError):
            # Its words quote the endpoint's answer; the last ones are of an answer in no form it knows.
            raise Refused from None


def _credentials(information: Mapping[str, Any]) -> _Credentials:
    """A service account's key or a workload identity federation, by its own words."""
    try:
        return _kind(information)(dict(information), scopes=SCOPES)
    except (GoogleAuthError, ValueError, KeyError, TypeError):
        # Their words quote the key.
        raise ConfigError(
            "The credential for Vertex AI cannot be used: google-auth does not take it."
        ) from None


def _kind(information: Mapping[str, Any]) -> Callable[..., _Credentials]:
    if information["type"] == "service_account":
        found = service_account.Credentials.from_service_account_info
    elif "aws4_request" in str(information.get("subject_token_type")):
        found = aws.Credentials.from_info
    else:
        found = identity_pool.Credentials.from_info
    return cast("Callable[..., _Credentials]", found)


@dataclass(frozen=True)
class VertexModel:
    """See `ModelProvider`. `address` goes as far as the models; `models` is the pinned id for each of the CLI's."""

    address: str
    models: Mapping[str, str]
    token: BearerToken = field(repr=False)
    _connections: ServiceConnections = field(default_factory=ServiceConnections, repr=False)

    def send(self, call: Call) -> Answer:
        """See `ModelProvider`."""
        model_id = self.models.get(str(call.request.get("model")))
        if model_id is None:
            return error_answer(404, vertex.SENTENCES[404])
        try:
            token = self.token.value()
        except Refused:
            return error_answer(403, vertex.SENTENCES[401])
        answer = self._connections.post(
            self._url(call, model_id), _headers(call, token), _body(call, model_id)
        )
        return answer if answer.status < 400 else _failed(answer)  # noqa: PLR2004  # HTTP's line

    def _url(self, call: Call, model_id: str) -> str:
        return f"{self.address}/{vertex.method(call.request, model_id, counts=call.counts_tokens)}"


def address(endpoint: str, project: str, region: str) -> str:
    """The address of all models of Anthropic's in a project and region."""
    return f"{endpoint}/v1/projects/{project}/locations/{region}/publishers/anthropic/models"


def _headers(call: Call, token: str) -> dict[str, str]:
    betas = ",".join(beta for beta in call.betas if beta in vertex.BETAS)
    named = {"anthropic-beta": betas} if betas else {}
    return {"content-type": "application/json", "authorization": f"Bearer {token}", **named}


def _body(call: Call, model_id: str) -> bytes:
    request = call.request
    value = vertex.counting_body(request, model_id) if call.counts_tokens else vertex.body(request)
    return json.dumps(value).encode()


def _failed(answer: Answer) -> Answer:
    """The error in Anthropic's form; of a long one the beginning counts."""
    content = b""
    try:
        for chunk in answer.chunks:
            content += chunk
            if len(content) > LARGEST_ERROR:
                break
    except NoAnswer:
        content = b""
    answer.close()
    kept = {
        name: value for name, value in answer.headers.items() if name in {"retry-after", "x-should-retry"}
    }
    ours = error_answer(*vertex.error_of(answer.status, content))
    return Answer(ours.status, {**ours.headers, **kept}, ours.chunks)


def connect(settings: ModelSettings, secret: Callable[[str], str]) -> ModelProvider:
    """The provider with the credential from the secret."""
    project, region = str(settings.vertex_project), str(settings.vertex_region)
    credential = parsed_secret(VertexSecret, settings.vertex_secret, secret(settings.vertex_secret))
    place = address(settings.vertex_endpoint_url or vertex.host(region), project, region)
    return VertexModel(place, settings.model_ids, BearerToken(credential.model_dump()))
