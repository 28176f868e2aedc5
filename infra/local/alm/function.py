"""One function of the stack in a process of its own, holding only what its room may hold."""

import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any, Self

from alm import tether

LogLine = Callable[[bytes], None]
# How long AWS lets a function work on an event, and how long it may go on when everything is being stopped.
LIMIT_S, HURRY_S = 300.0, 10.0
# An idle function ends at once when its standard input closes.
EXIT_S = 5.0
LOOK_EVERY_S = 0.2


class FunctionError(Exception):
    """The handler raised; `kind` is the error's class name."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class LocalFunction:
    """`invoke` is what AWS does with an event: a function that does not answer in time is ended and started anew."""

    module: str
    environment: Mapping[str, str]
    log: LogLine
    limit_s: float = LIMIT_S

    def __enter__(self) -> Self:
        self._lock = Lock()
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end(EXIT_S)

    def _start(self) -> None:
        answers, answers_out = os.pipe()
        environment = {**self.environment, "ALM_ANSWER_FD": str(answers_out)}
        self._process = tether.start("alm.host", (self.module,), environment, passed=(answers_out,))
        os.close(answers_out)
        self._answers = os.fdopen(answers, "rb")
        self._reader = Thread(target=follow, args=(self._process, self.log), daemon=True)
        self._reader.start()

    def _end(self, grace_s: float) -> None:
        assert self._process.stdin is not None  # noqa: S101  # it is a pipe
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._answers.close()

    def invoke(self, event: Mapping[str, Any], hurry: Event | None = None) -> Any:
        """The handler's answer; FunctionError when it raised, died or did not answer in time.

        When `hurry` is set it has a few seconds left.
        """
        with self._lock:
            if self._process.poll() is not None:
                self._end(0)
                self._start()
            assert self._process.stdin is not None  # noqa: S101  # it is a pipe
            self._process.stdin.write(json.dumps(event).encode() + b"\n")
            self._process.stdin.flush()
            line = self._answer(hurry or Event())
        if not line:
            raise FunctionError("Died", f"the function {self.module} ended")
        answer = json.loads(line)
        if "error" in answer:
            raise FunctionError(answer["error"], answer["message"])
        return answer["result"]

    def _answer(self, hurry: Event) -> bytes:
        started = time.monotonic()
        ends = started + self.limit_s
        while not select.select([self._answers], [], [], LOOK_EVERY_S)[0]:
            if hurry.is_set():
                ends = min(ends, time.monotonic() + HURRY_S)
                hurry = Event()
            if time.monotonic() > ends:
                self._process.kill()
                self._process.wait()
                after_s = time.monotonic() - started
                raise FunctionError(
                    "TimedOut", f"{self.module} had no answer after {after_s:.0f} s and was ended"
                )
        return self._answers.readline()


def follow(process: "subprocess.Popen[bytes]", log: LogLine) -> None:
    """Hand every line a process prints to the log, until it ends."""
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    for line in process.stdout:
        log(line)
