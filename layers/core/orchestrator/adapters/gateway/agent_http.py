"""HTTP as the gateway speaks it to the agent: requests of plain length in, whole or chunked answers out.

Nothing here decides what may pass.
"""

import re
import select
from collections.abc import Iterable, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any

from orchestrator.domain.model_errors import error_body

CHUNK = 64 * 1024
LARGEST_REQUEST = 32 * 1024 * 1024  # the service's own limit
# A million words of a repository have fewer commas and brackets. Each may become an object of 60 bytes and more.
MOST_PARTS = 1_000_000
_PLAIN_LENGTH = re.compile("[0-9]{1,8}")


class AgentConnection(BaseHTTPRequestHandler):
    """One connection of the agent's, with what an HTTP server needs to say."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        """Stay silent: request lines are the agent's text."""

    @property
    def target(self) -> str:
        """The request's target as it was sent: the standard library's `path` has been tidied up."""
        return self.requestline.split()[1]

    def read_body(self, length: int) -> bytes | None:
        """The request's body; None if the peer stopped in the middle, and then the connection ends."""
        body = self.rfile.read(length)
        if len(body) == length:
            return body
        self.close_connection = True
        return None

    def unread(self) -> bytes:
        """What has come behind the request's head already, without waiting for more."""
        self.connection.setblocking(False)  # noqa: FBT003  # the standard library's name
        read = self.rfile.read1(CHUNK)
        self.connection.setblocking(True)  # noqa: FBT003  # the same
        return read

    def is_gone(self) -> bool:
        """Whether the peer has hung up; one that only has nothing more to say still waits for its answer."""
        hung_up = select.poll()
        hung_up.register(self.connection, 0)
        return bool(hung_up.poll(0))

    def refuse(self, status: int, message: str) -> None:
        """Answer with an error and hang up: what follows an unread body could not be told apart from it."""
        headers = {"content-type": "application/json", "connection": "close"}
        self.answer(status, headers, error_body(status, message))

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Answer with a whole body."""
        self._head(status, {**headers, "content-length": str(len(body))})
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def stream(self, status: int, headers: Mapping[str, str], chunks: Iterable[bytes]) -> None:
        """Answer piece by piece; an error of `chunks` leaves the answer without its end."""
        self._head(status, {**headers, "transfer-encoding": "chunked"})
        for chunk in filter(None, chunks):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def is_dense(body: bytes) -> bool:
    """Whether a body would become far larger when it is parsed."""
    return sum(body.count(sign) for sign in (b"[", b"{", b",")) > MOST_PARTS


def body_length(headers: Message) -> int | None:
    """How long the request's body is; None unless it says so plainly, once, and within the limit."""
    lengths = headers.get_all("content-length", [])
    if "transfer-encoding" in headers or len(lengths) != 1 or not _PLAIN_LENGTH.fullmatch(lengths[0]):
        return None
    length = int(lengths[0])
    return length if length <= LARGEST_REQUEST else None
