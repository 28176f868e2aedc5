"""Waits for a model's service that is overloaded, in the CLI's place: the CLI just waits for its answer.

CLI 2.1.330 gives up an overloaded call at its third try, and one with a hint of some minutes at once. It waits 360 s
for an answer to begin, whatever API_TIMEOUT_MS says, and then makes the call again (measured). So a call is held for
less than that and answered with what the CLI repeats, which begins a new hold. What the service asked for is kept.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Event

from orchestrator.adapters.gateway.provider import Call
from orchestrator.domain.model_overload import hint_s, pause_s

# Of the CLI's 360 s the last try of a hold needs some for its answer.
HOLD_S = 240.0
# Without a count the CLI makes an estimate: worth a moment, not a job's time.
COUNT_HOLD_S = 10.0
# How often it is looked whether anybody still waits for the answer.
LOOK_EVERY_S = 1.0


@dataclass
class Patience:
    """The waiting of one job's calls. `clock` is the monotonic one, `now` the one that dates refer to."""

    hold_s: float = HOLD_S
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random
    wait: Callable[[Event, float], bool] = Event.wait
    _over: Event = field(default_factory=Event)
    _asked_for: dict[str, float] = field(default_factory=dict)

    def end(self) -> None:
        """Nobody waits any more: every hold ends at once."""
        self._over.set()

    def hold(self, call: Call, is_gone: Callable[[], bool]) -> "Hold":
        """The patience for one call; `is_gone` tells whether the one who made it has hung up."""
        began = self.clock()
        limit_s = min(COUNT_HOLD_S, self.hold_s) if call.counts_tokens else self.hold_s
        model = str(call.request.get("model"))
        left_s = self._asked_for.get(model, began) - began
        first = began + pause_s(left_s, 0, self.chance()) if left_s > 0 else began
        return Hold(self, model, is_gone, began + limit_s, first)

    def rested(self, until: float, is_gone: Callable[[], bool]) -> bool:
        """Wait until then; False if that has become pointless."""
        while (left_s := until - self.clock()) > 0:
            if self.wait(self._over, min(left_s, LOOK_EVERY_S)) or is_gone():
                return False
        return not self._over.is_set()

    def remember(self, model: str, hint: float) -> None:
        """The service wants no call for this model for so many seconds."""
        self._asked_for[model] = self.clock() + hint


@dataclass
class Hold:
    """One call while it is held."""

    patience: Patience
    model: str
    is_gone: Callable[[], bool]
    until: float
    next_try: float
    is_wanted: bool = True
    _refusals: int = 0

    def tries(self) -> Iterator[int]:
        """Comes round each time the service may be asked; ends with the hold, or when nobody wants the answer."""
        while self._comes_round():
            yield self._refusals

    def refused(self, headers: Mapping[str, str]) -> None:
        """The service is overloaded, and says so in these headers."""
        hint = hint_s(headers, self.patience.now())
        if hint is not None:
            self.patience.remember(self.model, hint)
        self.next_try = self.patience.clock() + pause_s(hint, self._refusals, self.patience.chance())
        self._refusals += 1

    def _comes_round(self) -> bool:
        self.is_wanted = self.patience.rested(min(self.next_try, self.until), self.is_gone)
        return self.is_wanted and self.next_try <= self.until
