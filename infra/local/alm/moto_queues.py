"""moto's SQS, made to hand a message out as soon as the real one does, and to one receiver only.

As it comes, a long poll remembers for its whole time which groups were busy when it began, so that the next job of an
issue waits up to 20 s, and spins meanwhile; a message may go to two receivers, and be lost when it is sent while
another one is deleted.
"""

import time
from collections.abc import Callable
from threading import RLock
from typing import Any

from moto.sqs.models import Message, Queue, SQSBackend

LOOK_EVERY_S = 0.02
_once: Callable[..., list[Message]] = SQSBackend.receive_message
_add: Callable[[Queue, Message], None] = Queue.add_message
_delete: Callable[[Queue, str], None] = Queue.delete_message
_hide: Callable[..., None] = SQSBackend.change_message_visibility
_lock = RLock()


def hand_out_at_once() -> None:
    """For good, in this process."""
    SQSBackend.receive_message = receive  # type: ignore[method-assign, assignment]
    Queue.add_message = _locked(_add)  # type: ignore[method-assign]
    Queue.delete_message = _locked(_delete)  # type: ignore[method-assign]
    SQSBackend.change_message_visibility = _locked(_hide)  # type: ignore[method-assign]


def receive(
    backend: SQSBackend,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    *more: Any,
    pause: Callable[[], None] = lambda: time.sleep(LOOK_EVERY_S),
) -> list[Message]:
    """A long poll as many short ones, each of which looks anew which groups are busy; between them, `pause`."""
    end = time.monotonic() + wait_seconds_timeout
    while True:
        with _lock:
            found = _once(backend, queue_name, count, 0, *more)
        if found or time.monotonic() >= end:
            return found
        pause()


def _locked(change: Callable[..., None]) -> Callable[..., None]:
    def locked(*changed: Any, **named: Any) -> None:
        with _lock:
            change(*changed, **named)

    return locked
