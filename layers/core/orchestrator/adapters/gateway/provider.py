"""What the gateway asks of whoever runs the model: take a judged call, give back bytes in Anthropic's form.

A provider adds the credential and speaks the service's own protocol. It never sees the agent's socket.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from orchestrator.domain.model_errors import error_body

MESSAGES, COUNT_TOKENS = "/v1/messages", "/v1/messages/count_tokens"
FORWARDED_PATHS = frozenset({MESSAGES, COUNT_TOKENS})
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10, 600
# Calls of one agent at once: its own and its sub-agents'.
CONNECTIONS = 32


@dataclass(frozen=True)
class Call:
    """A model call that may leave. `headers` are those that may pass, in lower case; `body` is `request` as bytes."""

    path: str
    query: str
    headers: Mapping[str, str]
    request: Mapping[str, Any]
    body: bytes

    @property
    def counts_tokens(self) -> bool:
        """Whether it only asks how long a conversation is."""
        return self.path == COUNT_TOKENS

    @property
    def betas(self) -> tuple[str, ...]:
        """The betas that may pass."""
        return tuple(filter(None, self.headers.get("anthropic-beta", "").split(",")))

    def asking(self, request: Mapping[str, Any]) -> "Call":
        """The call with another request; the same one, byte for byte, if the request is the same."""
        if request is self.request:
            return self
        return replace(self, request=request, body=json.dumps(request, separators=(",", ":")).encode())


@dataclass(frozen=True)
class Answer:
    """What came back. `chunks` raises NoAnswer if the service breaks off; `close` frees the connection."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]
    close: Callable[[], object] = lambda: None


class NoAnswer(Exception):  # noqa: N818  # it says what happened
    """The service did not answer, or stopped in the middle."""


class NotReached(NoAnswer):
    """No connection was made, so that nothing can have been charged."""


class ModelProvider(Protocol):
    """One service that runs the model. Used from many threads at once."""

    def send(self, call: Call) -> Answer:
        """Send the call with the credential; NoAnswer if nobody answers. The answer's body is not read yet."""
        ...


def error_answer(status: int, message: str) -> Answer:
    """An error of the service, in Anthropic's form."""
    return Answer(status, {"content-type": "application/json"}, iter((error_body(status, message),)))
