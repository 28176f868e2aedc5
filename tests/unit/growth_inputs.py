"""Hostile text in the shapes that the functions of the growth table take."""

import json
from collections.abc import Callable
from contextlib import suppress
from email.message import Message
from typing import Any

from tests.builders import finding

from orchestrator.domain import client_hello, model_usage, review
from orchestrator.errors import OrchestratorError

_CHUNK = 1_000


def refusing(run: Callable[[Any], object]) -> Callable[[Any], object]:
    """A function that refuses odd input by an error, which is an answer."""

    def calm(value: Any) -> object:
        with suppress(ValueError, OrchestratorError):
            return run(value)
        return None

    return calm


def reported(value: Any) -> dict[str, Any]:
    return {"summary": value, "root_cause": value, "files": [value, {"a": value, "b": [value]}]}


def stream(text: str) -> bytes:
    """What the CLI prints of a Bash call whose output is that text."""
    call = {"type": "tool_use", "id": "1", "name": "Bash", "input": {"command": text}}
    result = {"type": "tool_result", "tool_use_id": "1", "is_error": True, "content": text}
    messages = (
        {"type": "assistant", "message": {"content": [call]}},
        {"type": "user", "message": {"content": [result]}},
        {"type": "result", "result": text, "permission_denials": []},
    )
    return b"\n".join(json.dumps(message).encode() for message in messages)


def usage(text: str) -> model_usage.Usage:
    reader = model_usage.UsageReader("text/event-stream")
    data = text.encode()
    for start in range(0, len(data), _CHUNK):
        reader.feed(data[start : start + _CHUNK])
    reader.end()
    return reader.usage


def records(text: str) -> None:
    sent = client_hello.SentRecords(lambda _: True)
    data = b"\x17\x03\x03\x10\x00" + text.encode()
    for start in range(0, len(data), _CHUNK):
        sent.cleared(data[start : start + _CHUNK])


def headers(text: str) -> Message:
    headers = Message()
    headers["content-length"] = text.replace("\n", " ").replace("\r", " ")
    return headers


def jira_issue(body: Any) -> dict[str, Any]:
    comments = [{"id": "1", "body": body}]
    fields = {"description": body, "comment": {"comments": comments, "total": 1}}
    return {"id": "1", "key": "A-1", "fields": fields}


def paragraph(text: str) -> dict[str, Any]:
    return {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}]}


def marked(text: str) -> dict[str, Any]:
    marks = [{"type": "link", "attrs": {"href": text}}, {"type": "code"}]
    content = [{"type": "text", "text": text, "marks": marks}]
    cell = {"type": "tableCell", "content": [{"type": "paragraph", "content": content}]}
    table = {"type": "table", "content": [{"type": "tableRow", "content": [cell]}]}
    code = {"type": "codeBlock", "attrs": {"language": text}, "content": content}
    item = {"type": "listItem", "content": [{"type": "paragraph", "content": content}, code]}
    return {"type": "doc", "content": [table, code, {"type": "bulletList", "content": [item]}]}


def fingerprints(text: str) -> list[str]:
    found = review.findings_of({"findings": [finding(title=text, explanation=text)] * 4})
    return [one.fingerprint({"shop/cart.py": {7: text}}) for one in found]
