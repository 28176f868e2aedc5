"""What each function is told by its environment: plain settings, and the names of its secrets.

The only place that reads the environment. A credential is never in one: `secret_values.py` has those.
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
from orchestrator.domain.sensitive import BINARY_BYTES
from orchestrator.domain.sensitive_paths import SENSITIVE
from orchestrator.domain.wall import Rung
from orchestrator.errors import ConfigError
from orchestrator.setting_types import (
    ApiUrlPattern,
    BaseUrl,
    Dollars,
    ModelId,
    Names,
    Patterns,
    ProjectKey,
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


class ActionSettings(_FromEnvironment):
    """Where the actions lie."""

    prompts_dir: Path = Path("/opt/prompts")


class ArtifactSettings(_FromEnvironment):
    """The bucket that holds briefs, results and transcripts."""

    artifacts_bucket: Required


class AwsSettings(ActionSettings, ArtifactSettings):
    """Where this deployment keeps its state."""

    jobs_table: Required


class ProjectSettings(_FromEnvironment):
    """The Jira project whose issues ask for jobs."""

    jira_project_key: ProjectKey


class JiraSettings(ProjectSettings):
    """The Jira site. `jira_url` is the address people open."""

    jira_url: BaseUrl
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


class SigningSettings(_FromEnvironment):
    """The name of the secret whose keys sign jobs. Only poll_jira, track_job and publish_result may read it."""

    signing_secret: str = "alm/signing"  # noqa: S105  # a name, not a secret


class PollSettings(AwsSettings, JiraSettings, Placement, SigningSettings):
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


class TrackSettings(AwsSettings, ProjectSettings, MoneySettings, SigningSettings):
    """track_job. `artifacts_role` is the ARN of the role that it assumes for one job at a time."""

    result_queue_url: Required
    artifacts_role: Required


class RepositorySettings(_FromEnvironment):
    """How large a commit may be that the worker clones, in files and in bytes."""

    repository_max_files: Annotated[int, Field(gt=0)] = MOST_FILES
    repository_max_bytes: Annotated[int, Field(gt=0)] = MOST_BYTES

    @property
    def repository_limits(self) -> RepositoryLimits:
        """The same as the clone is held to."""
        return RepositoryLimits(self.repository_max_files, self.repository_max_bytes)


class WorkerSettings(
    ActionSettings, ArtifactSettings, ProjectSettings, GitHubSettings, ModelSettings, RepositorySettings
):
    """run_job. `claude_timeout_seconds` caps the actions' own times, `sandbox_floor` is the weakest wall accepted.

    `track_function` is the name or ARN of track_job, which keeps the records and the money of jobs.
    """

    job_queue_url: Required
    track_function: Required
    claude_timeout_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    claude_cli: Path = Path("/opt/claude/claude")
    claude_max_retries: Annotated[int, Field(ge=0, le=10)] = 6
    sandbox_floor: Rung = Rung.SECCOMP


class ResultQueueSettings(_FromEnvironment):
    """With its queue's address publish_result says when a result comes again that it could not publish."""

    result_queue_url: str | None = None


class PublishSettings(AwsSettings, JiraSettings, GitHubSettings, ResultQueueSettings, SigningSettings):
    """publish_result. `review_event` is the strongest event a review may have.

    A change of `sensitive_paths`, or with a binary file of more than `sensitive_binary_bytes`, becomes a draft.
    """

    sensitive_paths: Patterns = SENSITIVE
    sensitive_binary_bytes: Annotated[int, Field(ge=0)] = BINARY_BYTES
    review_event: Literal["COMMENT", "REQUEST_CHANGES"] = "COMMENT"
