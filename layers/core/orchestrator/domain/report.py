"""An agent's structured result as Markdown, laid out by its own schema: a new action needs no code."""

from collections.abc import Mapping
from typing import Any

# An item with more parts than this beside its first is laid out as a list of its own.
LONGEST_LINE_OF_PARTS = 2
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
    rules: Mapping[str, Any] = schema["properties"]
    sections = (_section(_title(name, rule), _chosen(rule, report.get(name))) for name, rule in rules.items())
    return "\n\n".join(section for section in sections if section)


def says_something(schema: Mapping[str, Any], report: Mapping[str, Any]) -> bool:
    """Whether any property is filled in; a choice among given words (`enum`) alone says nothing."""
    properties: Mapping[str, Any] = schema["properties"]
    free = (name for name, rule in properties.items() if not (isinstance(rule, Mapping) and "enum" in rule))
    return any(_section(name, report.get(name)) for name in free)


def _chosen(rule: Any, value: Any) -> Any:
    """A choice among given words without the underscores that only the schema needs."""
    is_choice = isinstance(rule, Mapping) and "enum" in rule and isinstance(value, str)
    return value.replace("_", " ") if is_choice else value


def _title(name: str, rule: Any) -> str:
    # JSON Schema lets a rule be just true.
    given = rule.get("title") if isinstance(rule, Mapping) else None
    return str(given or name.replace("_", " ").capitalize())


def _section(title: str, value: Any) -> str:
    if isinstance(value, str) and value.strip():
        text = value.strip()
        return f"**{title}:** {text}" if _is_short(text) else f"### {title}\n\n{text}"
    if isinstance(value, list | Mapping) and value:
        items = value if isinstance(value, list) else map(_pair, value.items())
        return f"### {title}\n\n" + "\n".join(f"- {_item(item)}" for item in items)
    if isinstance(value, bool | int | float):
        return f"**{title}:** {_scalar(value)}"
    return ""


def _is_short(text: str) -> bool:
    return len(text) <= 60 and text.replace(" ", "").isalnum()  # noqa: PLR2004  # fits beside its title


def _item(item: Any) -> str:
    if not isinstance(item, Mapping):
        return _scalar(item)
    filled = {name: value for name, value in item.items() if value not in ("", None, [])}
    if not filled:
        return "(empty)"
    first, *rest = filled.items()
    if len(rest) <= LONGEST_LINE_OF_PARTS:
        return " · ".join([f"**{_scalar(first[1])}**", *(_scalar(value) for _, value in rest)])
    return "\n".join([f"**{_scalar(first[1])}**", *(f"  - {_labelled(name, value)}" for name, value in rest)])


def _labelled(name: str, value: Any) -> str:
    told = "; ".join(map(_scalar, value)) if isinstance(value, list) else _scalar(value)
    return f"{_title(str(name), None)}: {told}"


def _pair(item: tuple[str, Any]) -> str:
    return f"{item[0]}: {_scalar(item[1])}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | Mapping):
        return ", ".join(map(_scalar, value) if isinstance(value, list) else map(_pair, value.items()))
    return " ".join(str(value).split()) or "(empty)"
