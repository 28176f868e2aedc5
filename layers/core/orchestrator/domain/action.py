"""An action as its two files describe it, and the catalogue of all of them. Reading files is not done here."""

import re
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from orchestrator.domain.egress import Network
from orchestrator.domain.permissions import KNOWN_TOOLS, NETWORK_TOOLS, Permissions

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)

# It is part of the job id, which SQS takes up to 128 characters of.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
# Jira refuses labels with white space; the rest of its rules are only a length.
Label = Annotated[str, Field(pattern=r"^\S{1,255}$")]
Line = Annotated[str, Field(pattern=r"^\S[^\r\n]*$", max_length=200)]
Names = Annotated[tuple[str, ...], Field(strict=False)]


class Produces(StrEnum):
    """What an action leaves behind when it succeeds."""

    COMMENT = "comment"
    PULL_REQUEST = "pull_request"
    REVIEW = "review"


class Workspace(StrEnum):
    """What the agent may do to the checkout."""

    READ_ONLY = "read-only"
    READ_WRITE = "read-write"


class AgentSettings(BaseModel):
    """`prompts/<action>.json`: Claude Code settings. The CLI ignores a file it cannot validate, so we must not."""

    model_config = _STRICT
    permissions: Permissions

    def enforced(self) -> "AgentSettings":
        """What the CLI really gets: the profile with the rules on top that hold for every action.

        They say nothing of MCP servers, hooks, environment or mode: a profile has no such keys, and the command line
        turns MCP off and sets the mode.
        """
        return self.model_copy(update={"permissions": self.permissions.enforced()})


class Action(BaseModel):
    """One action: the front matter of its Markdown file, its template and its settings."""

    model_config = _STRICT
    name: Name
    label: Label
    title: Line
    order: Annotated[int, Field(ge=0)]
    issue_types: Annotated[Names, Field(min_length=1)]
    produces: Annotated[Produces, Field(strict=False)]
    context: Names = ()
    header: Line
    tools: Annotated[Names, Field(min_length=1)]
    workspace: Annotated[Workspace, Field(strict=False)]
    network: Network
    max_turns: Annotated[int, Field(gt=0)]
    budget_usd: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    timeout_minutes: Annotated[float, Field(gt=0, le=480, allow_inf_nan=False)]
    result_schema: dict[str, Any]
    branch_prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*-$")] | None = None
    title_prefix: Line | None = None
    template: Annotated[str, Field(min_length=1)]
    settings: AgentSettings

    @field_validator("tools")
    @classmethod
    def _tools_exist(cls, tools: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(tools) - KNOWN_TOOLS):
            raise ValueError(f"the CLI has no tool {', '.join(unknown)}")
        if denied := sorted(NETWORK_TOOLS & {*tools}):
            raise ValueError(f"{', '.join(denied)} is denied in every action")
        return tools

    @field_validator("result_schema")
    @classmethod
    def _schema_is_an_object(cls, schema: dict[str, Any]) -> dict[str, Any]:
        if schema.get("type") != "object" or not schema.get("properties"):
            raise ValueError("must be a JSON schema of type object with properties")
        return schema

    @model_validator(mode="after")
    def _pull_requests_need_names(self) -> Self:
        names = (self.branch_prefix, self.title_prefix)
        if self.produces is Produces.PULL_REQUEST and None in names:
            raise ValueError("an action that produces a pull request needs branch_prefix and title_prefix")
        return self

    @property
    def timeout_s(self) -> float:
        """The agent's time, in seconds."""
        return self.timeout_minutes * 60

    def owns_branch(self, branch: str, issue_key: str) -> bool:
        """Whether the branch is one this action makes for the issue: `fix-<key>`, or `fix-<key>-2`."""
        name = re.escape(f"{self.branch_prefix}{issue_key}")
        return self.branch_prefix is not None and re.fullmatch(rf"{name}(-[1-9][0-9]*)?", branch) is not None

    def accepts(self, issue_type: str) -> bool:
        """Whether this action is for issues of that type."""
        return issue_type.casefold() in {known.casefold() for known in self.issue_types}


class Catalogue(BaseModel):
    """Every action there is, in the order in which labels on one issue are taken."""

    model_config = ConfigDict(frozen=True)
    actions: tuple[Action, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that ask for something."""
        return tuple(action.label for action in self.actions)

    def named(self, name: str) -> Action | None:
        """The action of that name, if this deployment has it."""
        return next((action for action in self.actions if action.name == name), None)

    def first_asked(self, labels: frozenset[str]) -> Action | None:
        """The action to take first among those the labels ask for."""
        return next((action for action in self.actions if action.label in labels), None)
