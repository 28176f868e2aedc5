"""What each function is told: plain settings from its environment, credentials from Secrets Manager.

The only place that reads the environment. A credential never stands in one.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError, model_validator

from orchestrator.domain.fleet import Placement
from orchestrator.domain.model_rules import LEAST_TOKENS, MOST_TOKENS, ModelRules, agreed_models, id_of
from orchestrator.domain.money import Limits, OverBudget
from orchestrator.domain.publishable import PROTECTED
from orchestrator.domain.repository_limits import MOST_BYTES, MOST_FILES, RepositoryLimits
from orchestrator.domain.wall import Rung
from orchestrator.errors import ConfigError
from orchestrator.setting_types import (
    ApiUrlPattern,
    BaseUrl,
    Credential,
    Dollars,
    ModelId,
    Names,
    Patterns,
    Printable,
    Repository,
    Required,
)


class _FromEnvironment(BaseModel):
    """Field names are the variables' names in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings, or a ConfigError that names every variable that is wrong."""
        values = os.environ if environ is None else environ
        try:
            return cls.model_validate(_given(cls, values))
        except ValidationError as error:
            raise ConfigError(_explained(error)) from None


def _given(model: type[BaseModel], values: Mapping[str, str]) -> dict[str, str]:
    """The variables of these settings; a blank one counts as not set."""
    stripped = {name: values.get(name.upper(), "").strip() for name in model.model_fields}
    return {name: value for name, value in stripped.items() if value}


def _explained(error: ValidationError) -> str:
    """Which variables are wrong and how; never the values, which may be secrets."""
    return "The configuration cannot be used. " + "; ".join(_fault(fault) for fault in error.errors())


def _fault(fault: Mapping[str, Any]) -> str:
    """One fault. Below a variable's name stand keys of its value, which may be secrets in the wrong place."""
    message = str(fault["msg"]).removeprefix("Value error, ") if not fault["loc"] else fault["msg"]
    return f"{str(fault['loc'][0]).upper()}: {message}" if fault["loc"] else message


class AwsSettings(_FromEnvironment):
    """Where this deployment keeps its state."""

    jobs_table: Required
    artifacts_bucket: Required
    prompts_dir: Path = Path("/opt/prompts")


class JiraSettings(_FromEnvironment):
    """The Jira site. `jira_url` is the address people open."""

    jira_url: BaseUrl
    jira_project_key: Required
    jira_cloud_id: str | None = None
    atlassian_token_url: BaseUrl = "https://auth.atlassian.com/oauth/token"  # noqa: S105  # a name, not a secret
    atlassian_resources_url: BaseUrl = "https://api.atlassian.com/oauth/token/accessible-resources"
    atlassian_api_url_pattern: ApiUrlPattern = "https://api.atlassian.com/ex/jira/{cloud_id}"
    jira_secret: str = "alm/jira"  # noqa: S105  # a name, not a secret


class GitHubSettings(_FromEnvironment):
    """The repository. `github_server_url` is where git and people go, `github_api_url` where programs do.

    A change of `protected_paths` is left to people; the worker holds to it, and the publisher again.
    """

    protected_paths: Patterns = PROTECTED
    github_repo: Repository
    github_api_url: BaseUrl = "https://api.github.com"
    github_server_url: BaseUrl = "https://github.com"
    github_secret: Required


class PollSettings(AwsSettings, JiraSettings, Placement):
    """poll_jira. The repository's name tells its pull requests from others; GitHub itself is never asked.

    `watch_seconds` after its start a poll still looks whether somebody cancels a job, while there is one. Without the
    addresses of the dead letters nobody looks for jobs there.
    """

    github_repo: Repository
    github_server_url: BaseUrl = "https://github.com"

    job_queue_url: Required
    result_queue_url: Required
    job_dead_letters_url: str | None = None
    result_dead_letters_url: str | None = None
    # The function ends after 300 s, in the middle of whatever it does.
    watch_seconds: Annotated[int, Field(ge=0, le=280)] = 0


class Provider(StrEnum):
    """Whose service runs the model."""

    ANTHROPIC = "anthropic"
    BEDROCK = "bedrock"
    VERTEX = "vertex"


