"""A scripted model: speaks the Messages API, streaming or whole, and answers from a Python function.

The Claude Code CLI talks to it as it would to the real one. Nothing here decides what a script says.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self

MESSAGES_PATHS = ("/v1/messages", "/v1/messages?beta=true")
USAGE = {"input_tokens": 1200, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


@dataclass(frozen=True)
class ToolCall:
    """A tool the model asks for."""

    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True)
class Turn:
    """What the model answers: text, tool calls, or an HTTP error; after `think_s` seconds.

    `usage` takes the place of the few input tokens that it reports otherwise.
    """

    text: str = ""
    tools: tuple[ToolCall, ...] = ()
    think_s: float = 0.0
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=lambda: USAGE)


@dataclass(frozen=True)
class Conversation:
    """One request as a script sees it."""

    body: Mapping[str, Any]

    @property
    def step(self) -> int:
        """How many answers of ours it already holds."""
        return sum(message["role"] == "assistant" for message in self.body["messages"])

    @property
    def prompt(self) -> str:
        """The text of every user message, tool results left out."""
        return "\n".join(
            _plain(message["content"]) for message in self.body["messages"] if message["role"] == "user"
        )

    @property
    def folder(self) -> str:
        """The agent's working directory, as the CLI tells the model."""
        found = re.search(r"Primary working directory: (\S+)", json.dumps(self.body))
        return found[1].partition("\\n")[0] if found else ""

    @property
    def tool_names(self) -> frozenset[str]:
        """The tools the CLI offers."""
        return frozenset(tool["name"] for tool in self.body.get("tools", ()))

    @property
    def tool_results(self) -> tuple[str, ...]:
        """The text of each tool result so far, in order."""
        return tuple(
            _plain(block.get("content", ""))
            for message in self.body["messages"]
            if isinstance(message["content"], list)
            for block in message["content"]
            if block["type"] == "tool_result"
        )


Script = Callable[[Conversation], Turn]


def _plain(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block["type"] == "text")


def _blocks(turn: Turn, step: int) -> list[dict[str, Any]]:
    text = [{"type": "text", "text": turn.text}] if turn.text else []
    calls = [
        {
            "type": "tool_use",
            "id": f"toolu_{step:02d}_{index:02d}",
            "name": call.name,
            "input": dict(call.input),
        }
        for index, call in enumerate(turn.tools)
    ]
    return [*text, *calls]


def message_of(conversation: Conversation, turn: Turn, model: str) -> dict[str, Any]:
    """The turn as a whole message of the Messages API."""
    blocks = _blocks(turn, conversation.step)
    return {
        "id": f"msg_{conversation.step:02d}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": blocks,
        "stop_reason": "tool_use" if turn.tools else "end_turn",
        "stop_sequence": None,
        "usage": {**turn.usage, "output_tokens": 40 + sum(len(json.dumps(block)) // 4 for block in blocks)},
    }


def _block_events(index: int, block: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if block["type"] == "text":
        opening: dict[str, Any] = {"type": "text", "text": ""}
        delta: dict[str, Any] = {"type": "text_delta", "text": block["text"]}
    else:
        opening = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    yield "content_block_start", {"index": index, "content_block": opening}
    yield "content_block_delta", {"index": index, "delta": delta}
    yield "content_block_stop", {"index": index}


def events_of(message: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The message as the events of a stream: name and data."""
    opening = {
        **message,
        "content": [],
        "stop_reason": None,
        "usage": {**message["usage"], "output_tokens": 1},
    }
    yield "message_start", {"message": opening}
    for index, block in enumerate(message["content"]):
        yield from _block_events(index, block)
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"delta": delta, "usage": message["usage"]}
    yield "message_stop", {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        """Stay silent: the request list is the log."""

    def do_HEAD(self) -> None:
        self._answer(200, b"", {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path not in MESSAGES_PATHS:
            return self._error(404, "not_found_error", {})
        self.server.model.seen(dict(self.headers), body)
        conversation = Conversation(body)
        turn = self.server.model.script(conversation)
        time.sleep(turn.think_s)
        if turn.status >= 400:  # noqa: PLR2004  # HTTP's own line between answers and errors
            return self._error(turn.status, "api_error", turn.headers)
        return self._send(conversation, turn)

    def _send(self, conversation: Conversation, turn: Turn) -> None:
        message = message_of(conversation, turn, conversation.body["model"])
        if not conversation.body.get("stream"):
            return self._answer(200, json.dumps(message).encode(), {"content-type": "application/json"})
        stream = "".join(
            f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n"
            for name, data in events_of(message)
        )
        return self._answer(200, stream.encode(), {"content-type": "text/event-stream"})

    def _error(self, status: int, kind: str, headers: Mapping[str, str]) -> None:
        body = {"type": "error", "error": {"type": kind, "message": f"scripted {status}"}}
        self._answer(status, json.dumps(body).encode(), {"content-type": "application/json", **headers})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    model: "ScriptedModel"


@dataclass
class ScriptedModel:
    """The server. `requests` holds (headers, body) of every model call, oldest first."""

    script: Script
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def seen(self, headers: dict[str, str], body: dict[str, Any]) -> None:
        """Record one call."""
        with self._lock:
            self.requests.append((headers, body))

    def start(self) -> Self:
        """Listen on a free loopback port."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.model = self
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    @property
    def url(self) -> str:
        """Base URL, what `ANTHROPIC_BASE_URL` is set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()

    __enter__ = start

    def __exit__(self, *_: object) -> None:
        self.stop()
