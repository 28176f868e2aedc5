"""JQL made from values that are data: nothing in a project key or a label can end its string."""

import re
from collections.abc import Iterable

from orchestrator.errors import ConfigError

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def quoted(value: str) -> str:
    """The value as a JQL string. Control characters have no escape that JQL is sure to take: refused."""
    if _CONTROL.search(value):
        raise ConfigError(f"{value!r} holds a control character and cannot be searched for in Jira")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def labelled_issues(project_key: str, labels: Iterable[str], *, newest_first: bool = False) -> str:
    """The issues of the project with any of the labels, oldest first unless asked for otherwise."""
    listed = ", ".join(quoted(label) for label in labels)
    order = "DESC" if newest_first else "ASC"
    return f"project = {quoted(project_key)} AND labels in ({listed}) ORDER BY created {order}"
