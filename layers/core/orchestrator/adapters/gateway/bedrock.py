"""Amazon Bedrock: the call signed by botocore with the role's credentials, the event stream turned back into SSE.

The credentials come from the process's own chain and are refreshed by botocore. They never reach the agent.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import urllib3
from botocore.config import Config
from botocore.eventstream import ParserError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    EventStreamError,
    NoCredentialsError,
    ResponseStreamingError,
)

from orchestrator.adapters.gateway.provider import (
    CONNECT_TIMEOUT_S,
    CONNECTIONS,
    READ_TIMEOUT_S,
    Answer,
    Call,
    ModelProvider,
    NoAnswer,
    NotReached,
    error_answer,
)
from orchestrator.adapters.gateway.upstream_http import CHUNK
from orchestrator.config import ModelSettings
from orchestrator.domain import bedrock
from orchestrator.secret_values import BedrockSecret, parsed_secret

JSON, EVENTS = {"content-type": "application/json"}, {"content-type": "text/event-stream"}
BROKEN = (urllib3.exceptions.HTTPError, BotoCoreError, ResponseStreamingError, ParserError, ValueError)
# Whether and when the service may be asked again. botocore gives the names in lower case.
HINTS = frozenset({"retry-after", "x-should-retry"})
NOT_COUNTED = "this model's tokens cannot be counted here"
# CountTokens knows few models and no profile, and a role may lack it. The CLI then estimates, unless it tries again.
NOT_COUNTABLE = frozenset({400, 403, 404})


def client_config() -> Config:
    """How to call Bedrock: once, since the CLI repeats, and at no address a variable of the environment names."""
    return Config(
        retries={"total_max_attempts": 1},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        max_pool_connections=CONNECTIONS,
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # the stubs do not know it
    )


@dataclass(frozen=True)
class BedrockModel:
    """See `ModelProvider`. `client` is boto3's `bedrock-runtime`, `models` the pinned id for each name of the CLI."""

    client: Any = field(repr=False)
    models: Mapping[str, str]

    def send(self, call: Call) -> Answer:
        """See `ModelProvider`."""
        model_id = self.models.get(str(call.request.get("model")))
        if model_id is None:
            return error_answer(404, bedrock.SENTENCES[404])
        try:
            return self._way(call)(call, model_id)
        except ClientError as error:
            return _refused(error, counted=call.counts_tokens)
        except (NoCredentialsError, CredentialRetrievalError):
            return error_answer(403, "the worker has no credentials for the model's service")
        except (EndpointConnectionError, ConnectTimeoutError):
            raise NotReached from None
        except BROKEN:
            # Its words name the address.
            raise NoAnswer from None

    def _way(self, call: Call) -> Callable[[Call, str], Answer]:
        if call.counts_tokens:
            return self._counted
        return self._streamed if call.request.get("stream") is True else self._whole

    def _streamed(self, call: Call, model_id: str) -> Answer:
        answer = self.client.invoke_model_with_response_stream(**_asked(call, model_id))
        return Answer(200, EVENTS, _events(answer["body"]), answer["body"].close)

    def _whole(self, call: Call, model_id: str) -> Answer:
        answer = self.client.invoke_model(**_asked(call, model_id))
        return Answer(200, JSON, _chunks(answer["body"]), answer["body"].close)

    def _counted(self, call: Call, model_id: str) -> Answer:
        body = json.dumps(bedrock.countable(call.request, call.betas)).encode()
        answer = self.client.count_tokens(
            modelId=bedrock.counted_model(model_id), input={"invokeModel": {"body": body}}
        )
        return Answer(200, JSON, iter((json.dumps({"input_tokens": answer["inputTokens"]}).encode(),)))


def _asked(call: Call, model_id: str) -> dict[str, Any]:
    kind = "application/json"
    body = json.dumps(bedrock.body(call.request, call.betas)).encode()
    return {"modelId": model_id, "contentType": kind, "accept": kind, "body": body}


def _refused(error: ClientError, *, counted: bool) -> Answer:
    said, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    ours, message = bedrock.error_of(said.get("Code", ""), said.get("Message", ""), status)
    if counted and ours in NOT_COUNTABLE:
        return _with(error_answer(501, NOT_COUNTED), {"x-should-retry": "false"})
    named = error.response["ResponseMetadata"].get("HTTPHeaders", {})
    return _with(error_answer(ours, message), {name: named[name] for name in HINTS & named.keys()})


def _with(answer: Answer, headers: Mapping[str, str]) -> Answer:
    return Answer(answer.status, {**answer.headers, **headers}, answer.chunks)


def _events(stream: Any) -> Iterator[bytes]:
    """Each event as it arrives. A stream that stops before the message does is broken off, not ended."""
    ended = False
    try:
        for part in stream:
            said = bedrock.event(part["chunk"]["bytes"])
            ended = ended or said.startswith(b"event: message_stop\n")
            yield said
    except EventStreamError as error:
        yield bedrock.error_event(error.response["Error"]["Code"], error.response["Error"]["Message"])
        return
    except (*BROKEN, KeyError):
        raise NoAnswer from None
    if not ended:
        raise NoAnswer


def _chunks(body: Any) -> Iterator[bytes]:
    try:
        while chunk := body.read(CHUNK):
            yield chunk
    except BROKEN:
        raise NoAnswer from None


def connect(settings: ModelSettings, secret: Callable[[str], str]) -> ModelProvider:
    """The provider, with the role's credentials unless a secret is named."""
    session = boto3.Session(region_name=settings.bedrock_region, **_own_keys(settings.bedrock_secret, secret))
    # The stubs are those of the services the layer uses, and this is not among them.
    make: Callable[..., Any] = session.client
    client = make("bedrock-runtime", endpoint_url=settings.bedrock_endpoint_url, config=client_config())
    return BedrockModel(client, settings.model_ids)


def _own_keys(name: str | None, secret: Callable[[str], str]) -> dict[str, Any]:
    """Nothing where the worker has a role: botocore finds and renews that itself."""
    if name is None:
        return {}
    keys = parsed_secret(BedrockSecret, name, secret(name))
    return {
        "aws_access_key_id": keys.access_key_id,
        "aws_secret_access_key": keys.secret_access_key,
        "aws_session_token": keys.session_token,
    }
