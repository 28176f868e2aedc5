"""The HTTP server under every stand-in: routing, the request log, faults; nothing of any vendor."""

import re
import socket
import threading
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO, Self, cast
from urllib.parse import parse_qs, unquote, urlsplit

from alm.standins.faults import Fault, Faults
from alm.standins.messages import Answer, Handler, Refused, Request, Route, json_answer

__all__ = [
    "Answer",
    "Fault",
    "Faults",
    "Handler",
    "Refused",
    "Request",
    "Route",
    "StandInServer",
    "json_answer",
]


class StandInServer:
    """A server on 127.0.0.1 and a free port, in threads of this process; the base of each stand-in."""

    def __init__(self, missing: Answer) -> None:
        self._table: list[tuple[str, re.Pattern[str], Handler]] = []
        self._missing = missing
        self._lock = threading.Lock()
        self._log: list[Request] = []
        self.faults = Faults()
        self._listener = _Listener(self)
        self._thread = threading.Thread(
            # shutdown() waits for one poll, so a short one keeps tests quick.
            target=self._listener.serve_forever,
            kwargs={"poll_interval": 0.02},
            daemon=True,
        )

    @property
    def url(self) -> str:
        """Where the server listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request so far, in the order it was answered."""
        with self._lock:
            return tuple(self._log)

    def forget_requests(self) -> None:
        """Empty the request log."""
        with self._lock:
            self._log.clear()

    def add_routes(self, routes: Iterable[Route]) -> None:
        """Serve these too, after those added before; what no route matches is answered with `missing`."""
        self._table += [(route.method, re.compile(route.pattern), route.handler) for route in routes]

    def start(self) -> Self:
        """Serve until `stop`."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port and every open connection."""
        if self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join()
        self._listener.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def answer(self, request: Request) -> Answer | None:
        """Answer one request and log it; None asks for the connection to be cut."""
        fault = self.faults.take(request)
        if fault and fault.when == "before":
            answer = fault.answer()
        else:
            handled = self._handle(request)
            answer = fault.answer() if fault else handled
        with self._lock:
            self._log.append(replace(request, answer=answer and _loggable(answer)))
        return answer

    def _handle(self, request: Request) -> Answer:
        try:
            return self._dispatch(request)
        except Refused as refused:
            return refused.answer
        except Exception:  # noqa: BLE001 - a bug in a stand-in must show in the caller's test, not vanish in a thread
            return json_answer(500, {"message": "the stand-in broke", "traceback": traceback.format_exc()})

    def _dispatch(self, request: Request) -> Answer:
        for method, pattern, handler in self._table:
            match = pattern.fullmatch(request.path) if method == request.method else None
            if match:
                return handler(replace(request, args=match.groupdict()))
        return self._missing


def _loggable(answer: Answer) -> Answer:
    # A benchmark clones a thousand times: packs would fill the memory.
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    return answer if is_json else replace(answer, body=b"")


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, standin: StandInServer) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.standin = standin
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the client went away."""

    def close(self) -> None:
        """Stop listening and hang up on keep-alive clients, who would go on being served otherwise."""
        self.server_close()
        with self._open_lock:
            still_open = tuple(self._open)
        for connection in still_open:
            _hang_up(connection)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    server: _Listener

    def _serve(self) -> None:
        answer = self.server.standin.answer(self._read())
        if answer is None:
            self.close_connection = True
            _hang_up(self.connection)
            return
        self._write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _read(self) -> Request:
        parts = urlsplit(self.path)
        query = {
            name: tuple(values) for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, self.path, unquote(parts.path), query, headers, self._body(headers))

    def _body(self, headers: Mapping[str, str]) -> bytes:
        stream = cast("BinaryIO", self.rfile)
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return read_chunked(stream)
        return stream.read(int(headers.get("content-length") or 0))

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:  # noqa: PLR2004 - RFC 9110: a 204 has neither body nor length
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, *_args: object) -> None:
        """Print nothing: the log is `StandInServer.requests`."""


def read_chunked(stream: BinaryIO) -> bytes:
    """Read a chunked body to its end, trailers included."""
    chunks = []
    while size := int(stream.readline().split(b";")[0], 16):
        chunks.append(stream.read(size))
        stream.readline()
    while stream.readline().strip():
        pass
    return b"".join(chunks)
