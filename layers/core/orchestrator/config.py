"""What each function is told: plain settings from its environment, credentials from Secrets Manager.

The only place that reads the environment. A credential never stands in one.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from orchestrator.errors import ConfigError

_HTTP_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


def _base_url(value: object) -> object:
    """Checked as a URL, kept as text without the last slash: paths are appended to it."""
    try:
        url = _HTTP_URL.validate_python(value)
    except ValidationError:
        # Pydantic's own words would quote the value.
        raise ValueError("it must be an http or https URL") from None
    if url.username or url.password or url.query or url.fragment:
        raise ValueError("it must be a URL without credentials, query or fragment")
    return str(value).rstrip("/")


BaseUrl = Annotated[str, BeforeValidator(_base_url)]
Required = Annotated[str, Field(min_length=1)]
ApiUrlPattern = Annotated[str, Field(pattern=r"^https?://\S+\{cloud_id\}\S*$")]
# Owner with the underscore of managed users; a name that is not dots only, which would be another path.
Repository = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$")
]


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
    lines = (f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors())
    return "The configuration cannot be used. " + "; ".join(lines)


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
    """The repository. `github_server_url` is where git and people go, `github_api_url` where programs do."""

    github_repo: Repository
    github_api_url: BaseUrl = "https://api.github.com"
    github_server_url: BaseUrl = "https://github.com"
    github_secret: Required


class PollSettings(AwsSettings, JiraSettings):
    """poll_jira. The repository's name tells its pull requests from others; GitHub itself is never asked."""

    github_repo: Repository
    github_server_url: BaseUrl = "https://github.com"

    job_queue_url: Required
    result_queue_url: Required


class WorkerSettings(AwsSettings, GitHubSettings):
    """run_job. `claude_timeout_seconds` caps the actions' own times."""

    job_queue_url: Required
    result_queue_url: Required
    anthropic_base_url: BaseUrl = "https://api.anthropic.com"
    anthropic_secret: str = "alm/anthropic"  # noqa: S105  # a name, not a secret
    claude_model: str | None = None
    claude_timeout_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    claude_cli: Path = Path("/opt/claude/claude")
    claude_max_retries: Annotated[int, Field(ge=0, le=10)] = 6


class PublishSettings(AwsSettings, JiraSettings, GitHubSettings):
    """publish_result. `review_event` is the strongest event a review may have."""

    review_event: Literal["COMMENT", "REQUEST_CHANGES"] = "COMMENT"


# Printable ASCII only: a stray newline would have the HTTP library quote the whole header in its error.
Credential = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[\x21-\x7e]+$"), Field(repr=False)
]


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
