"""Worker processes: one a job, the next one already waiting, never more than allowed."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock, Thread

from alm import tether
from alm.function import LogLine, follow

# A worker that dies at once would be started again and again.
MAX_FAILED_STARTS = 3


@dataclass
class Workers:
    """Keeps as many workers as are busy and one more, `concurrency` at most."""

    environment: Mapping[str, str]
    concurrency: int
    log: LogLine
    failed_starts: int = 0
    _processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    _busy: set[int] = field(default_factory=set)
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
            return tuple(process.pid for process in self._processes)

    @property
    def broken(self) -> bool:
        """Whether workers keep dying before they have taken a job."""
        return self.failed_starts >= MAX_FAILED_STARTS

    def tend(self) -> None:
        """Start what is missing."""
        with self._lock:
            wanted = min(self.concurrency, len(self._busy) + 1)
            missing = 0 if self._stopping or self.broken else wanted - len(self._processes)
            for _ in range(missing):
                self._start()

    def stop(self) -> None:
        """No new job; every running agent is ended and its ticket told."""
        with self._lock:
            self._stopping = True
            processes = list(self._processes)
        for process in processes:
            process.terminate()
        for process in processes:
            tether.stop(process, grace_s=60)

    def _start(self) -> None:
        process = tether.start("alm.worker", (), self.environment)
        self._processes.append(process)
        Thread(target=self._follow, args=(process,), daemon=True).start()

    def _follow(self, process: "subprocess.Popen[bytes]") -> None:
        follow(process, lambda line: self._take(process, line))
        status = process.wait()
        with self._lock:
            worked = process.pid in self._busy
            self._busy.discard(process.pid)
            self._processes.remove(process)
            if not worked and status != 0 and not self._stopping:
                self.failed_starts += 1
        self.tend()

    def _take(self, process: "subprocess.Popen[bytes]", line: bytes) -> None:
        if b'"job.taken"' in line and _event(line) == "job.taken":
            with self._lock:
                self._busy.add(process.pid)
                self.failed_starts = 0
            self.tend()
        self.log(line)


def _event(line: bytes) -> str:
    try:
        return str(json.loads(line)["message"])
    except (ValueError, KeyError, TypeError):
        return ""
