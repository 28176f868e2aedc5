"""One tunnel: two connections and the bytes between them, once the first of them ask for the right server.

Whether there may be a tunnel at all is decided in `adapters/gateway/egress.py`.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from time import monotonic

from orchestrator.domain.client_hello import NotAHello, SentRecords, read_hello
from orchestrator.domain.egress import normal_host

CHUNK = 64 * 1024
# Sent, received; raises Refused where it is too much.
Count = Callable[[int, int], None]


class Refused(Exception):  # noqa: N818  # an answer, not an error
    """Why a tunnel may not be, or may not go on."""


@dataclass(eq=False)
class Tunnel:
    """Carries bytes both ways until both sides are done, nobody has spoken for a while, or it is too much."""

    agent: socket.socket
    server: socket.socket
    count: Count
    idle_s: float
    _active: float = field(default_factory=monotonic)
    _refusal: Refused | None = None

    def open(self, host: str, early: bytes, within_s: float) -> None:
        """Pass the first words on if they ask for the server that the agent named; raises Refused."""
        hello = self._hello(early, monotonic() + within_s)
        self._records = SentRecords(lambda name: normal_host(name or "") == host)
        self.agent.settimeout(self.idle_s)
        self.server.settimeout(self.idle_s)
        # The short messages of a handshake must not wait for each other.
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pass_up(hello)

    def carry(self) -> None:
        """Both ways, until it ends; raises Refused where we ended it."""
        back = Thread(target=self._receive, name="tunnel", daemon=True)
        back.start()
        self._send()
        back.join()
        if self._refusal is not None:
            raise self._refusal

    def cut(self) -> None:
        """End both connections, whoever is waiting on them."""
        for connection in (self.agent, self.server):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _hello(self, read: bytes, deadline: float) -> bytes:
        try:
            while not read_hello(read).complete:
                read += self._more(deadline)
        except NotAHello:
            raise Refused("what was sent is no TLS") from None
        return read

    def _pass_up(self, data: bytes) -> None:
        """Send on what asks for nobody else: another name would lead to whatever the same address serves."""
        try:
            cleared = self._records.cleared(data)
        except NotAHello:
            raise Refused("TLS asks for another server") from None
        self.count(len(cleared), 0)
        self.server.sendall(cleared)

    def _more(self, deadline: float) -> bytes:
        left_s = deadline - monotonic()
        if left_s <= 0:
            raise Refused("TLS was not opened in time")
        self.agent.settimeout(left_s)
        try:
            chunk = self.agent.recv(CHUNK)
        except TimeoutError:
            raise Refused("TLS was not opened in time") from None
        if not chunk:
            raise ConnectionResetError("the agent went away")
        return chunk

    def _send(self) -> None:
        self._one_way(self.agent, self.server, self._pass_up)

    def _receive(self) -> None:
        self._one_way(self.server, self.agent, self._pass_down)

    def _pass_down(self, data: bytes) -> None:
        self.count(0, len(data))
        self.agent.sendall(data)

    def _one_way(self, source: socket.socket, sink: socket.socket, pass_on: Callable[[bytes], None]) -> None:
        try:
            while chunk := self._arrived(source):
                pass_on(chunk)
            sink.shutdown(socket.SHUT_WR)
        except Refused as refusal:
            self._refusal = refusal
            self.cut()
        except OSError:
            self.cut()

    def _arrived(self, source: socket.socket) -> bytes:
        while True:
            try:
                chunk = source.recv(CHUNK)
            except TimeoutError:
                # The other direction may have been at work all the while.
                if monotonic() - self._active >= self.idle_s:
                    raise
                continue
            self._active = monotonic()
            return chunk
