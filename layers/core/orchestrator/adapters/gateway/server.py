"""The agent's only way out: a server on a unix socket that judges model calls and hands them to the provider.

The agent never holds the credential. Whatever else it asks for is refused and counted.
"""

import math
import socket as sockets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from threading import BoundedSemaphore, Lock, Thread, current_thread
from typing import Any, Self

from orchestrator.adapters.gateway.agent_http import AgentConnection, body_length, is_dense
from orchestrator.adapters.gateway.budget import Budget, BudgetGone, Meter
from orchestrator.adapters.gateway.egress import Egress
from orchestrator.adapters.gateway.in_flight import InFlight
from orchestrator.adapters.gateway.patience import Hold, Patience
from orchestrator.adapters.gateway.provider import (
    FORWARDED_PATHS,
    Answer,
    Call,
    ModelProvider,
    NoAnswer,
    NotReached,
)
from orchestrator.domain.agent import Denial, Source
from orchestrator.domain.ledger import Ledger
from orchestrator.domain.model_overload import is_overloaded
from orchestrator.domain.model_request import Refused, judged
from orchestrator.domain.model_rules import ModelRules, kept_headers
from orchestrator.domain.model_wrap_up import Allowance, with_notice

QUERIES = ("", "?beta=true")
# An agent that asks without end must not fill the log or the memory.
MOST_DENIALS = 1000
# Each is a thread. The CLI has a handful, its sub-agents and tunnels a few dozen.
MOST_CONNECTIONS = 128
# One that waits for the service ends when that answers; nobody waits for it.
HANG_UP_S = 1.0


