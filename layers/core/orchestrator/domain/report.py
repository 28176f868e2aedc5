"""An agent's structured result as Markdown, laid out by its own schema: a new action needs no code."""

from collections.abc import Mapping
from typing import Any

# Every action's agent may answer this instead of its report.
INVALID_TICKET_KEY = "invalid_ticket"
_INVALID_TICKET = {
    "type": "string",
    "description": "Only when the ticket is not a real request this action can serve: why, in one or two "
    "sentences. Then fill the other fields with empty values.",
}


def with_refusal(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema the agent is given: the action's own, and the way to decline."""
    properties = {**schema["properties"], INVALID_TICKET_KEY: _INVALID_TICKET}
    return {**schema, "properties": properties}


def render(schema: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Every filled property in the schema's order: short values as a line, the rest under a heading."""
    sections = (
        _section(str(rule.get("title") or name.replace("_", " ").capitalize()), report.get(name))
        for name, rule in schema["properties"].items()
    )
    return "\n\n".join(section for section in sections if section)


def _section(title: str, value: Any) -> str:
    if isinstance(value, str) and value.strip():
        text = value.strip()
        return f"**{title}:** {text}" if _is_short(text) else f"### {title}\n\n{text}"
    if isinstance(value, list) and value:
        return f"### {title}\n\n" + "\n".join(f"- {_item(item)}" for item in value)
    if isinstance(value, bool | int | float):
        return f"**{title}:** {_scalar(value)}"
    return ""


def _is_short(text: str) -> bool:
    return len(text) <= 60 and text.replace(" ", "").isalnum()  # noqa: PLR2004  # fits beside its title


def _item(item: Any) -> str:
    if isinstance(item, Mapping):
        parts = [_scalar(value) for value in item.values() if value not in ("", None, [])]
        return " · ".join([f"**{parts[0]}**", *parts[1:]]) if parts else "(empty)"
    return _scalar(item)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(value).split()) or "(empty)"
