"""Does something again and again, beside the work, for as long as the work lasts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType

from orchestrator.ports import Events

# A message is hidden for that long at a time, and the worker says so that often.
HIDDEN_S, HIDE_EVERY_S = 120, 40.0
# Who takes the label off waits for the poll's look, for this one and for the agent's end: 30 s for all of them.
ALIVE_EVERY_S = 5.0


@dataclass
class Heartbeat:
    """While the context lasts, there is a beat every `every_s` seconds; one that fails is made good by the next."""

    beat: Callable[[], object]
    every_s: float
    failed: str
    events: Events
    _done: Event = field(default_factory=Event)

    def __enter__(self) -> None:
        self._thread = Thread(target=self._go_on, name="heartbeat", daemon=True)
        self._thread.start()

    def _go_on(self) -> None:
        while not self._done.wait(self.every_s):
            try:
                self.beat()
            except Exception as error:  # noqa: BLE001  # whatever it is, the job goes on and the next beat tries again
                self.events.warning(self.failed, error=type(error).__name__)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
