"""What goes wrong on demand: faults injected into a stand-in."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from alm.standins.messages import Answer, Request, json_answer


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong `times` times for requests of this method ("" = any) and path (searched).

    `before`: the handler does not run. `after`: it runs, then its answer is replaced, so a write happened.
    `cut` closes the connection without an answer.
    """

    method: str = ""
    path: str = ""
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    times: int = 1
    when: Literal["before", "after"] = "before"
    cut: bool = False

    def matches(self, request: Request) -> bool:
        """Say whether the fault is meant for this request."""
        return self.method in ("", request.method) and re.search(self.path, request.path) is not None

    def answer(self) -> Answer | None:
        """Return what is sent instead; None cuts the line."""
        if self.cut:
            return None
        if isinstance(self.body, bytes):
            return Answer(self.status, self.body, self.headers)
        return json_answer(self.status, {} if self.body is None else self.body, self.headers)


class Faults:
    """The faults still to come, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Inject a fault."""
        with self._lock:
            self._pending.append(fault)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._pending.clear()

    def pending(self) -> tuple[Fault, ...]:
        """Return the faults not used up, with the times they have left."""
        with self._lock:
            return tuple(self._pending)

    def take(self, request: Request) -> Fault | None:
        """Use up one time of the first fault that matches."""
        with self._lock:
            for index, fault in enumerate(self._pending):
                if fault.matches(request):
                    left = replace(fault, times=fault.times - 1)
                    self._pending[index : index + 1] = [left] if left.times > 0 else []
                    return fault
        return None
