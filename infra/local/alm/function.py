"""One function of the stack in a process of its own, holding only what its room may hold."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any, Self

from alm import tether

LogLine = Callable[[bytes], None]


class FunctionError(Exception):
    """The handler raised; `kind` is the error's class name."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class LocalFunction:
    """`invoke` is what AWS does with an event."""

    module: str
    environment: Mapping[str, str]
    log: LogLine

    def __enter__(self) -> Self:
        answers, answers_out = os.pipe()
        environment = {**self.environment, "ALM_ANSWER_FD": str(answers_out)}
        self._process = tether.start("alm.host", (self.module,), environment, passed=(answers_out,))
        os.close(answers_out)
        self._answers = os.fdopen(answers, "rb")
        self._lock = Lock()
        self._reader = Thread(target=follow, args=(self._process, self.log), daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None  # noqa: S101  # it is a pipe
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._answers.close()

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """The handler's answer; FunctionError when it raised or the process died."""
        with self._lock:
            assert self._process.stdin is not None  # noqa: S101  # it is a pipe
            self._process.stdin.write(json.dumps(event).encode() + b"\n")
            self._process.stdin.flush()
            line = self._answers.readline()
        if not line:
            raise FunctionError("Died", f"the function {self.module} ended")
        answer = json.loads(line)
        if "error" in answer:
            raise FunctionError(answer["error"], answer["message"])
        return answer["result"]


def follow(process: "subprocess.Popen[bytes]", log: LogLine) -> None:
    """Hand every line a process prints to the log, until it ends."""
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    for line in process.stdout:
        log(line)
