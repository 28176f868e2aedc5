"""Permission rules: which ones the CLI would act upon, and those that hold for every action. Nothing is read here.

The CLI drops a rule it cannot parse, and skips one that can match nothing, without a word: here both are faults.
Source: the rule parser of the pinned CLI, version 2.1.330.
"""

import re
from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

# The tools the pinned CLI knows without a person before it, by what it offers when asked for each with `--tools`.
# Any other is left out, and a rule naming it is skipped, without a word: LS, MultiEdit, BashOutput, SlashCommand and
# TodoWrite, which earlier ones had, are among these.
KNOWN_TOOLS = frozenset(
    [
        "Agent",
        "Bash",
        "Edit",
        "Glob",
        "Grep",
        "KillShell",
        "NotebookEdit",
        "Read",
        "Skill",
        "Task",
        "WebFetch",
        "WebSearch",
        "Write",
    ]
)
NETWORK_TOOLS = frozenset({"WebFetch", "WebSearch"})
# One of these as a folder or a file anywhere in a path makes it a credential's.
CREDENTIALS = (".env", ".env.*", ".ssh", ".aws", "*.pem", "id_rsa*")
# Denied in every action, whatever its profile says. A `Read` rule holds for Grep, Glob and the commands that the CLI
# takes apart itself (`cat .env`, `head`, `grep`, `<`), but for no program (`python3 -c "open('.env')"`): there only
# what the clone holds and what the wall shows decide. `.git/config` is the throwaway's and holds nothing.
ALWAYS_DENIED = (
    *("WebFetch", "WebSearch", "mcp__*"),
    *("Read(.env)", "Read(.env.*)", "Read(**/.env)", "Read(**/.env.*)"),
    *("Read(~/.ssh/**)", "Read(~/.aws/**)", "Read(**/*.pem)", "Read(**/id_rsa*)"),
)
# A rule with a path for the tool on the left matches nothing: the CLI looks at those of the tool on the right.
_RULED_BY = {"Write": "Edit", "NotebookEdit": "Edit", "Glob": "Read"}
_RULES_FOR = {
    "Edit": {"Edit", "NotebookEdit", "Write"},
    "Read": {"Glob", "Grep", "Read"},
}
_RULE = re.compile(r"(?P<tool>[A-Za-z]+)(\((?P<specifier>[^()]+)\))?")


def _parts(rule: str) -> tuple[str, str]:
    match = _RULE.fullmatch(rule)
    if match is None or match["tool"] not in KNOWN_TOOLS:
        raise ValueError(f"{rule!r} is not a permission rule; write Tool or Tool(pattern)")
    return match["tool"], match["specifier"] or ""


def _fault(tool: str, specifier: str) -> str | None:
    """Why the CLI would drop the rule or never match it; None if it would do neither."""
    instead = _RULED_BY.get(tool)
    faults = (
        (not specifier.strip() or "\\" in specifier, "its pattern is blank or holds a backslash"),
        (not specifier.isprintable(), "its pattern holds characters that people cannot see"),
        (instead is not None, f"the CLI never matches it; write {instead}({specifier})"),
        (tool == "Bash" and specifier.startswith(":*"), "no command stands before :*"),
        (tool in {"Read", "Edit"} and ":*" in specifier, ":* is only for Bash"),
        (tool == "WebFetch" and not _is_domain(specifier), "write WebFetch(domain:host)"),
        (tool == "WebSearch" and bool(set("*?") & set(specifier)), "WebSearch knows no wildcards"),
    )
    return next((reason for holds, reason in faults if specifier and holds), None)


def _is_domain(specifier: str) -> bool:
    return specifier.startswith("domain:") and "://" not in specifier


def _checked(rule: str) -> str:
    if (fault := _fault(*_parts(rule))) is not None:
        raise ValueError(f"{rule!r} would do nothing: {fault}")
    return rule


def _is_always_denied(rule: str) -> bool:
    tool, specifier = _parts(rule)
    names = specifier.split("/") if tool in _RULES_FOR["Read"] else ()
    return tool in NETWORK_TOOLS or any(fnmatchcase(name, known) for name in names for known in CREDENTIALS)


class Permissions(BaseModel):
    """The rules the CLI decides tool calls by."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    allow: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    deny: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]

    @field_validator("allow", "deny")
    @classmethod
    def _rules_parse(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_checked, rules))

    @field_validator("allow")
    @classmethod
    def _rules_may_be_allowed(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        for rule in rules:
            if _is_always_denied(rule):
                raise ValueError(f"{rule!r} cannot be allowed: the network and credentials are always denied")
        return rules

    @model_validator(mode="after")
    def _no_rule_takes_back_another(self) -> Self:
        for rule in self.allow:
            if {rule, _parts(rule)[0]} & {*self.deny}:
                raise ValueError(f"{rule!r} in allow would do nothing: deny wins over it")
        return self

    def idle(self, tools: tuple[str, ...]) -> tuple[str, ...]:
        """The rules in `allow` that are for none of these tools and so do nothing."""
        return tuple(rule for rule in self.allow if not _governed(rule) & set(tools))

    def enforced(self) -> "Permissions":
        """These rules and those that no profile can weaken: in the CLI, `deny` wins over `allow`."""
        return self.model_copy(update={"deny": tuple(dict.fromkeys((*self.deny, *ALWAYS_DENIED)))})


def _governed(rule: str) -> set[str]:
    tool, specifier = _parts(rule)
    return _RULES_FOR.get(tool, {tool}) if specifier else {tool}
