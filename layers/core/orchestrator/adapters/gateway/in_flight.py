"""How much of an agent's requests the gateway holds at once: a hostile one must not fill the worker's memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

MIB = 1024 * 1024


class InFlight:
    """Room for so many bytes of bodies; who finds none waits for those under way."""

    def __init__(self, room_bytes: int = 64 * MIB) -> None:
        self._room = room_bytes
        self.held_bytes = 0
        self._changed = Condition()

    @contextmanager
    def body(self, length: int) -> Iterator[None]:
        """Hold that many bytes. A body larger than all of the room is held alone."""
        with self._changed:
            self._changed.wait_for(lambda: self.held_bytes == 0 or self.held_bytes + length <= self._room)
            self.held_bytes += length
        try:
            yield
        finally:
            with self._changed:
                self.held_bytes -= length
                self._changed.notify_all()
