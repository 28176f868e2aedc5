"""How many input tokens the scripted model charges for a request: the most that the real service plausibly would.

It unpacks images and documents as the service does, and shares no code with the gateway, whose quotes it tests.
"""

import base64
import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

CONTEXT_WINDOW = 1_000_000
IMAGE_LIMIT, PIXELS_PER_TOKEN = 4784, 750
# Of one page of a PDF: its picture, and at least as much text as a full page of small print holds.
PAGE_IMAGE, PAGE_TEXT = 1600, 3000
# The instructions for tools, and what stands around each block.
TOOL_PROMPT, BLOCK_FRAME = 700, 5
_PAGE = re.compile(rb"/Type\s*/Page(?![a-z])")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)


def input_tokens(body: Mapping[str, Any]) -> int:
    """The tokens of everything the model reads, no more than its context window."""
    tools = sum(map(_plain, body.get("tools", ()))) + (TOOL_PROMPT if body.get("tools") else 0)
    messages = sum(_content(message["content"]) + BLOCK_FRAME for message in body["messages"])
    return min(tools + messages + _content(body.get("system", "")), CONTEXT_WINDOW)


def usage(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same as the service reports it: everything goes into the cache if the request asks for one."""
    tokens, said = input_tokens(body), json.dumps(body)
    if '"cache_control"' not in said:
        return {"input_tokens": tokens}
    hour = {"cache_creation": {"ephemeral_1h_input_tokens": tokens}} if '"1h"' in said else {}
    return {"input_tokens": 0, "cache_creation_input_tokens": tokens, **hour}


def _content(content: Any) -> int:
    if isinstance(content, str):
        return len(content.encode())
    return sum(_KINDS[block["type"]](block) + BLOCK_FRAME for block in content)


def _plain(value: Any) -> int:
    """Dense text: a token for each byte."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _image(block: Mapping[str, Any]) -> int:
    data = base64.b64decode(block["source"]["data"])
    width, height = (int.from_bytes(data[start : start + 4]) for start in (16, 20))
    return min(width * height // PIXELS_PER_TOKEN + 1, IMAGE_LIMIT)


def _document(block: Mapping[str, Any]) -> int:
    source = block["source"]
    match source["type"]:
        case "text":
            # With citations each sentence gets a number.
            sentences = source["data"].count(".") if block.get("citations") else 0
            return len(source["data"].encode()) + sentences * 2 * BLOCK_FRAME
        case "content":
            return _content(source["content"])
        case _:
            return _pdf(base64.b64decode(source["data"]))


def _pdf(data: bytes) -> int:
    pages = max(len(_PAGE.findall(data)), 1)
    text = sum(_inflated(stream) for stream in _STREAM.findall(data))
    return pages * PAGE_IMAGE + max(pages * PAGE_TEXT, text)


def _inflated(stream: bytes) -> int:
    try:
        return len(zlib.decompressobj().decompress(stream, CONTEXT_WINDOW))
    except zlib.error:
        return len(stream)


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], int]] = {
    "text": lambda block: len(block["text"].encode()),
    "thinking": lambda block: len(block["thinking"].encode()),
    "tool_use": lambda block: _plain(block["input"]) + len(block["name"]),
    "tool_result": lambda block: _content(block.get("content", "")),
    "search_result": lambda block: _content(block["content"]) + len(block["title"].encode()),
    "image": _image,
    "document": _document,
}
