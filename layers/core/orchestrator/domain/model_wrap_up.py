"""The word to the agent that its time or its money is nearly over, put at the end of a model call.

Pure rules; the gateway says it, since every model call passes there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# From this share of either on.
NEARLY = 0.9
_WISH = (
    "Begin nothing new. Finish now: leave the files in a state that makes sense, give your final answer in the form "
    "you were asked for with what you have, and say in it what is left undone."
)


@dataclass(frozen=True)
class Allowance:
    """What a run may use, and has used, of its time and its money."""

    limit_s: float
    elapsed_s: float
    budget_usd: float
    spent_usd: float

    def notice(self) -> str | None:
        """What to tell the agent; None while there is enough of both."""
        if self.elapsed_s >= NEARLY * self.limit_s:
            return f"Your time is nearly over: {_minutes(self.limit_s - self.elapsed_s)} left. {_WISH}"
        if self.spent_usd >= NEARLY * self.budget_usd > 0:
            return f"Your budget is nearly used up: {self.spent_usd / self.budget_usd:.0%} of it is spent. {_WISH}"
        return None


def _minutes(left_s: float) -> str:
    minutes = int(left_s // 60)
    if minutes < 1:
        return "less than a minute is"
    return "about a minute is" if minutes == 1 else f"about {minutes} minutes are"


def with_notice(request: Mapping[str, Any], notice: str) -> Mapping[str, Any]:
    """The request with one more text block in its last message but for the CLI's own remarks, which are `system`.

    The same value if no agent is asked to go on by it. What stood there stays as it was and where it was, so that the
    service's cache of it holds, and tool results, which have to come first, do.
    """
    messages = request.get("messages")
    if not request.get("tools") or not isinstance(messages, list):
        return request
    at = next((n for n in reversed(range(len(messages))) if _role(messages[n]) != "system"), None)
    blocks = [] if at is None or _role(messages[at]) != "user" else _blocks(messages[at].get("content"))
    if at is None or not blocks:
        return request
    told = {**messages[at], "content": [*blocks, {"type": "text", "text": notice}]}
    return {**request, "messages": [*messages[:at], told, *messages[at + 1 :]]}


def _role(message: Any) -> Any:
    return message.get("role") if isinstance(message, dict) else None


def _blocks(content: Any) -> list[Any]:
    """A message's content as blocks; none if there is nothing that a block could follow."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else []
