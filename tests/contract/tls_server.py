"""An HTTPS server on loopback that plays hosts of the internet, and the agent's side of a tunnel to it."""

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.contract.raw_server import Script, read_request, sends

TIMEOUT_S = 10
PUBLIC = "93.184.216.34"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"


@dataclass(frozen=True)
class Certificate:
    """A key and a certificate that signs itself, for every name a test plays."""

    path: Path

    @classmethod
    def made(cls, folder: Path, *hosts: str) -> "Certificate":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        now = datetime.now(UTC)
        signed = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = folder / "test.pem"
        path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        return cls(path)

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path)
        return context

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.path))


@dataclass
class TlsServer:
    """Reads one request a connection, lets the script answer, hangs up. `connections` counts TCP's, not TLS's."""

    certificate: Certificate
    script: Script = field(default_factory=lambda: sends(OK))
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def connected(self) -> socket.socket:
        return socket.create_connection(self._listener.getsockname(), TIMEOUT_S)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(TIMEOUT_S)
        try:
            with self.certificate.server().wrap_socket(connection, server_side=True) as secured:
                self.requests.append(read_request(secured))
                self.script(secured)
        except OSError:
            return  # no TLS, or the client went away


@dataclass
class Internet:
    """What DNS says, and who is reached at an address. `asked` and `reached` tell what the gateway did."""

    names: Mapping[str, tuple[str, ...]]
    servers: Mapping[str, Callable[[], socket.socket]]
    asked: list[str] = field(default_factory=list)
    reached: list[tuple[str, int]] = field(default_factory=list)

    def resolve(self, host: str) -> tuple[str, ...]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]

    def connect(self, address: str, port: int) -> socket.socket:
        self.reached.append((address, port))
        if address not in self.servers:
            raise ConnectionRefusedError(address)
        return self.servers[address]()


def head_of(connection: socket.socket) -> bytes:
    """An answer's head, and not one byte more."""
    read = b""
    while not read.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            break
        read += byte
    return read


def rest_of(connection: socket.socket) -> bytes:
    """Everything until the other side hangs up, politely or not."""
    read = b""
    try:
        while chunk := connection.recv(65536):
            read += chunk
    except ConnectionResetError:
        return read
    return read
