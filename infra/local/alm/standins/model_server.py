"""The HTTP server under the stand-ins of cloud models: one request in, a whole or a chunked answer out.

It keeps what was asked. Which protocol is spoken is its subclass's matter, what is answered the script's.
"""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self

from alm.standins.model import Conversation, Script, Turn


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Said:
    """An answer: pieces are sent each as a chunk of its own, as soon as they are there."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterable[bytes]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        """Stay silent: the request list is the log."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            self._say(self.server.model.answer(Asked(self.path, dict(self.headers), body)))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _say(self, said: Said) -> None:
        self.send_response(said.status)
        for name, value in {**said.headers, "transfer-encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in said.pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    model: "CloudModel"


@dataclass
class CloudModel(ABC):
    """The server. `requests` holds (headers, body) of every accepted call, oldest first."""

    script: Script
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @abstractmethod
    def answer(self, asked: Asked) -> Said:
        """What to say to one request."""

    def turn(self, asked: Asked, body: dict[str, Any]) -> tuple[Conversation, Turn]:
        """Record the call, ask the script, think as long as it says."""
        with self._lock:
            self.requests.append((dict(asked.headers), body))
        conversation = Conversation(body)
        turn = self.script(conversation)
        time.sleep(turn.think_s)
        return conversation, turn

    def refuse(self, reason: str) -> None:
        """Record a call that was not as it has to be."""
        with self._lock:
            self.refused.append(reason)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.model = self
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def whole(status: int, value: object, headers: Mapping[str, str] | None = None) -> Said:
    """An answer in JSON."""
    return Said(
        status, {"content-type": "application/json", **(headers or {})}, (json.dumps(value).encode(),)
    )
