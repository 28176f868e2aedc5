"""The agent's side of the gateway: HTTP, and anything else, over its unix socket."""

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import Any

from orchestrator.adapters.gateway.patience import HOLD_S, Patience

TIMEOUT_S = 5
CALL = {"model": "some-model", "messages": [{"role": "user", "content": "hi"}]}


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = dialled(self._path)


class Hours:
    """A clock that runs only while somebody waits by it."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self._lock = Lock()

    def __call__(self) -> float:
        return self.now

    def wait(self, over: Event, wait_s: float) -> bool:
        with self._lock:
            self.now += wait_s
        return over.is_set()

    def patience(self, hold_s: float = HOLD_S) -> Patience:
        """A gateway's patience by this clock, its chances all even."""
        return Patience(hold_s, self, self, lambda: 0.5, self.wait)


@dataclass(frozen=True)
class Answered:
    """One answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def dialled(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    # Connect without a timeout: with one, Linux refuses at a full backlog (EAGAIN) instead of waiting for it.
    connection.connect(str(path))
    connection.settimeout(TIMEOUT_S)
    return connection


def ask(
    path: Path, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answered:
    """One request on a connection of its own."""
    connection = UnixConnection(path)
    try:
        connection.request(method, target, body, dict(headers or {}))
        answer = connection.getresponse()
        return Answered(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


def call(path: Path, target: str = "/v1/messages", **headers: str) -> Answered:
    """A model call as the CLI makes it; underscores in header names become dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(path, "POST", target, json.dumps(CALL).encode(), named)


def say(path: Path, sent: bytes) -> bytes:
    """Send these bytes and read until the gateway hangs up."""
    with dialled(path) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received
