"""Worker processes: one a job, as many as there are jobs and one waiting for the next, never more than allowed."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from threading import Lock, Thread

from alm import reaper
from alm.function import LogLine

# A worker that dies at once would be started again and again.
MAX_FAILED_STARTS = 3
GRACE_S = 60.0
# After Ctrl-C twice, or when the parent was killed: enough to end an agent, not to tell its ticket.
SHORT_GRACE_S = 10.0
# The code is loaded once, in a process with no thread and no secret; each worker is forked from it.
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["alm.worker"])


@dataclass
class Workers:
    """Keeps a worker for every job under way or waiting (`waiting` counts those), and one for the next."""

    environment: Mapping[str, str]
    concurrency: int
    waiting: Callable[[], int]
    log: LogLine
    failed_starts: int = 0
    _processes: list[ForkServerProcess] = field(default_factory=list)
    _busy: set[int | None] = field(default_factory=set)
    _stopping: bool = False
    _lock: Lock = field(default_factory=Lock)

    @property
    def busy(self) -> int:
        """Workers that run a job."""
        with self._lock:
            return len(self._busy)

    @property
    def pids(self) -> tuple[int, ...]:
        """Every worker process there is now."""
        with self._lock:
            return tuple(process.pid for process in self._processes if process.pid)

    @property
    def broken(self) -> bool:
        """Whether workers keep dying before they have taken a job."""
        return self.failed_starts >= MAX_FAILED_STARTS

    def tend(self) -> None:
        """Start what is missing."""
        waiting = self.waiting()
        with self._lock:
            wanted = min(self.concurrency, len(self._busy) + max(1, waiting))
            missing = 0 if self._stopping or self.broken else wanted - len(self._processes)
            for _ in range(missing):
                self._start()

    def stop(self, grace_s: float = GRACE_S) -> None:
        """No new job; every running agent is ended and its ticket told.

        A person asked for it. SIGTERM would say that the machine goes away: the jobs would go back to the queue.
        """
        with self._lock:
            self._stopping = True
            processes = list(self._processes)
        for process in processes:
            _interrupt(process)
        ends = time.monotonic() + grace_s
        for process in processes:
            process.join(max(ends - time.monotonic(), 0))
            process.kill()
            process.join()

    def _start(self) -> None:
        from alm.worker import work_on_one_job  # noqa: PLC0415  # it loads what only the fork server needs

        printed, output = _SERVER.Pipe(duplex=False)
        process = _SERVER.Process(target=work_on_one_job, args=(dict(self.environment), output))
        process.start()
        output.close()
        if process.pid is not None:
            reaper.watch(process.pid, SHORT_GRACE_S)
        self._processes.append(process)
        Thread(target=self._follow, args=(process, os.dup(printed.fileno())), daemon=True).start()

    def _follow(self, process: ForkServerProcess, printed: int) -> None:
        with os.fdopen(printed, "rb") as lines:
            for line in lines:
                self._take(process, line)
        process.join()
        with self._lock:
            worked = process.pid in self._busy
            self._busy.discard(process.pid)
            self._processes.remove(process)
            if not worked and process.exitcode != 0 and not self._stopping:
                self.failed_starts += 1
        self.tend()

    def _take(self, process: ForkServerProcess, line: bytes) -> None:
        if b'"job.taken"' in line and _event(line) == "job.taken":
            with self._lock:
                self._busy.add(process.pid)
                self.failed_starts = 0
            self.tend()
        self.log(line)


def _interrupt(process: ForkServerProcess) -> None:
    with suppress(ProcessLookupError):
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGINT)


def _event(line: bytes) -> str:
    try:
        return str(json.loads(line)["message"])
    except (ValueError, KeyError, TypeError):
        return ""
