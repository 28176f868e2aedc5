"""HTTP as values: requests, answers and routes; no sockets."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What goes back: a status, headers and a body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.body)


def json_answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer with a JSON body."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Answer(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


@dataclass(frozen=True)
class Request:
    """One request; in the log it carries what was answered (`answer` is None when the line was cut)."""

    method: str
    target: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    body: bytes = b""
    args: Mapping[str, str] = field(default_factory=dict)
    answer: Answer | None = None

    @property
    def status(self) -> int:
        """The status answered, 0 when the connection was cut."""
        return self.answer.status if self.answer else 0

    def json(self) -> Any:
        """Read the body as JSON; None when there is none."""
        return json.loads(self.body) if self.body else None

    def first(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        return self.query.get(name, (default,))[0]

    def listed(self, name: str) -> tuple[str, ...]:
        """Return a query parameter that may be repeated or separated by commas."""
        return tuple(item for value in self.query.get(name, ()) for item in value.split(",") if item)


Handler = Callable[[Request], Answer]


class Refused(Exception):  # noqa: N818 - an expected answer of the vendor, not an error of ours
    """Ends a handler early with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True)
class Route:
    """A handler for one method and the paths its regular expression matches whole."""

    method: str
    pattern: str
    handler: Handler