@dataclass
class Gateway:
    """The server of one job. `denials` and `upstream_status` tell afterwards what it saw."""

    socket: Path
    provider: ModelProvider
    rules: ModelRules = field(default_factory=ModelRules)
    egress: Egress = field(default_factory=Egress)
    budget: Budget = field(default_factory=lambda: Budget(Ledger(math.inf)))
    upstream_status: int | None = None
    in_flight: InFlight = field(default_factory=InFlight)
    connections: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(MOST_CONNECTIONS))
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.monotonic
    _began: float = 0.0
    _limit_s: float = math.inf
    _denials: list[Denial] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __enter__(self) -> Self:
        self._server = _Server(str(self.socket), _Handler)
        self._server.gateway = self
        self._thread = Thread(target=self._server.serve, name="gateway", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.patience.end()
        self._server.stop()
        self._thread.join()
        self.egress.close()
        self._server.hang_up()
        self._server.server_close()
        self.socket.unlink(missing_ok=True)

    @property
    def denials(self) -> tuple[Denial, ...]:
        """Every request that was refused."""
        with self._lock:
            return tuple(self._denials)

    def deny(self, target: str, source: Source = Source.EGRESS) -> None:
        """Count a refused request."""
        denial = Denial(tool="gateway", source=source, target=target[:200])
        with self._lock:
            if len(self._denials) < MOST_DENIALS:
                self._denials.append(denial)

    def begin(self, limit_s: float) -> None:
        """The agent starts now and has so many seconds."""
        self._began, self._limit_s = self.clock(), limit_s

    def told(self, call: Call) -> Call:
        """The call with a word to the agent if its time or its money is nearly over."""
        ledger = self.budget.ledger
        elapsed_s = self.clock() - self._began
        allowance = Allowance(self._limit_s, elapsed_s, ledger.budget_usd, ledger.spent.cost_usd)
        notice = None if call.counts_tokens else allowance.notice()
        return call if notice is None else call.asking(with_notice(call.request, notice))

    def send(self, call: Call) -> Answer:
        """Hand the call to the provider and remember how it answered."""
        answer = self.provider.send(call)
        self.note(answer.status)
        return answer

    def metered(self, call: Call) -> AbstractContextManager[Meter]:
        """Room in the budget while the call is under way; raises BudgetGone."""
        if call.counts_tokens:
            return self.budget.token_count()
        return self.budget.call(call.request, len(call.body))

    def observed(self, meter: Meter, answer: Answer) -> Iterator[bytes]:
        """The answer's bytes on their way to the agent. Everything an agent is told passes here."""
        for chunk in answer.chunks:
            meter.feed(chunk)
            yield chunk

    def note(self, status: int) -> None:
        """Remember the last answer if it was an error, forget it if a later call went well."""
        self.upstream_status = status if status >= 400 else None  # noqa: PLR2004  # HTTP's line


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
    gateway: Gateway

    def __init__(self, path: str, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(path, handler)
        self._stopping = False
        self._peers: dict[Thread, Any] = {}
        self._lock = Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for each peer, as long as there are not too many."""
        if self.gateway.connections.acquire(blocking=False):
            return super().process_request(request, client_address)
        self.gateway.deny(f"a connection beyond the {MOST_CONNECTIONS}th")
        return self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve the peer, then make room for another."""
        with self._lock:
            self._peers[current_thread()] = request
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._peers[current_thread()]
            self.gateway.connections.release()

    def serve(self) -> None:
        """Wait for the next peer without ever polling; the standard library's loop looks up at intervals."""
        while not self._stopping:
            self.handle_request()

    def stop(self) -> None:
        """Wake the loop: a socket that is shut down has no next peer."""
        self._stopping = True
        self.socket.shutdown(sockets.SHUT_RDWR)

    def hang_up(self) -> None:
        """End every connection that is still open, and return when none is."""
        with self._lock:
            peers = dict(self._peers)
        for thread, peer in peers.items():
            with suppress(OSError):  # it has just gone
                peer.shutdown(sockets.SHUT_RDWR)
            thread.join(HANG_UP_S)

    def get_request(self) -> tuple[Any, Any]:
        """A unix peer has no address, which the HTTP handler needs one of."""
        connection, _ = super().get_request()
        return connection, ("agent", 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that went away is nothing to print a traceback for."""


class _Handler(AgentConnection, BaseHTTPRequestHandler):
    server: _Server

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Anything but GET, HEAD and POST ends here: refused like every other request."""
        del message, explain
        self._count()
        self.refuse(code, "this gateway carries model calls only")

    def _count(self) -> None:
        self.server.gateway.deny(f"{self.command or '?'} {getattr(self, 'path', '?')}")

    def do_HEAD(self) -> None:
        # The CLI's connection check. It learns nothing.
        if self.target != "/":
            return self.send_error(403)
        return self.answer(200, {}, b"")

    def do_GET(self) -> None:
        self.send_error(403)

    def do_CONNECT(self) -> None:
        self.close_connection = True
        self.server.gateway.egress.serve(
            self.target, self.connection, self.unread(), self.server.gateway.deny
        )

    def do_POST(self) -> None:
        path, mark, query = self.target.partition("?")
        if path not in FORWARDED_PATHS or mark + query not in QUERIES:
            return self.send_error(403)
        length = body_length(self.headers)
        if length is None:
            self._count()
            return self.refuse(413, "the request is too large or does not say plainly how long it is")
        with self.server.gateway.in_flight.body(length):
            if (body := self.read_body(length)) is None:
                return None
            if is_dense(body):
                self._count()
                return self.refuse(413, "the request has too many parts")
            return self._judge(path, mark + query, body)

    def _judge(self, path: str, query: str, body: bytes) -> None:
        gateway = self.server.gateway
        match judged(body, gateway.rules):
            case Refused(reason, status):
                gateway.deny(f"POST {path} with {reason}")
                self.refuse(status, f"the request holds {reason}")
            case request if (headers := kept_headers(dict(self.headers.items()))) is not None:
                call = Call(path, query, headers, request, body)
                self._forward(call.asking(gateway.rules.bounded(request)))
            case _:
                self._count()
                self.refuse(400, "a header of the request cannot be sent on")

    def _forward(self, call: Call) -> None:
        hold = self.server.gateway.patience.hold(call, self.is_gone)
        try:
            for _ in hold.tries():
                if self._is_answered(self.server.gateway.told(call), hold):
                    return None
        except BudgetGone as gone:
            self.server.gateway.deny(f"POST {call.path}: {gone}", Source.BUDGET)
            # A 403 ends the CLI at once; most other statuses it repeats.
            return self.refuse(403, f"{gone}, so the gateway answers no further call of this job")
        if hold.is_wanted:
            # The CLI repeats this one as often as it may; of the service's own answer it soon has enough.
            return self.refuse(504, "the model's service is overloaded still")
        self.close_connection = True
        return None

    def _is_answered(self, call: Call, hold: Hold) -> bool:
        """Ask once, metered: between the tries nothing is reserved. False if the service was overloaded."""
        with self.server.gateway.metered(call) as meter:
            answer = self._asked(call, meter)
            if answer is None:
                return True
            if is_overloaded(answer.status, answer.headers):
                hold.refused(answer.headers)
                answer.close()
                return False
            self._pass_on(answer, meter)
            return True

    def _asked(self, call: Call, meter: Meter) -> Answer | None:
        try:
            answer = self.server.gateway.send(call)
        except NoAnswer as fault:
            meter.free = meter.free or isinstance(fault, NotReached)
            self.server.gateway.note(502)
            self.refuse(502, "the model's service did not answer")
            return None
        meter.answered(answer.status, answer.headers)
        return answer

    def _pass_on(self, answer: Answer, meter: Meter) -> None:
        gateway = self.server.gateway
        # A 401 is about the gateway's credential. The CLI would take it for its own and repeat the call for minutes.
        status = 403 if answer.status == 401 else answer.status  # noqa: PLR2004
        try:
            return self.stream(status, answer.headers, gateway.observed(meter, answer))
        except NoAnswer:
            # Too late for a status: the peer sees an answer that breaks off.
            gateway.note(502)
            self.close_connection = True
        finally:
            # Back in the pool by now if it was read to its end; else nobody may get what is left of it.
            answer.close()
