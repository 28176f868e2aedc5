"""What the gateway adds to a model call: the same calls straight to the stand-in and through it, in turns."""

import http.client
import json
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from alm.standins.model import ScriptedModel, Turn
from orchestrator.adapters.gateway.anthropic import AnthropicModel
from orchestrator.adapters.gateway.server import Gateway

CALLS, WARM = 200, 20
# As long as a call of the CLI in the middle of a job: its tools, its prompt, some files it has read.
BODY = json.dumps(
    {
        "model": "claude-opus-5-5",
        "max_tokens": 128_000,
        "stream": True,
        "tools": [
            {"name": f"Tool{n}", "description": "d" * 3000, "input_schema": {"type": "object"}}
            for n in range(8)
        ],
        "messages": [
            {"role": role, "content": [{"type": "text", "text": "some words of a file\n" * 200}]}
            for _ in range(10)
            for role in ("user", "assistant")
        ],
    }
)


@dataclass(frozen=True)
class Added:
    """Median milliseconds of a call, until its answer is read to the end."""

    straight_ms: float
    through_ms: float

    @property
    def added_ms(self) -> float:
        """What the gateway costs."""
        return self.through_ms - self.straight_ms


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def gateway_added() -> Added:
    """Measure; the first calls warm both ways and do not count."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model = stack.enter_context(ScriptedModel(lambda _conversation: Turn("hello")))
        gateway = stack.enter_context(Gateway(folder / "s", AnthropicModel(model.url, "sk-ant-bench")))
        address = urlsplit(model.url)
        straight, through = (
            http.client.HTTPConnection(str(address.hostname), address.port),
            _Unix(gateway.socket),
        )
        pairs = [(_timed(straight), _timed(through)) for _ in range(WARM + CALLS)][WARM:]
    return Added(*(1000 * statistics.median(way) for way in zip(*pairs, strict=True)))


def _timed(connection: http.client.HTTPConnection) -> float:
    call: Callable[..., None] = connection.request
    started = time.perf_counter()
    call("POST", "/v1/messages?beta=true", BODY, {"content-type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:  # noqa: PLR2004  # HTTP's
        raise RuntimeError(f"the model answered {answer.status}")
    return time.perf_counter() - started
