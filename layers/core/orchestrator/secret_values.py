"""The secrets of Secrets Manager as values: what each must hold, and errors that show nothing of it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.errors import ConfigError
from orchestrator.setting_types import Credential, Printable


class _Secret(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SigningSecret(_Secret):
    """`alm/signing`: the key that signs jobs, and those that did before it, latest first. The stack makes it."""

    current: Annotated[Credential, Field(min_length=32)]
    previous: Annotated[tuple[Printable, ...], Field(repr=False)] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The key to sign with, then those that are still accepted."""
        return (self.current, *self.previous)


class JiraSecret(_Secret):
    """`alm/jira`: an OAuth 2.0 service account."""

    client_id: Credential
    client_secret: Credential


class GitHubSecret(_Secret):
    """`alm/github/read` or `alm/github/write`."""

    token: Credential


class AnthropicSecret(_Secret):
    """`alm/anthropic`."""

    api_key: Credential


class BedrockSecret(_Secret):
    """Only where the worker has no role of its own, on one machine."""

    access_key_id: Credential
    secret_access_key: Credential
    session_token: Annotated[Printable | None, Field(repr=False)] = None


class VertexSecret(_Secret):
    """`alm/vertex`: Google's own JSON of a service account or a workload identity federation, as it came."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    type: Literal["service_account", "external_account"]

    def __repr__(self) -> str:
        """Nothing of it: the fields are Google's, and the key is one of them."""
        return f"VertexSecret(type={self.type!r})"

    __str__ = __repr__


def parsed_secret[S: _Secret](model: type[S], name: str, value: str) -> S:
    """The secret's JSON as a value, or a ConfigError that names the secret and shows nothing of it."""
    try:
        return model.model_validate_json(value)
    except ValidationError as error:
        faults = "; ".join(f"{_field(model, fault['loc'])}: {fault['type']}" for fault in error.errors())
        raise ConfigError(f"The secret {name} cannot be used: {faults}") from None


def _field(model: type[BaseModel], where: tuple[int | str, ...]) -> str:
    """The field at fault; a key that is none of ours may be a secret in the wrong place."""
    if not where:
        return "JSON"
    return str(where[0]) if where[0] in model.model_fields else "another key"
