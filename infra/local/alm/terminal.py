"""What a person sees of a running stack: log lines in words, a line per running job; the JSON goes to files."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

SAID = {
    "job.queued": "queued {action}",
    "job.taken": "started {action}",
    "agent.finished": "agent finished: {outcome}",
    "job.ended": "{action} ended: {outcome}",
}
PHASES = {"clone": "cloning", "agent": "agent at work", "collect": "collecting"}
EVERY_S = 15.0


@dataclass
class Running:
    """A job that a worker has taken."""

    issue_key: str
    action: str
    since: float
    phase: str = "starting"

    def line(self, now: float) -> str:
        """The job's progress line."""
        minutes, seconds = divmod(int(now - self.since), 60)
        return f"{self.issue_key}  {self.action}  {self.phase}  {minutes:02d}:{seconds:02d}"


@dataclass
class Terminal:
    """The one place that prints while a stack runs."""

    verbose: bool = False
    logs_dir: Path | None = None
    console: Console = field(default_factory=lambda: Console(highlight=False))
    clock: Callable[[], float] = time.monotonic
    _running: dict[str, Running] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _closed: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        if self.logs_dir is not None:
            self.logs_dir.mkdir(parents=True, exist_ok=True)
        self._live = Live(
            console=self.console, get_renderable=self._renderable, transient=True, refresh_per_second=2
        )
        if self.console.is_terminal:
            self._live.start()
        else:
            Thread(target=self._report, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        if self.console.is_terminal:
            self._live.stop()

    def say(self, text: str) -> None:
        """A line for the person, whatever the verbosity."""
        # Text, not markup: what strangers wrote into a ticket must not style the terminal.
        self.console.print(Text(_printable(text)))

    def log(self, line: bytes) -> None:
        """Take one line that a function printed."""
        entry = _parsed(line)
        with self._lock:
            self._keep(entry)
            self._follow(entry)
        if words := self._words(entry):
            self.say(words)

    def _keep(self, entry: Mapping[str, Any]) -> None:
        if self.logs_dir is not None:
            name = str(entry.get("service", "stack"))
            with (self.logs_dir / f"{name if name.isidentifier() else 'stack'}.jsonl").open("a") as file:
                file.write(json.dumps(entry) + "\n")

    def _follow(self, entry: Mapping[str, Any]) -> None:
        match entry.get("message"), str(entry.get("job_id")):
            case "job.taken", job_id:
                running = Running(str(entry.get("issue_key")), str(entry.get("action")), self.clock())
                self._running[job_id] = running
            case "job.phase", job_id if job_id in self._running:
                self._running[job_id].phase = PHASES.get(str(entry.get("phase")), "at work")
            case "agent.finished" | "job.postponed", job_id:
                self._running.pop(job_id, None)

    def _words(self, entry: Mapping[str, Any]) -> str:
        if "_aws" in entry:
            return ""  # a metric, for CloudWatch and the file
        message = str(entry.get("message"))
        template = SAID.get(message)
        if template is None and entry.get("level") == "INFO" and not self.verbose:
            return ""
        words = template.format_map(_Facts(entry)) if template else f"{message} {_facts(entry)}"
        level = "" if entry.get("level") == "INFO" else f"{entry.get('level')}: "
        return f"{level}{entry.get('issue_key', entry.get('service', ''))}  {words}".strip()

    def progress(self) -> tuple[str, ...]:
        """A line per running job."""
        with self._lock:
            return tuple(running.line(self.clock()) for running in self._running.values())

    def _renderable(self) -> Text:
        return Text("\n".join(_printable(line) for line in self.progress()))

    def _report(self) -> None:
        while not self._closed.wait(EVERY_S):
            for line in self.progress():
                self.say(line)


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if isinstance(entry, dict):
        return entry
    return {"level": "ERROR", "message": line.decode(errors="replace").rstrip()}


def _facts(entry: Mapping[str, Any]) -> str:
    known = {"level", "message", "service", "timestamp", "location", "issue_key", "job_id"}
    return " ".join(f"{key}={value}" for key, value in entry.items() if key not in known)


def _printable(text: str) -> str:
    """Without control characters: a log line must not move the cursor."""
    return "".join(character if character.isprintable() or character in "\n\t" else "�" for character in text)
