"""A Messages call in Vertex AI's words, and its errors in Anthropic's. Its streams are Anthropic's already.

https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

VERSION = "vertex-2023-10-16"
# What the CLI itself sends there.
BETAS = frozenset({"claude-code-20250219", "interleaved-thinking-2025-05-14", "effort-2025-11-24"})
# `model` stands in the address; the other only Anthropic's own service knows.
NOT_SENT = frozenset({"model", "context_management"})
LONGEST_MESSAGE = 2000
# Said in our words: the service's own name the project.
SENTENCES: Mapping[int, str] = {
    401: "the model's service refuses the worker's credential",
    403: "the worker's account may not use this model",
    404: "the model's service does not have this model",
    429: "the model's service limits how often it may be asked",
    529: "the model's service is overloaded",
}


def body(request: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a raw prediction."""
    kept = {name: value for name, value in request.items() if name not in NOT_SENT}
    return {**kept, "anthropic_version": VERSION}


def counting_body(request: Mapping[str, Any], model_id: str) -> dict[str, Any]:
    """The body of a token count, which names its model inside."""
    return {**body(request), "model": model_id}


def method(request: Mapping[str, Any], model_id: str, *, counts: bool) -> str:
    """The last part of the address: which model, and how it answers."""
    if counts:
        return "count-tokens:rawPredict"
    return (
        f"{quote(model_id, safe='@')}:{'streamRawPredict' if request.get('stream') is True else 'rawPredict'}"
    )


def host(region: str) -> str:
    """The service's address for a region; `global` has none in its name."""
    return f"https://{'' if region == 'global' else region + '-'}aiplatform.googleapis.com"


def error_of(status: int, content: bytes) -> tuple[int, str]:
    """Anthropic's status and a sentence for an error of Vertex or of the model behind it."""
    ours = 529 if status == 503 else status  # noqa: PLR2004  # unavailable: Anthropic says 529
    said = SENTENCES.get(ours) or _message(content)[:LONGEST_MESSAGE]
    return ours, said or "the model's service failed"


def _message(content: bytes) -> str:
    """What an error says, in Anthropic's form or Google's, which may stand in a list; empty if it is neither."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    value = value[0] if isinstance(value, list) and value else value
    error = value.get("error") if isinstance(value, dict) else None
    return str(error.get("message", "")) if isinstance(error, dict) else ""
