"""What a model call may ask for. The service behind it can fetch pages and call other servers: not for an agent."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.model_rules import ModelRules

# What the CLI sends, and the plain knobs of the Messages API. Everything else, such as `mcp_servers` and `container`,
# is refused until somebody has looked at it. https://docs.claude.com/en/api/messages
FIELDS = frozenset(
    {
        *(
            "model",
            "messages",
            "system",
            "tools",
            "tool_choice",
            "max_tokens",
            "metadata",
            "stream",
            "thinking",
        ),
        *(
            "context_management",
            "output_config",
            "output_format",
            "stop_sequences",
            "temperature",
            "top_k",
            "top_p",
        ),
    }
)
# A tool without a type is one the agent runs itself, behind the wall; the service's own have names with dates.
OWN_TOOL_TYPES = (None, "custom")
# A source the service would fetch, or a file somebody stored with it.
REMOTE_SOURCES = ("url", "file")


@dataclass(frozen=True)
class Refused:
    """Why a call may not leave, in a few words without the agent's own."""

    reason: str
    status: int = 403


def judged(body: bytes, rules: ModelRules) -> dict[str, Any] | Refused:
    """The call's request, read once, if it may leave."""
    try:
        request = json.loads(body, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return Refused("a body that is not JSON")
    if not isinstance(request, dict):
        return Refused("a body that is no object")
    if (reason := _field_refusal(request)) is not None:
        return Refused(reason)
    # The service says 404 of a model it does not have, which ends the CLI's run at once.
    return request if (reason := rules.refusal(request)) is None else Refused(reason, 404)


def _field_refusal(request: dict[str, Any]) -> str | None:
    if request.keys() - FIELDS:
        return "a field the agent has no use for"
    return _tool_refusal(request.get("tools")) or _content_refusal(request)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; of a key that stands twice the service might take the other one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _tool_refusal(tools: Any) -> str | None:
    listed = tools if isinstance(tools, list) else []
    if tools is not None and not isinstance(tools, list):
        return "tools that are no list"
    known = all(isinstance(tool, dict) and tool.get("type") in OWN_TOOL_TYPES for tool in listed)
    return None if known else "a tool of the model's service"


def _content_refusal(request: dict[str, Any]) -> str | None:
    remote = any(_is_remote(part) for name in ("messages", "system") for part in _parts(request.get(name)))
    return "content the model's service would fetch" if remote else None


def _is_remote(part: dict[str, Any]) -> bool:
    source = part.get("source")
    return isinstance(source, dict) and source.get("type") in REMOTE_SOURCES


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in the value, however deep; without recursion, since the agent chooses the depth."""
    open_values = [value]
    while open_values:
        current = open_values.pop()
        if isinstance(current, dict):
            yield current
            open_values += current.values()
        elif isinstance(current, list):
            open_values += current
