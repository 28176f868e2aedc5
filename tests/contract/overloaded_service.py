"""A service that is overloaded as a test wants it, and a gateway in front of it."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, local

from tests.contract.gateway_client import Hours

from alm.standins.model import Conversation, Turn
from orchestrator.adapters.gateway.anthropic import AnthropicModel
from orchestrator.adapters.gateway.budget import Budget
from orchestrator.adapters.gateway.patience import Patience
from orchestrator.adapters.gateway.provider import Answer, Call, error_answer
from orchestrator.adapters.gateway.server import Gateway
from orchestrator.domain.ledger import Ledger


class Service:
    """Answers with the refusals it holds, one by one, then as it should. `times` says when it was asked."""

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        self.refusals: list[Turn] = []
        self.times: list[float] = []

    def __call__(self, _conversation: Conversation) -> Turn:
        self.times.append(self.hours())
        return self.refusals.pop(0) if self.refusals else Turn(text="hello")


def overloaded(status: int = 529, **headers: str) -> Turn:
    return Turn(status=status, headers={name.replace("_", "-"): said for name, said in headers.items()})


def opened(url: str, folder: Path, patience: Patience, budget_usd: float = 1.0) -> Gateway:
    provider = AnthropicModel(url, "sk-made-up")
    return Gateway(folder / "s", provider, budget=Budget(Ledger(budget_usd)), patience=patience)


class OwnTime(local):
    """A clock for each thread, so that none runs ahead of what another is about to do."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, over: Event, wait_s: float) -> bool:
        self.now += wait_s
        return over.is_set()


@dataclass
class Crowded:
    """A provider that is overloaded for a minute, and says so."""

    time: OwnTime
    asked: list[float] = field(default_factory=list)

    def send(self, call: Call) -> Answer:
        del call
        self.asked.append(self.time())
        if self.time() >= 60:
            return Answer(200, {}, iter((b"{}",)))
        return replace(error_answer(429, "slow down"), headers={"retry-after": "60"})
