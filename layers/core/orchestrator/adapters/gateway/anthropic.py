"""Anthropic's own service: the call as it is, with the key."""

from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.adapters.gateway.provider import Answer, Call, ModelProvider
from orchestrator.adapters.gateway.upstream_http import ServiceConnections
from orchestrator.config import ModelSettings
from orchestrator.secret_values import AnthropicSecret, parsed_secret


@dataclass(frozen=True)
class AnthropicModel:
    """See `ModelProvider`."""

    base_url: str
    api_key: str = field(repr=False)
    _connections: ServiceConnections = field(default_factory=ServiceConnections, repr=False)

    def send(self, call: Call) -> Answer:
        """See `ModelProvider`."""
        headers = {**call.headers, "x-api-key": self.api_key}
        return self._connections.post(f"{self.base_url}{call.path}{call.query}", headers, call.body)


def connect(settings: ModelSettings, secret: Callable[[str], str]) -> ModelProvider:
    """The provider with the key from the secret."""
    name = settings.anthropic_secret
    return AnthropicModel(
        settings.anthropic_base_url, parsed_secret(AnthropicSecret, name, secret(name)).api_key
    )
