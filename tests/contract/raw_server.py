"""A server that sends bytes no decent server would: half answers, late ones, none at all."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Thread
from typing import Self

Script = Callable[[socket.socket], None]


def sends(answer: bytes) -> Script:
    """Answer every request with these bytes and hang up."""
    return lambda connection: connection.sendall(answer)


@dataclass
class RawServer:
    """Reads one request a connection into `requests`, lets the script answer it, hangs up."""

    script: Script
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # A thread that waits in accept() would keep the port open.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            self.requests.append(read_request(connection))
            try:
                self.script(connection)
            except OSError:
                return  # the client went away first


def read_request(connection: socket.socket) -> bytes:
    """Head and body of one request with a content-length, or what came before the client hung up."""
    read = b""
    while b"\r\n\r\n" not in read or len(read.partition(b"\r\n\r\n")[2]) < _length(read):
        received = connection.recv(65536)
        if not received:
            break
        read += received
    return read


def _length(request: bytes) -> int:
    for line in request.partition(b"\r\n\r\n")[0].lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
