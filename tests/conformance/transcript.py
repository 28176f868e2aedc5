"""Reads a transcript of the CLI: which tool call was answered with what."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alm.standins.model import ToolCall


def answers(transcript: str, calls: Sequence[ToolCall]) -> tuple[str, ...]:
    """What each of the calls was answered, those left out that were not made or not answered."""
    ids = {_key(block["name"], block["input"]): block["id"] for block in _blocks(transcript, "tool_use")}
    results = {
        block["tool_use_id"]: _plain(block.get("content")) for block in _blocks(transcript, "tool_result")
    }
    called = [ids.get(_key(call.name, call.input), "") for call in calls]
    return tuple(results[identity] for identity in called if identity in results)


def _blocks(transcript: str, kind: str) -> Iterator[dict[str, Any]]:
    for line in transcript.splitlines():
        message = json.loads(line).get("message") or {}
        content = message.get("content") if isinstance(message, dict) else ()
        yield from (block for block in content or () if isinstance(block, dict) and block.get("type") == kind)


def _key(name: str, given: Mapping[str, Any]) -> str:
    return f"{name} {json.dumps(given, sort_keys=True)}"


def _plain(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content)
