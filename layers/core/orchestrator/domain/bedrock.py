"""A Messages call in Amazon Bedrock's words, and Bedrock's answers in Anthropic's. Nothing here speaks to anybody.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.domain.model_errors import error_value

VERSION = "bedrock-2023-05-31"
# What the CLI itself sends to Bedrock in the body; Bedrock refuses a beta it does not know.
BETAS = frozenset({"interleaved-thinking-2025-05-14"})
# `model` and `stream` stand in the address; the last one only Anthropic's own service knows.
NOT_SENT = frozenset({"model", "stream", "context_management"})
# Which regions a profile may use stands before the model's own id.
_GEOGRAPHY = re.compile(r"^(?:global|us|us-gov|eu|apac|jp|au|ca|sa|me|af)\.(?=anthropic\.)")
_ARN = re.compile(r"arn:[^\s\"',]+")
LONGEST_MESSAGE = 2000
# An error's code, in answers and in streams, to Anthropic's status for the same thing.
STATUSES: Mapping[str, int] = {
    "validationexception": 400,
    "accessdeniedexception": 403,
    "expiredtokenexception": 403,
    "invalidsignatureexception": 403,
    "unrecognizedclientexception": 403,
    "resourcenotfoundexception": 404,
    "throttlingexception": 429,
    "servicequotaexceededexception": 429,
    "modelnotreadyexception": 429,
    "modelerrorexception": 500,
    "modelstreamerrorexception": 500,
    "internalserverexception": 500,
    "modeltimeoutexception": 504,
    "serviceunavailableexception": 529,
}
# Said in our words: the service's own name the account, the role and the model's address.
SENTENCES: Mapping[int, str] = {
    403: "the worker's role may not use this model",
    404: "the model's service does not have this model",
    429: "the model's service limits how often it may be asked",
    504: "the model took too long",
    529: "the model's service is overloaded",
}


def body(request: Mapping[str, Any], betas: Iterable[str]) -> dict[str, Any]:
    """The body of an InvokeModel call."""
    kept = {name: value for name, value in request.items() if name not in NOT_SENT}
    known = [beta for beta in betas if beta in BETAS]
    return {**kept, "anthropic_version": VERSION, **({"anthropic_beta": known} if known else {})}


def countable(request: Mapping[str, Any], betas: Iterable[str]) -> dict[str, Any]:
    """The body to count: it has to be a whole call, with an answer longer than its thinking."""
    thinking = request.get("thinking")
    budget = thinking.get("budget_tokens", 0) if isinstance(thinking, dict) else 0
    return {**body(request, betas), "max_tokens": budget + 1 if isinstance(budget, int) else 1}


def counted_model(model_id: str) -> str:
    """The id to count with: CountTokens knows models, not the profiles they are called by."""
    return _GEOGRAPHY.sub("", model_id)


def event(payload: bytes) -> bytes:
    """One event of the model as a server-sent one, without what Bedrock adds; ValueError if it is none."""
    value = json.loads(payload)
    try:
        return sse({name: part for name, part in value.items() if not name.startswith("amazon-bedrock-")})
    except (AttributeError, KeyError) as error:
        raise ValueError("an event without a type") from error


def sse(value: Mapping[str, Any]) -> bytes:
    """A server-sent event. Written anew, so that no line break of the payload ends it early."""
    name = json.dumps(value["type"])[1:-1]
    return f"event: {name}\ndata: {json.dumps(value, separators=(',', ':'))}\n\n".encode()


def error_event(code: str, message: str) -> bytes:
    """The event that ends a stream with an error."""
    return sse(error_value(*error_of(code, message, 500)))


def error_of(code: str, message: str, status: int) -> tuple[int, str]:
    """Anthropic's status and a sentence for an error; `status` is the HTTP one, for a code nobody knows."""
    ours = STATUSES.get(code.lower(), status)
    said = SENTENCES.get(ours) or _ARN.sub("a resource", message)[:LONGEST_MESSAGE]
    return ours, said or "the model's service failed"