class ModelSettings(_FromEnvironment):
    """The model: whose service, which models, how long an answer. `model_ids` pins the provider's ids."""

    model_provider: Provider = Provider.ANTHROPIC
    claude_model: str | None = None
    model_allowlist: Names = frozenset()
    model_max_tokens: Annotated[int, Field(ge=LEAST_TOKENS)] = MOST_TOKENS
    model_ids: Json[dict[str, ModelId]] = {}
    anthropic_base_url: BaseUrl = "https://api.anthropic.com"
    anthropic_secret: str = "alm/anthropic"  # noqa: S105  # a name, not a secret
    bedrock_region: Annotated[str, Field(pattern="^[a-z0-9-]+$")] | None = None
    bedrock_endpoint_url: BaseUrl | None = None
    bedrock_secret: str | None = None
    vertex_project: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9.:-]*$")] | None = None
    vertex_region: Annotated[str, Field(pattern="^[a-z0-9-]+$")] | None = None
    vertex_endpoint_url: BaseUrl | None = None
    vertex_secret: str = "alm/vertex"  # noqa: S105  # a name, not a secret

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """A provider without what it cannot do without, or an agreement nobody could keep, is a fault at start."""
        needed = {
            Provider.BEDROCK: ("model_ids",),
            Provider.VERTEX: ("model_ids", "vertex_project", "vertex_region"),
        }
        missing = [name.upper() for name in needed.get(self.model_provider, ()) if not getattr(self, name)]
        if missing:
            raise ValueError(f"{self.model_provider} needs {', '.join(missing)}")
        if self.claude_model and id_of(self.claude_model) not in self.rules.models:
            raise ValueError("CLAUDE_MODEL is not in MODEL_ALLOWLIST or MODEL_IDS")
        if not self.rules.models:
            raise ValueError("no model of MODEL_ALLOWLIST is in MODEL_IDS")
        return self

    @property
    def rules(self) -> ModelRules:
        """What the agent may ask of the model."""
        offered = frozenset() if self.model_provider is Provider.ANTHROPIC else frozenset(self.model_ids)
        return ModelRules(
            agreed_models(self.claude_model, self.model_allowlist, offered), self.model_max_tokens
        )


class MoneySettings(_FromEnvironment):
    """What a ticket and a UTC day may cost; `over_budget` says what becomes of a job the day has no money for."""

    ticket_budget_usd: Dollars = Limits.ticket_usd
    daily_budget_usd: Dollars = Limits.day_usd
    over_budget: OverBudget = Limits.over

    @property
    def limits(self) -> Limits:
        """The same as the accounts are held to."""
        return Limits(self.ticket_budget_usd, self.daily_budget_usd, self.over_budget)


class RepositorySettings(_FromEnvironment):
    """How large a commit may be that the worker clones, in files and in bytes."""

    repository_max_files: Annotated[int, Field(gt=0)] = MOST_FILES
    repository_max_bytes: Annotated[int, Field(gt=0)] = MOST_BYTES

    @property
    def repository_limits(self) -> RepositoryLimits:
        """The same as the clone is held to."""
        return RepositoryLimits(self.repository_max_files, self.repository_max_bytes)


class WorkerSettings(AwsSettings, GitHubSettings, ModelSettings, MoneySettings, RepositorySettings):
    """run_job. `claude_timeout_seconds` caps the actions' own times, `sandbox_floor` is the weakest wall accepted."""

    job_queue_url: Required
    result_queue_url: Required
    claude_timeout_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    claude_cli: Path = Path("/opt/claude/claude")
    claude_max_retries: Annotated[int, Field(ge=0, le=10)] = 6
    sandbox_floor: Rung = Rung.SECCOMP


class ResultQueueSettings(_FromEnvironment):
    """With its queue's address publish_result says when a result comes again that it could not publish."""

    result_queue_url: str | None = None


class PublishSettings(AwsSettings, JiraSettings, GitHubSettings, ResultQueueSettings):
    """publish_result. `review_event` is the strongest event a review may have."""

    review_event: Literal["COMMENT", "REQUEST_CHANGES"] = "COMMENT"


class _Secret(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


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
