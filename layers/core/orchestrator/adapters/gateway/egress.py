"""Tunnels to the hosts an action allows: names looked up here, every address checked, bytes counted.

What is said inside a tunnel is encrypted and not read: the list says whom an agent may talk to, the limits how much.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from orchestrator.adapters.gateway.tunnel import Refused, Tunnel
from orchestrator.domain.egress import HTTPS, is_public, target_fault, target_host

# Every address of a name, as text; OSError if there is none.
Resolve = Callable[[str], tuple[str, ...]]
# A connection to exactly this address: nothing is looked up any more.
Connect = Callable[[str, int], socket.socket]
# Is told of every refusal.
Deny = Callable[[str], None]
MIB = 1024 * 1024
CONNECT_TIMEOUT_S = 10
MOST_ADDRESSES = 4
LONGEST_TARGET = 100
OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass(frozen=True)
class Limits:
    """What one job may carry. Sending is small: a repository that is uploaded is a repository that is stolen."""

    sent_bytes: int = 50 * MIB
    received_bytes: int = 2048 * MIB
    open_tunnels: int = 32
    tunnels: int = 2000
    idle_s: float = 120
    hello_s: float = 10


class _Unreachable(Exception):  # noqa: N818  # an answer, not an error
    """The host is allowed and does not answer."""


def resolve(host: str) -> tuple[str, ...]:
    """Ask the resolver of the supervisor's machine."""
    found = socket.getaddrinfo(host, HTTPS, type=socket.SOCK_STREAM)
    return tuple(str(address[0]) for *_, address in found)


def connect(address: str, port: int) -> socket.socket:
    """Connect to an address; a name would be looked up a second time, and could lead elsewhere by then."""
    if not is_public(address):
        raise OSError("not a public address")
    return socket.create_connection((address, port), CONNECT_TIMEOUT_S)


@dataclass
class Egress:
    """The tunnels of one job, to its hosts and no others."""

    hosts: tuple[str, ...] = ()
    resolve: Resolve = resolve
    connect: Connect = connect
    limits: Limits = Limits()
    sent: int = 0
    received: int = 0
    _asked: int = 0
    _slots: int = 0
    _open: set[Tunnel] = field(default_factory=set)
    _closed: bool = False
    _lock: Lock = field(default_factory=Lock)

    def serve(self, target: str, agent: socket.socket, early: bytes, deny: Deny) -> None:
        """Answer `CONNECT target` on the agent's connection; `early` is what it has said beyond that already."""
        refused = partial(_deny, deny, target)
        try:
            with self._slot():
                server = self._reached(target)
                tunnel = Tunnel(agent, server, self._count, self.limits.idle_s)
                self._carry(tunnel, target_host(target), early, refused)
        except Refused as refusal:
            refused(refusal)
            _answer(agent, "403 Forbidden", f"The gateway refuses this tunnel: {refusal}.")
        except _Unreachable as fault:
            _answer(agent, "502 Bad Gateway", f"The host is allowed, but {fault}.")

    def close(self) -> None:
        """Cut every tunnel: the job is over."""
        with self._lock:
            self._closed, tunnels = True, tuple(self._open)
        for tunnel in tunnels:
            tunnel.cut()

    def _reached(self, target: str) -> socket.socket:
        """A connection to the host of the target; raises Refused, _Unreachable."""
        if (fault := target_fault(target, self.hosts)) is not None:
            raise Refused(fault)
        self._count(0, 0)
        for address in self._addresses(target_host(target))[:MOST_ADDRESSES]:
            with suppress(OSError):
                return self.connect(address, HTTPS)
        raise _Unreachable("it does not answer")

    def _addresses(self, host: str) -> tuple[str, ...]:
        """Where the host is. One address that is not public refuses them all: such a name is up to something."""
        try:
            addresses = self.resolve(host)
        except (OSError, UnicodeError):
            raise _Unreachable("its name leads nowhere") from None
        if not all(map(is_public, addresses)):
            raise Refused("its name leads to an address that is not public")
        return addresses

    def _carry(self, tunnel: Tunnel, host: str, early: bytes, refused: Callable[[Refused], None]) -> None:
        """From here on it is too late for an answer: what is refused is a connection that ends."""
        try:
            with tunnel.server, self._listed(tunnel):
                tunnel.agent.sendall(OPENED)
                tunnel.open(host, early, self.limits.hello_s)
                tunnel.carry()
        except Refused as refusal:
            refused(refusal)
        except OSError:
            return  # one of the two went away

    def _count(self, sent: int, received: int) -> None:
        """Count bytes before they are passed on; raises Refused where they are too many for the job."""
        with self._lock:
            self.sent += sent
            self.received += received
            if self.sent > self.limits.sent_bytes:
                raise Refused(f"the job may send {self.limits.sent_bytes} bytes")
            if self.received > self.limits.received_bytes:
                raise Refused(f"the job may receive {self.limits.received_bytes} bytes")

    @contextmanager
    def _slot(self) -> Iterator[None]:
        with self._lock:
            if self._slots >= self.limits.open_tunnels:
                raise Refused(f"{self.limits.open_tunnels} tunnels are open already")
            if self._asked >= self.limits.tunnels:
                raise Refused(f"the job has had its {self.limits.tunnels} tunnels")
            self._slots += 1
            self._asked += 1
        try:
            yield
        finally:
            with self._lock:
                self._slots -= 1

    @contextmanager
    def _listed(self, tunnel: Tunnel) -> Iterator[None]:
        """While the tunnel can be cut by `close`, which may have been before us."""
        with self._lock:
            self._open.add(tunnel)
            if self._closed:
                tunnel.cut()
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(tunnel)


def _deny(deny: Deny, target: str, refusal: Refused) -> None:
    deny(f"CONNECT {target[:LONGEST_TARGET]}: {refusal}")


def _answer(agent: socket.socket, status: str, sentence: str) -> None:
    body = f"{sentence}\n".encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\nconnection: close\r\n"
    with suppress(OSError):
        agent.sendall(f"{head}\r\n".encode() + body)
