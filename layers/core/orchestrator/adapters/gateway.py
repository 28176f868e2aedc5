"""The agent's only way out: an HTTP server on a unix socket that forwards model calls and adds the credential.

The agent never holds the key. Whatever else it asks for is refused and counted.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from threading import Lock, Thread
from typing import Any, Self

import urllib3

from orchestrator.domain.agent import Denial, Source
from orchestrator.domain.model_request import refusal

FORWARDED_PATHS = frozenset({"/v1/messages", "/v1/messages/count_tokens"})
# What the Messages API reads; everything else of a request is the agent's own and stays here.
REQUEST_HEADERS = frozenset(
    {"accept", "accept-encoding", "anthropic-beta", "anthropic-version", "content-type", "user-agent"}
)
RESPONSE_HEADERS = frozenset(
    {"content-type", "content-encoding", "request-id", "retry-after", "x-should-retry"}
)
LARGEST_REQUEST = 64 * 1024 * 1024
_PLAIN_LENGTH = re.compile("[0-9]{1,8}")
CHUNK = 64 * 1024
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10, 600


@dataclass
class Gateway:
    """The server of one job. `denials` and `upstream_status` tell afterwards what it saw."""

    socket: Path
    base_url: str
    api_key: str = field(repr=False)
    upstream_status: int | None = None
    _denials: list[Denial] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __enter__(self) -> Self:
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)
        self._pool = urllib3.PoolManager(maxsize=8, timeout=timeout, retries=False)
        self._server = _Server(str(self.socket), _Handler)
        self._server.gateway = self
        Thread(target=self._server.serve_forever, args=(0.05,), name="gateway", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._pool.clear()
        self.socket.unlink(missing_ok=True)

    @property
    def denials(self) -> tuple[Denial, ...]:
        """Every request that was refused."""
        with self._lock:
            return tuple(self._denials)

    def deny(self, target: str) -> None:
        """Count a refused request."""
        with self._lock:
            self._denials.append(Denial(tool="gateway", source=Source.EGRESS, target=target[:200]))

    def forward(self, target: str, headers: Mapping[str, str], body: bytes) -> urllib3.BaseHTTPResponse:
        """Send a model call on, with the credential; the answer's body is not read yet."""
        kept = {name: value for name, value in headers.items() if name.lower() in REQUEST_HEADERS}
        if any("\n" in value for value in kept.values()):
            raise ValueError("a folded header")
        answer = self._pool.request(
            "POST",
            f"{self.base_url}{target}",
            headers={**kept, "x-api-key": self.api_key},
            body=body,
            preload_content=False,
            decode_content=False,
            redirect=False,
        )
        self.note(answer.status)
        return answer

    def note(self, status: int) -> None:
        """Remember the last answer if it was an error, forget it if a later call went well."""
        self.upstream_status = status if status >= 400 else None  # noqa: PLR2004  # HTTP's line


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
    gateway: Gateway

    def get_request(self) -> tuple[Any, Any]:
        """A unix peer has no address, which the HTTP handler needs one of."""
        connection, _ = super().get_request()
        return connection, ("agent", 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that went away is nothing to print a traceback for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        """Stay silent: request lines are the agent's text."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Anything but GET, HEAD and POST ends here: refused like every other request."""
        del message, explain
        self._count()
        self._refuse(code, "this gateway carries model calls only")

    def _count(self) -> None:
        self.server.gateway.deny(f"{self.command or '?'} {getattr(self, 'path', '?')}")

    def do_HEAD(self) -> None:
        # The CLI's connection check. It learns nothing.
        if self._target != "/":
            return self.send_error(403)
        return self._answer(200, {}, b"")

    def do_GET(self) -> None:
        self.send_error(403)

    def do_POST(self) -> None:
        if self._target.partition("?")[0] not in FORWARDED_PATHS:
            return self.send_error(403)
        length = body_length(self.headers)
        if length is None:
            self._count()
            return self._refuse(413, "the request is too large or does not say plainly how long it is")
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return None
        if (reason := refusal(body)) is not None:
            self.server.gateway.deny(f"POST /v1/messages with {reason}")
            return self._refuse(403, f"the request holds {reason}")
        return self._forward(body)

    @property
    def _target(self) -> str:
        """The request's target as it was sent: the standard library's `path` has been tidied up."""
        return self.requestline.split()[1]

    def _forward(self, body: bytes) -> None:
        try:
            answer = self.server.gateway.forward(self._target, dict(self.headers.items()), body)
        except ValueError:
            self._count()
            return self._refuse(400, "a header of the request cannot be sent on")
        except urllib3.exceptions.HTTPError:
            self.server.gateway.note(502)
            return self._refuse(502, "the model's service did not answer")
        # A 401 is about the gateway's key. The CLI would take it for its own and repeat the call for minutes.
        status = 403 if answer.status == 401 else answer.status  # noqa: PLR2004
        kept = {name: value for name, value in answer.headers.items() if _may_return(name.lower())}
        try:
            return self._stream(status, kept, answer)
        except urllib3.exceptions.HTTPError:
            # Too late for a status: the peer sees an answer that breaks off.
            self.server.gateway.note(502)
            self.close_connection = True
        finally:
            # Back in the pool by now if it was read to its end; else nobody may get what is left of it.
            answer.close()

    def _stream(self, status: int, headers: Mapping[str, str], answer: urllib3.BaseHTTPResponse) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for chunk in _chunks(answer):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def _refuse(self, status: int, message: str) -> None:
        body = {"type": "error", "error": {"type": "permission_error", "message": message}}
        # The request's body may be unread: what follows on this connection could not be told apart from it.
        self._answer(
            status, {"content-type": "application/json", "connection": "close"}, json.dumps(body).encode()
        )

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def body_length(headers: Message) -> int | None:
    """How long the request's body is; None unless it says so plainly, once, and within the limit."""
    lengths = headers.get_all("content-length", [])
    if "transfer-encoding" in headers or len(lengths) != 1 or not _PLAIN_LENGTH.fullmatch(lengths[0]):
        return None
    length = int(lengths[0])
    return length if length <= LARGEST_REQUEST else None


def _may_return(name: str) -> bool:
    return name in RESPONSE_HEADERS or name.startswith("anthropic-ratelimit-")


def _chunks(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """What has arrived, as soon as it has."""
    while chunk := answer.read1(CHUNK):
        yield chunk
