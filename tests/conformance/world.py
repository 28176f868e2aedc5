"""The network of a disposable machine: names, the cloud's metadata, hosts of the internet. All of it is loopback.

Every attack by network has a target that answers here, so what keeps it away is the sandbox. Everything that arrives
is recorded.
"""

import socket
import ssl
import struct
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer, ThreadingUDPServer
from threading import Thread
from typing import Any

from tests.conformance.machine import give_address
from tests.contract.tls_server import Certificate

METADATA, METADATA_V6, TASK, SOMEBODY = "169.254.169.254", "fd00:ec2::254", "169.254.170.2", "203.0.113.7"
METADATA_NAME = "metadata.google.internal"
ROLE = "planted-role-credentials"
_GIT_PORT = 9418
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_TYPE_A, _NO_SUCH_NAME = 1, 3
_ALL = "0.0.0.0"  # noqa: S104  # of a machine that nobody else can reach


@dataclass
class World:
    """What arrived, in order. `model_url` is the scripted model's, once there is one."""

    arrived: list[str] = field(default_factory=list)
    model_url: str = ""

    def address(self, name: str) -> str:
        """The address of a name, empty for one that nobody has."""
        if name == METADATA_NAME:
            return METADATA
        return SOMEBODY if name.endswith(".example") else ""


class _Names(BaseRequestHandler):
    """A DNS server: version 4 addresses only."""

    world: World

    def handle(self) -> None:
        query, connection = self.request
        try:
            labels, end = _labels(query)
        except IndexError:
            self.world.arrived.append(f"datagram {query[:64]!r}")
            return
        name = ".".join(labels)
        self.world.arrived.append(f"name {name}")
        kind = struct.unpack("!H", query[end : end + 2])[0]
        address = self.world.address(name)
        found = socket.inet_aton(address) if address and kind == _TYPE_A else b""
        status = 0x8180 if address else 0x8180 | _NO_SUCH_NAME
        head = query[:2] + struct.pack("!5H", status, 1, bool(found), 0, 0)
        answer = struct.pack("!3HIH", 0xC00C, _TYPE_A, 1, 60, len(found)) + found if found else b""
        connection.sendto(head + query[12 : end + 4] + answer, self.client_address)


def _labels(query: bytes) -> tuple[list[str], int]:
    """The labels of a query's name, and where it ends."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode(errors="replace"))
        at += 1 + query[at]
    return labels, at + 1


class _Pages(BaseHTTPRequestHandler):
    """Any page of any host. Calls of the model go on to the scripted one: a repository can lead the CLI here."""

    world: World

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        del format, args

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.world.arrived.append(f"page {self.headers.get('host')}{self.path}")
        if self.path.startswith("/v1/messages") and self.world.model_url:
            kind, answer = self._asked_model(body)
        else:
            kind, answer = "text/plain", f"{ROLE} {self.path}\n".encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _asked_model(self, body: bytes) -> tuple[str, bytes]:
        headers = {"content-type": "application/json", "x-api-key": self.headers.get("x-api-key") or ""}
        asked = urllib.request.Request(self.world.model_url + self.path, body, headers)  # noqa: S310  # loopback
        with urllib.request.urlopen(asked) as answer:  # noqa: S310  # loopback
            return answer.headers["content-type"], answer.read()


class _Greets(BaseRequestHandler):
    """Something that listens where ssh would."""

    world: World

    def handle(self) -> None:
        self.world.arrived.append("connection")
        self.request.sendall(b"SSH-2.0-x\r\n")


class _Pages4(ThreadingHTTPServer):
    daemon_threads = True


class _Pages6(_Pages4):
    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        super().server_bind()


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Start all of it, with its files in that folder."""
    for number, address in enumerate((METADATA, TASK, SOMEBODY), 1):
        give_address(address, number)
    give_address(METADATA_V6, 0)
    Path("/etc/resolv.conf").unlink(missing_ok=True)
    Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    Path("/etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    found = World()
    pages, names, greets = (
        type(kind.__name__, (kind,), {"world": found}) for kind in (_Pages, _Names, _Greets)
    )
    with ExitStack() as stack:
        stack.enter_context(_git_server(folder))
        _serve(stack, ThreadingUDPServer((_ALL, 53), names))
        _serve(stack, ThreadingTCPServer((_ALL, 22), greets))
        _serve(stack, _Pages4((_ALL, 80), pages))
        _serve(stack, _Pages6(("::", 80), pages))
        secured = _Pages4((_ALL, 443), pages)
        secured.socket = _trusted(folder).wrap_socket(secured.socket, server_side=True)
        _serve(stack, secured)
        yield found


def _serve(stack: ExitStack, server: Any) -> None:
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    stack.callback(server.server_close)
    stack.callback(server.shutdown)


def _trusted(folder: Path) -> ssl.SSLContext:
    """A certificate that every program of the machine trusts."""
    made = Certificate.made(folder, "a.example", "evil.example")
    with _AUTHORITIES.open("a") as authorities:
        authorities.write(made.path.read_text().partition("-----END PRIVATE KEY-----\n")[2])
    return made.server()


@contextmanager
def _git_server(folder: Path) -> Iterator[None]:
    """A git server that anybody may push to."""
    repository = folder / "repositories" / "x.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(repository)], check=True)
    (repository / "git-daemon-export-ok").touch()
    command = ["git", "daemon", "--reuseaddr", "--export-all", "--enable=receive-pack"]
    served = [f"--base-path={repository.parent}", f"--port={_GIT_PORT}", str(repository.parent)]
    process = subprocess.Popen([*command, *served], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        with suppress(ChildProcessError):
            process.wait()
