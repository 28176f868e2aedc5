"""What the deployment has agreed to: which models, how long an answer, which headers and betas."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What CLI 2.1.330 asks for by these names. The first is also what it takes when no model is named.
ALIASES: Mapping[str, str] = {
    "opus": "claude-opus-5-5",
    "sonnet": "claude-sonnet-5-5",
    "haiku": "claude-haiku-5-5",
}
# For small work of its own and of sub-agents; nothing the CLI can name costs less.
SMALL = ALIASES["haiku"]
# What it sends with experimental betas off. Another one is dropped without being counted: alone it does nothing, and
# the fields and tools it would switch on are refused and counted.
BETAS = frozenset(
    {
        *("claude-code-20250219", "interleaved-thinking-2025-05-14", "effort-2025-11-24"),
        "token-counting-2024-11-01",
    }
)
# What the Messages API reads; everything else of a request is the agent's own and stays here.
# No accept-encoding: an answer that is not packed can be read on its way.
REQUEST_HEADERS = frozenset({"accept", "anthropic-beta", "anthropic-version", "content-type", "user-agent"})
MOST_TOKENS = 64_000
# The service wants the answer to be longer than the thinking in it.
LEAST_TOKENS = 2048


@dataclass(frozen=True)
class ModelRules:
    """`models` empty: any the credential may use. `most_tokens` bounds one answer."""

    models: frozenset[str] = frozenset()
    most_tokens: int = MOST_TOKENS

    def refusal(self, request: Mapping[str, Any]) -> str | None:
        """Why this call's model may not be used; None if it may."""
        model = request.get("model")
        agreed = not self.models or (isinstance(model, str) and model in self.models)
        return None if agreed else "a model this deployment has not agreed to"

    def bounded(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The request with an answer and a thinking budget no longer than agreed; the same value if neither is."""
        changes = {**self._bounded_answer(request), **self._bounded_thinking(request)}
        return {**request, **changes} if changes else request

    def _bounded_answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        asked = request.get("max_tokens")
        is_agreed = not isinstance(asked, int | float) or asked <= self.most_tokens
        return {} if is_agreed else {"max_tokens": self.most_tokens}

    def _bounded_thinking(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        thinking = request.get("thinking")
        budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
        if not isinstance(thinking, dict) or not isinstance(budget, int | float) or budget < self.most_tokens:
            return {}
        return {"thinking": {**thinking, "budget_tokens": self.most_tokens - 1}}


def agreed_models(model: str | None, listed: frozenset[str], offered: frozenset[str]) -> frozenset[str]:
    """The models an agent may use: those listed, else the configured one and the small one, else what is offered.

    `offered` is what the provider has a pinned id for; empty if it takes any name.
    """
    if listed:
        wanted = {id_of(name) for name in listed}
    elif model is not None or not offered:
        wanted = {id_of(model or "opus"), SMALL} if model else set(ALIASES.values())
    else:
        return offered
    return frozenset(wanted & offered if offered else wanted)


def id_of(name: str) -> str:
    """What the CLI asks for when it is told this name; `[1m]` is a wish for a longer context, not another model."""
    plain = name.removesuffix("[1m]")
    return ALIASES.get(plain, plain)


def allowed_betas(header: str) -> tuple[str, ...]:
    """Those of an `anthropic-beta` header that may pass."""
    named = (beta.strip() for beta in header.split(","))
    return tuple(beta for beta in named if beta in BETAS)


def kept_headers(headers: Mapping[str, str]) -> Mapping[str, str] | None:
    """Those that may pass, in lower case; None if one of them cannot be sent on."""
    kept = {name.lower(): value for name, value in headers.items() if name.lower() in REQUEST_HEADERS}
    if any("\n" in value or "\r" in value for value in kept.values()):
        return None
    betas = ",".join(allowed_betas(kept.pop("anthropic-beta", "")))
    return {**kept, "anthropic-beta": betas} if betas else kept
