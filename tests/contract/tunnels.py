"""An Egress of a test, an internet behind it, and what an agent says to it."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

import pytest
from tests.contract.tls_server import (
    PUBLIC,
    TIMEOUT_S,
    Certificate,
    Internet,
    TlsServer,
    rest_of,
)

from orchestrator.adapters.gateway.egress import Egress, Limits

ALLOWED, OTHER, EVIL = "registry.example.org", "a.files.example.org", "evil.example"
HOSTS = (ALLOWED, "*.files.example.org")
GET = f"GET / HTTP/1.1\r\nHost: {ALLOWED}\r\n\r\n".encode()


@dataclass
class Proxy:
    """An Egress of a test, and the agent's connections to it."""

    egress: Egress
    denied: list[str]
    internet: Internet
    threads: list[Thread] = field(default_factory=list)

    def dialled(self, target: str, early: bytes = b"") -> socket.socket:
        """The agent's end, after it has asked for the target."""
        agent, gateway = socket.socketpair()
        agent.settimeout(TIMEOUT_S)

        def serve() -> None:
            with gateway:
                self.egress.serve(target, gateway, early, self.denied.append)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        self.threads.append(thread)
        return agent

    def refused(self, target: str) -> bytes:
        """Everything the agent gets for a target that is refused."""
        with self.dialled(target) as agent:
            return rest_of(agent)

    def settled(self) -> list[str]:
        """The refusals, once every tunnel has ended."""
        for thread in self.threads:
            thread.join(TIMEOUT_S)
            assert not thread.is_alive()
        return self.denied


Opened = Callable[..., Proxy]


@contextmanager
def proxies(server: TlsServer) -> Iterator[Opened]:
    """Makes proxies to an internet of one server; their tunnels end with the test."""
    with ExitStack() as stack:

        def made(addresses: tuple[str, ...] = (PUBLIC,), limits: Limits | None = None) -> Proxy:
            internet = Internet(dict.fromkeys((ALLOWED, OTHER, EVIL), addresses), {PUBLIC: server.connected})
            egress = Egress(HOSTS, internet.resolve, internet.connect, limits or Limits())
            stack.callback(egress.close)
            return Proxy(egress, [], internet)

        yield made


@contextmanager
def secured(agent: socket.socket, certificate: Certificate, host: str = ALLOWED) -> Iterator[ssl.SSLSocket]:
    with certificate.client().wrap_socket(agent, server_hostname=host) as connection:
        yield connection


def pour(connection: socket.socket) -> None:
    """Upload until somebody ends it."""
    with suppress(OSError):
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")
        while True:
            connection.sendall(bytes(10_000))


def silent(over: Event) -> None:
    """Say nothing until the test is over."""
    over.wait(TIMEOUT_S)


def opening(host: str | None, *, alpn: tuple[str, ...] = ()) -> bytes:
    """What a TLS client says first."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.set_alpn_protocols(list(alpn))
    sent = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=host).do_handshake()
    return sent.read()
