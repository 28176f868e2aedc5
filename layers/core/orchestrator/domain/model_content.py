"""The most tokens a model call can be charged for, read from its content before the call is made.

Bytes bound the tokens of text: a token is at least one byte. They bound no image and no document, since those are
unpacked by the service: an image has a maximum of its own, a document fills the context window at most.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.domain.model_usage import Usage

# The longest context window of a model on offer, and the most that one image can be charged for (2,576 pixels on its
# long edge: 4,784 tokens). https://platform.claude.com/docs/en/build-with-claude/vision, November 2026
LONGEST_PROMPT = 1_000_000
MOST_IMAGE_TOKENS = 5000
# Instructions that the service adds by itself, for tools and for thinking.
ADDED_TOKENS = 2000
# Blocks whose tokens are bounded by their bytes, and blocks that hold other blocks.
TEXT_BLOCKS = frozenset({"text", "tool_use", "thinking", "redacted_thinking"})
CONTAINERS = frozenset({"tool_result", "search_result"})


def most_prompt(request: Mapping[str, Any], body_bytes: int) -> Usage:
    """The input of a request of that many bytes, by how it can be charged at most."""
    kinds = tuple(_kinds(request))
    images = [block for kind, block in kinds if kind == "image"]
    text_bytes = max(body_bytes - sum(map(_image_bytes, images)), 0)
    tokens = text_bytes + len(images) * MOST_IMAGE_TOKENS + ADDED_TOKENS
    if any(kind == "unbounded" for kind, _ in kinds):
        tokens = LONGEST_PROMPT
    return _charged(min(tokens, LONGEST_PROMPT), _longest_cache(request))


def _kinds(request: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every content block with its kind: text, image, or unbounded. No recursion: the agent chooses the depth."""
    messages = request.get("messages")
    ahead = [request.get("system"), *(messages if isinstance(messages, list) else [])]
    ahead = [part.get("content") if isinstance(part, dict) else part for part in ahead]
    while ahead:
        content = ahead.pop()
        if not isinstance(content, str | list | None):
            yield "unbounded", {}
        for block in content if isinstance(content, list) else []:
            kind = _kind(block)
            if kind == "container":
                ahead.append(_inner(block))
            else:
                yield kind, block if isinstance(block, dict) else {}


def _kind(block: Any) -> str:
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        return "unbounded"
    if block["type"] in TEXT_BLOCKS:
        return "text"
    if block["type"] == "image":
        return "image"
    if block["type"] == "document":
        return _document_kind(block)
    return "container" if block["type"] in CONTAINERS and not _is_cited(block) else "unbounded"


def _document_kind(block: Mapping[str, Any]) -> str:
    """Plain text is bounded by its bytes, unless the service numbers its sentences for citations."""
    source = block.get("source")
    kind = source.get("type") if isinstance(source, dict) and not _is_cited(block) else None
    return {"text": "text", "content": "container"}.get(str(kind), "unbounded")


def _is_cited(block: Mapping[str, Any]) -> bool:
    cited = block.get("citations")
    return cited is not None and cited != {"enabled": False}


def _inner(block: Mapping[str, Any]) -> Any:
    return block["source"].get("content") if block["type"] == "document" else block.get("content")


def _image_bytes(image: Mapping[str, Any]) -> int:
    """How much of the body is the image's data, which is never read as text."""
    source = image.get("source")
    data = source.get("data") if isinstance(source, dict) and source.get("type") == "base64" else None
    return len(data) if isinstance(data, str) else 0


def _longest_cache(request: Mapping[str, Any]) -> str:
    """How long the input may be cached: "" for not at all, "5m", or "1h", also where a wish is not understood."""
    longest = ""
    ahead: list[Any] = [request]
    while ahead:
        value = ahead.pop()
        if isinstance(value, dict):
            if (wish := value.get("cache_control")) is not None:
                longest = max(longest, _cache_life(wish), key=("", "5m", "1h").index)
            ahead += value.values()
        elif isinstance(value, list):
            ahead += value
    return longest


def _cache_life(wish: Any) -> str:
    is_short = isinstance(wish, dict) and wish.get("ttl", "5m") == "5m"
    return "5m" if is_short else "1h"


def _charged(tokens: int, cache: str) -> Usage:
    match cache:
        case "1h":
            return Usage(cache_write_1h=tokens)
        case "5m":
            return Usage(cache_write_5m=tokens)
        case _:
            return Usage(input=tokens)
