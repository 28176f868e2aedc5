"""Keeps a message hidden from other workers for as long as this one works on it."""

from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType

from orchestrator.ports import Events, JobReceiver

BEAT_S = 40
HIDDEN_S = 120


@dataclass
class Heartbeat:
    """While the context lasts, the receipt's message stays hidden; a failed beat is made good by the next."""

    queue: JobReceiver
    receipt: str
    events: Events
    beat_s: float = BEAT_S
    _done: Event = field(default_factory=Event)

    def __enter__(self) -> None:
        self._thread = Thread(target=self._beat, name="visibility", daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        while not self._done.wait(self.beat_s):
            try:
                self.queue.hide(self.receipt, HIDDEN_S)
            except Exception as error:  # noqa: BLE001  # whatever it is, the job goes on and the next beat tries again
                self.events.warning("visibility.not_extended", error=type(error).__name__)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
