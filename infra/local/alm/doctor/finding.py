"""What a check says, and how checks are run: all at once, each with a time limit, none able to end the others."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Thread
from time import monotonic

from orchestrator.errors import OrchestratorError


class Grade(StrEnum):
    """How good it is. A fault keeps jobs from working, a warning does not."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and how to mend it."""

    topic: str
    grade: Grade
    said: str
    mend: str = ""


def ok(topic: str, said: str) -> Finding:
    """All is well."""
    return Finding(topic, Grade.OK, said)


def warning(topic: str, said: str, mend: str) -> Finding:
    """It works, and should not stay so."""
    return Finding(topic, Grade.WARNING, said, mend)


def fault(topic: str, said: str, mend: str) -> Finding:
    """Jobs will not work."""
    return Finding(topic, Grade.FAULT, said, mend)


Check = Callable[[], Iterable[Finding]]


@dataclass
class _Running:
    topic: str
    check: Check
    found: list[Finding] = field(default_factory=list)

    def start(self) -> Thread:
        # A daemon: one that never answers does not keep the command from ending.
        thread = Thread(target=self._run, name=self.topic, daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        try:
            self.found.extend(self.check())
        except OrchestratorError as error:
            self.found.append(fault(self.topic, str(error), "Mend that and run `alm doctor` again."))
        except Exception as error:  # noqa: BLE001  # an odd answer of others must not hide the other findings
            self.found.append(
                fault(self.topic, f"The check met {type(error).__name__}.", "Look at what answers there.")
            )


def examined(checks: Mapping[str, Check], limit_s: float) -> Iterator[Finding]:
    """Every finding, in the order of the checks."""
    running = [(one, one.start()) for one in (_Running(topic, check) for topic, check in checks.items())]
    deadline = monotonic() + limit_s
    for one, thread in running:
        thread.join(max(0.0, deadline - monotonic()))
        yield from tuple(one.found)
        if thread.is_alive():
            yield fault(
                one.topic, f"No answer within {limit_s:g} s.", "Check network and address, try again."
            )
