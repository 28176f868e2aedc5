"""What a job has spent with the model's service, and whether it may make another call.

Pure rules; waiting and locking is `adapters/gateway/budget.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeGuard

from pydantic import BaseModel, ConfigDict

from orchestrator.domain.model_content import most_prompt
from orchestrator.domain.model_usage import Usage, UsageReader

# The longest answer of any model of today: the bound for a call that names no `max_tokens`.
MOST_OUTPUT_TOKENS = 128_000
# Model calls under way at once. The CLI makes one for each of its agents; further calls wait.
MOST_AT_ONCE = 16
# Calls that fail and token counts cost nothing, and still must not hammer the service.
MOST_CALLS, MOST_COUNTS = 5000, 1000
# Prompts above these sizes have another price with some models.
SHORT_PROMPT, LONG_PROMPT = 100_000, 200_000


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens read; all else is priced as a multiple of that.

    https://platform.claude.com/docs/en/about-claude/pricing, November 2026, first-party service, standard tier.
    """

    input: float
    read_share: float = 0.1
    # What share of the price a call pays whose prompt is short.
    short_share: float = 1.0
    # By how much a long prompt raises the price of the tokens read and of those written.
    long_input: float = 1.0
    long_output: float = 1.0

    def of(self, usage: Usage) -> float:
        """What the tokens cost, in US dollars."""
        read = (
            usage.input
            + usage.cache_write_5m * 1.25
            + usage.cache_write_1h * 2
            + usage.cache_read * self.read_share
        )
        read_factor, written_factor = self._factors(usage.input_tokens)
        return (read * read_factor + usage.output * 5 * written_factor) * self.input / 1_000_000

    def _factors(self, prompt_tokens: int) -> tuple[float, float]:
        if prompt_tokens > LONG_PROMPT:
            return self.long_input, self.long_output
        return (self.short_share, self.short_share) if prompt_tokens <= SHORT_PROMPT else (1.0, 1.0)


_DEAREST = Price(15)
# The dearest family first, so that no word in a name makes a call cheaper; in a family the exceptions first.
_PRICES = (
    (re.compile(r"3-opus|opus-(?:3|4)(?![-.]?[0-9])|opus-4[-.@](?:0|1|20[0-9]{6})(?![0-9])"), _DEAREST),
    (re.compile("fable|mythos"), Price(10)),
    (re.compile(r"opus-5[-.]5(?![0-9])"), Price(4, read_share=0.05)),
    (re.compile("opus"), Price(5)),
    (re.compile(r"sonnet-5[-.]5(?![0-9])"), Price(2, read_share=0.05)),
    (re.compile(r"sonnet-5"), Price(2)),
    (re.compile(r"sonnet-4[-.][6-9](?![0-9])"), Price(3)),
    (re.compile("sonnet"), Price(3, long_input=2, long_output=1.5)),
    (re.compile(r"haiku-5[-.]5(?![0-9])"), Price(0.5, short_share=0.2)),
    (re.compile("haiku"), Price(1)),
)


def price_of(model: str) -> Price:
    """The model's price by its family; the dearest for a name that says nothing."""
    return next((price for known, price in _PRICES if known.search(model.lower())), _DEAREST)


@dataclass(frozen=True)
class Quote:
    """What one call can cost before it is made: `prompt` is the most it can be charged for its input."""

    price: Price
    prompt: Usage
    max_tokens: int

    @property
    def worst_usd(self) -> float:
        """All of the prompt at its dearest, and all the output that was asked for."""
        return self.price.of(replace(self.prompt, output=self.max_tokens))

    def cost_usd(self, read: UsageReader) -> float:
        """What it did cost. What the answer did not say to its end counts as the most it can have been."""
        if read.complete:
            return self.price.of(read.usage)
        if read.started:
            return self.price.of(replace(read.usage, output=max(self.max_tokens, read.usage.output)))
        return self.worst_usd


def quote(request: Mapping[str, Any], body_bytes: int) -> Quote:
    """The quote for a request of that many bytes; what it does not say plainly counts as the most."""
    prompt = most_prompt(request, body_bytes)
    return Quote(price_of(str(request.get("model"))), prompt, _most_output(request))


def _most_output(request: Mapping[str, Any]) -> int:
    """The output asked for. With interleaved thinking the thinking budget may be larger than `max_tokens`."""
    tokens, thinking = request.get("max_tokens"), request.get("thinking")
    budget = thinking.get("budget_tokens", 0) if isinstance(thinking, dict) else 0
    if not _is_count(tokens) or not (budget == 0 or _is_count(budget)):
        return MOST_OUTPUT_TOKENS
    return max(int(tokens), int(budget))


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= MOST_OUTPUT_TOKENS


class Spent(BaseModel):
    """The sums of a job. The cost is never less than what the service can charge; the tokens are those it told of."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0


class Admission(StrEnum):
    """Whether a call may be made."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True)
class Ledger:
    """The account of one job. `reserved_usd` is the worst case of the calls under way."""

    budget_usd: float
    spent: Spent = field(default_factory=Spent)
    reserved_usd: float = 0.0
    under_way: int = 0
    calls: int = 0

    def admission(self) -> Admission:
        """Now while there is room, later while calls under way may leave some, never when the budget is gone.

        A call need not fit into what is left: the first of a small budget would not. So a job costs less than its
        budget and the worst case of one call, however many are made at once.
        """
        if self.spent.cost_usd >= self.budget_usd or self.calls >= MOST_CALLS:
            return Admission.NEVER
        full = self.under_way > 0 and self.spent.cost_usd + self.reserved_usd >= self.budget_usd
        return Admission.LATER if full or self.under_way >= MOST_AT_ONCE else Admission.NOW

    def opened(self, quoted: Quote) -> "Ledger":
        """With a call under way."""
        reserved = self.reserved_usd + quoted.worst_usd
        counted = self.requested()
        return replace(counted, reserved_usd=reserved, under_way=self.under_way + 1, calls=self.calls + 1)

    def closed(self, quoted: Quote, cost_usd: float, usage: Usage) -> "Ledger":
        """With that call over."""
        spent = self.spent.model_copy(
            update={
                "input_tokens": self.spent.input_tokens + usage.input_tokens,
                "output_tokens": self.spent.output_tokens + usage.output,
                "cost_usd": self.spent.cost_usd + cost_usd,
            }
        )
        under_way = self.under_way - 1
        # Sums of fractions do not come back to nothing by themselves.
        reserved = max(self.reserved_usd - quoted.worst_usd, 0.0) if under_way else 0.0
        return replace(self, spent=spent, reserved_usd=reserved, under_way=under_way)

    def final(self) -> Spent:
        """The sums, with calls under way at their worst."""
        return self.spent.model_copy(update={"cost_usd": self.spent.cost_usd + self.reserved_usd})

    def requested(self) -> "Ledger":
        """With one more request, free or not."""
        spent = self.spent.model_copy(update={"requests": self.spent.requests + 1})
        return replace(self, spent=spent)
