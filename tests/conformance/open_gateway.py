"""A gateway that allows everything: the control for attacks that the real gateway refuses."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from tests.conformance.rows_hosts import REDIRECT
from tests.contract.raw_server import read_request
from tests.contract.tls_server import TIMEOUT_S, Certificate, head_of

_TLS_HANDSHAKE = b"\x16"
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
_CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass(frozen=True)
class OpenGateway:
    """Every request is answered by 200, every tunnel leads to one server that speaks TLS or greets."""

    path: Path
    context: ssl.SSLContext

    def serve(self, listener: socket.socket) -> None:
        """Answer until the listener is closed."""
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(TIMEOUT_S)
        with connection, suppress(OSError):
            if connection.recv(8, socket.MSG_PEEK).startswith(b"CONNECT "):
                head_of(connection)
                connection.sendall(_CONNECTED)
                self._at_the_end_of_the_tunnel(connection)
            else:
                read_request(connection)
                connection.sendall(_OK)

    def _at_the_end_of_the_tunnel(self, connection: socket.socket) -> None:
        if connection.recv(1, socket.MSG_PEEK) != _TLS_HANDSHAKE:
            connection.sendall(b"SSH-2.0-y\r\n")
            return
        with self.context.wrap_socket(connection, server_side=True) as secured:
            read_request(secured)
            secured.sendall(REDIRECT)


@contextmanager
def open_gateway(path: Path, certificate: Certificate) -> Iterator[None]:
    """Serve it on that unix socket."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        Thread(target=OpenGateway(path, certificate.server()).serve, args=(listener,), daemon=True).start()
        yield
