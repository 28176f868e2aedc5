"""Watches a confined program: feeds it, reads it, and ends it step by step when its time is over."""

import json
from collections.abc import Callable
from signal import Signals
from threading import Thread
from time import monotonic
from typing import IO

from orchestrator.adapters.wall.limits import Disk, excess
from orchestrator.adapters.wall.sandbox import ConfinedProcess
from orchestrator.domain.agent import Stop, Transcript
from orchestrator.domain.halt import Halt

LONGEST_LINE = 16 * 1024 * 1024
# Read on beyond it, but not kept: a transcript is for people, and this is more than any of them reads.
LARGEST_TRANSCRIPT = 256 * 1024 * 1024
LOOK_EVERY_S = 0.25
# SIGINT ends the turn and still yields cost and result; SIGTERM loses them; SIGKILL is for what ignores both.
ESCALATION = ((Signals.SIGINT, 10.0), (Signals.SIGTERM, 5.0))
DRAIN_S = 10.0
KEPT_ERRORS = 64 * 1024


class Supervision:
    """One run of one program. The transcript is whole once `exit_status` has returned."""

    def __init__(
        self,
        process: ConfinedProcess,
        stream: IO[bytes],
        disk: Disk,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.transcript = Transcript()
        self.excess: str | None = None
        self._process = process
        self._stream = stream
        self._disk = disk
        self._clock = clock
        self._errors = b""
        self._readers = [_thread(self._read_output), _thread(self._read_errors)]

    def tell(self, prompt: str) -> None:
        """Write the prompt to standard input, beside the reading: a program that never reads blocks nobody."""
        self._writer = _thread(lambda: self._write(prompt.encode("utf-8", "replace")))

    def wait(self, limit_s: float, halt: Halt) -> Stop | None:
        """Until the program ends, its time is over, or someone wants it to; then see that it does end."""
        stop = self._watch(self._clock() + limit_s, halt)
        if stop is Stop.EXCESS:
            self._process.kill()  # each moment more would cost the machine
        elif stop is not None:
            self._end()
        return stop

    def exit_status(self) -> int:
        """The exit status, after everything it wrote has been read."""
        status = self._process.wait(DRAIN_S)
        # A child that outlived the program may hold the pipe open: ending the wall closes it.
        self._process.kill()
        for reader in self._readers:
            reader.join(DRAIN_S)
        if self._errors:
            note = {"type": "stderr", "text": self._errors.decode(errors="replace")}
            self._stream.write(json.dumps(note).encode() + b"\n")
        return -1 if status is None else status

    def _watch(self, deadline: float, halt: Halt) -> Stop | None:
        while self._process.wait(LOOK_EVERY_S) is None:
            if halt.is_asked:
                return halt.reason
            if self._clock() >= deadline:
                return Stop.DEADLINE
            if (found := excess(self._process.usage, self._disk)) is not None:
                self.excess = found
                return Stop.EXCESS
        return None

    def _end(self) -> None:
        for signal, grace_s in ESCALATION:
            self._process.signal(signal)
            if self._process.wait(grace_s) is not None:
                return
        self._process.kill()

    def _write(self, prompt: bytes) -> None:
        try:
            self._process.stdin.write(prompt)
            self._process.stdin.close()
        except (BrokenPipeError, ValueError):
            return  # it ended without reading: its exit status tells

    def _read_output(self) -> None:
        kept, starts_a_line = 0, True
        while line := self._process.stdout.readline(LONGEST_LINE):
            kept += len(line)
            if kept <= LARGEST_TRANSCRIPT:
                self._stream.write(line)
            if starts_a_line:
                self.transcript.feed(line)
            # What follows a line that was too long is its rest, and no message whatever it looks like.
            starts_a_line = line.endswith(b"\n")

    def _read_errors(self) -> None:
        self._errors = self._process.stderr.read(KEPT_ERRORS)
        while self._process.stderr.read(KEPT_ERRORS):
            pass  # read, so that the program never waits for us; not kept


def _thread(work: Callable[[], None]) -> Thread:
    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread
