"""Where a process can be struck: around every call of every port, found by the types of the use case's own fields."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from typing import Any, get_args, get_origin

from orchestrator import ports
from orchestrator.errors import TransientError
from orchestrator.ports import Events, PromptRenderer, SecretScanner
from orchestrator.usecases.sign_jobs import SignJobs

# None of these writes anything that another process could see: a strike there is a strike at the next call.
SILENT: tuple[type, ...] = (Events, PromptRenderer, SecretScanner, SignJobs)
# Their adapters raise TransientError when a service does not answer; those of AWS raise errors that are none of ours.
TRANSLATED = frozenset({"issues", "comments", "pull_requests", "cloner", "files"})


class Killed(BaseException):
    """`kill -9`: nothing in the code may catch it, and whatever runs on its way out reaches nobody any more."""


class Unanswered(Exception):  # noqa: N818  # what happened, as botocore's errors say it
    """AWS did not answer."""


class Fault(StrEnum):
    """What happens at a call."""

    KILL_BEFORE = "kill before"
    KILL_AFTER = "kill after"
    REFUSED = "no answer, not done"
    LOST = "no answer, but done"


@dataclass
class Points:
    """Every port call of every process in its order, and what strikes there."""

    plan: Callable[[int, str], Fault | None] = lambda _number, _name: None
    seen: list[str] = field(default_factory=list)
    struck: Counter[Fault] = field(default_factory=Counter)
    between: Callable[[str], None] = lambda _name: None

    def pass_by(self, name: str) -> Fault | None:
        """What strikes the call that comes now."""
        self.between(name)
        self.seen.append(name)
        fault = self.plan(len(self.seen) - 1, name)
        if fault is not None:
            self.struck[fault] += 1
        return fault


@dataclass
class Process:
    """One run of one function. Once killed, nothing it still does reaches a port."""

    name: str
    points: Points
    is_dead: bool = False

    def call(self, role: str, method: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Call the port, unless something strikes before; whatever strikes after keeps its answer back."""
        if self.is_dead:
            raise Killed
        fault = self.points.pass_by(f"{self.name}: {role}.{method.__name__}")
        self._strike(role, fault, Fault.KILL_BEFORE, Fault.REFUSED)
        answer = method(*args, **named)
        self._strike(role, fault, Fault.KILL_AFTER, Fault.LOST)
        return self._watched_answer(role, answer)

    def _strike(self, role: str, fault: Fault | None, kill: Fault, error: Fault) -> None:
        if fault is kill:
            self.is_dead = True
            raise Killed
        if fault is error:
            raise TransientError("It did not answer.") if role in TRANSLATED else Unanswered

    def _watched_answer(self, role: str, answer: Any) -> Any:
        """A clone has calls of its own, made while it lasts."""
        if isinstance(answer, AbstractContextManager):
            return self._watched_context(role, answer)
        return answer

    @contextmanager
    def _watched_context(self, role: str, context: AbstractContextManager[Any]) -> Iterator[Any]:
        with context as entered:
            yield Watched(self, f"{role}.checkout", entered)


class Watched:
    """A port whose every call goes by the process it belongs to."""

    def __init__(self, process: Process, role: str, port: Any) -> None:
        self._process, self._role, self._port = process, role, port

    def __call__(self, *args: Any) -> "Watched":
        """A port that opens another one."""
        return Watched(self._process, self._role, self._port(*args))

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        if not callable(value):
            return value
        return lambda *args, **named: self._process.call(self._role, value, *args, **named)


def is_port(kind: Any) -> bool:
    """Whether a field of that type is a port at which a process can be struck."""
    is_protocol = isinstance(kind, type) and getattr(kind, "_is_protocol", False)
    return is_protocol and kind.__module__.startswith(ports.__name__) and kind not in SILENT


def watched[T](use_case: T, process: Process) -> T:
    """The same use case, and those it is made of, with every port watched."""
    changed = {
        known.name: _watched_part(known.name, known.type, getattr(use_case, known.name), process)
        for known in fields(use_case)  # type: ignore[arg-type]  # every use case is a dataclass
        if known.init and (is_port(known.type) or is_use_case(known.type) or are_ports(known.type))
    }
    return replace(use_case, **changed)  # type: ignore[type-var]  # the same


def are_ports(kind: Any) -> bool:
    """Whether a field of that type holds such ports by name."""
    return get_origin(kind) is Mapping and is_port(get_args(kind)[1])


def is_use_case(kind: Any) -> bool:
    """Whether a field of that type is a use case with ports of its own."""
    is_ours = str(getattr(kind, "__module__", "")).startswith("orchestrator.usecases")
    return is_dataclass(kind) and is_ours and kind not in SILENT


def _watched_part(name: str, kind: Any, part: Any, process: Process) -> Any:
    if are_ports(kind):
        return {key: Watched(process, f"{name}.{key}", port) for key, port in part.items()}
    return Watched(process, name, part) if is_port(kind) else watched(part, process)
