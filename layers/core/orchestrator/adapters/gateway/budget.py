"""The job's budget as the gateway's threads share it: a call waits for room and is charged at its end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

from orchestrator.domain.ledger import MOST_CALLS, MOST_COUNTS, Admission, Ledger, Quote, Spent, quote
from orchestrator.domain.model_usage import Usage, UsageReader

# As long as the gateway waits for an answer: by then the calls before this one have ended.
WAIT_S = 600.0
# The agent sees the end of its last answer a moment before the ledger does.
SETTLE_S = 2.0


class BudgetGone(Exception):  # noqa: N818  # an answer, not an error
    """Why the job gets no further answer, in a few words."""


@dataclass
class Meter:
    """One call under way. It is charged in full unless it is known that less was used."""

    quoted: Quote
    reader: UsageReader | None = None
    free: bool = False

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Note how the service answered. What it refuses, it does not charge."""
        self.free = self.free or status >= 400  # noqa: PLR2004  # HTTP's line
        self.reader = UsageReader(headers.get("content-type", ""), headers.get("content-encoding", ""))

    def feed(self, chunk: bytes) -> None:
        """Read a piece of the answer on its way to the agent."""
        if self.reader is not None and not self.free:
            self.reader.feed(chunk)

    def charge(self) -> tuple[float, Usage]:
        """What it costs, and the tokens known."""
        if self.free:
            return 0.0, Usage()
        if self.reader is None:
            return self.quoted.worst_usd, Usage()
        self.reader.end()
        return self.quoted.cost_usd(self.reader), self.reader.usage


@dataclass
class Budget:
    """The ledger of one job, for many threads."""

    ledger: Ledger
    wait_s: float = WAIT_S
    counted: int = 0
    _changed: Condition = field(default_factory=Condition)

    def final(self, wait_s: float = SETTLE_S) -> Spent:
        """The sums when the agent has ended. A call that has not ended by then counts as the most it can cost."""
        with self._changed:
            self._changed.wait_for(lambda: self.ledger.under_way == 0, wait_s)
            return self.ledger.final()

    @contextmanager
    def call(self, request: Mapping[str, Any], length: int) -> Iterator[Meter]:
        """Hold room for a model call of that many bytes while it is under way; raises BudgetGone."""
        meter = Meter(quote(request, length))
        self._open(meter.quoted)
        try:
            yield meter
        finally:
            self._close(meter)

    @contextmanager
    def token_count(self) -> Iterator[Meter]:
        """Note a request that costs nothing; raises BudgetGone when there were too many."""
        self._count()
        yield Meter(quote({}, 0), free=True)

    def _count(self) -> None:
        with self._changed:
            if self.counted >= MOST_COUNTS:
                raise BudgetGone(f"the job has had its {MOST_COUNTS} token counts")
            self.counted += 1
            self.ledger = self.ledger.requested()

    def _open(self, quoted: Quote) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self.ledger.admission() is not Admission.LATER, self.wait_s)
            if self.ledger.admission() is not Admission.NOW:
                raise BudgetGone(self._why())
            self.ledger = self.ledger.opened(quoted)

    def _why(self) -> str:
        if self.ledger.calls >= MOST_CALLS:
            return f"the job has had its {MOST_CALLS} model calls"
        if self.ledger.spent.cost_usd < self.ledger.budget_usd:
            return f"the budget of ${self.ledger.budget_usd:.2f} is held for calls that have not ended"
        return f"the budget of ${self.ledger.budget_usd:.2f} is used up"

    def _close(self, meter: Meter) -> None:
        cost_usd, usage = meter.charge()
        with self._changed:
            self.ledger = self.ledger.closed(meter.quoted, cost_usd, usage)
            self._changed.notify_all()
