"""What Jira accepts in a write: ADF bodies, label operations, field edits, property values; pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from alm.standins.jira_json import failure
from alm.standins.jira_store import Issue
from alm.standins.messages import Refused

COMMENT_LIMIT = 32_767
PROPERTY_LIMIT = 32_768
EDITABLE = ("summary", "description", "labels")


def checked_comment(body: Any) -> dict[str, Any]:
    """Return an ADF comment body, or refuse it in Jira's words."""
    if not isinstance(body, dict) or not _is_document(body):
        raise Refused(failure(400, comment="Comment body is not valid!"))
    _check_nodes(body)
    size = sum(len(text) for text in _texts(body))
    if size > COMMENT_LIMIT:
        raise Refused(failure(400, "CONTENT_LIMIT_EXCEEDED"))
    return body


def checked_properties(listed: Any) -> dict[str, Any]:
    """Return `[{"key", "value"}]` as a mapping, refusing values Jira would not store."""
    if not isinstance(listed, list) or not all(isinstance(item, dict) and item.get("key") for item in listed):
        raise Refused(
            failure(400, "Invalid request payload. Refer to the REST API documentation and try again.")
        )
    return {item["key"]: checked_property(item.get("value")) for item in listed}


def checked_property(value: Any) -> Any:
    """Return a property value unless it is null or too long."""
    if value is None:
        raise Refused(failure(400, "The property value may not be null."))
    if len(json.dumps(value, separators=(",", ":"))) > PROPERTY_LIMIT:
        raise Refused(failure(400, f"The property value cannot be longer than {PROPERTY_LIMIT} characters."))
    return value


def edited(issue: Issue, body: Mapping[str, Any], author: str, at: float) -> Issue:
    """Return the issue after a PUT, or refuse the whole PUT."""
    update, fields = body.get("update") or {}, body.get("fields") or {}
    if not update and not fields and not body.get("properties"):
        raise Refused(failure(400, "one of 'fields' or 'update' required"))
    _check_names(update, fields)
    labels = fields.get("labels", _operated(issue.labels, update.get("labels", [])))
    properties = {**issue.properties, **checked_properties(body.get("properties") or [])}
    described = replace(
        issue,
        summary=fields.get("summary", issue.summary),
        description=_description(fields.get("description", issue.description)),
        properties=properties,
    )
    return described.relabelled(_checked_labels(labels), author, at)


def _check_names(update: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    for name in (*update, *fields):
        if name not in EDITABLE or (name in update and name != "labels"):
            unknown = f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
            raise Refused(failure(400, **{name: unknown}))
        if name in update and name in fields:
            twice = f"Field '{name}' cannot be specified in both 'fields' and 'update'."
            raise Refused(failure(400, **{name: twice}))


def _operated(labels: Iterable[str], operations: Iterable[Mapping[str, Any]]) -> list[str]:
    result = list(labels)
    for operation in operations:
        ((verb, value),) = operation.items()
        if verb == "set":
            result = list(value)
        elif verb == "add":
            result.append(value)
        elif verb == "remove":
            result = [label for label in result if label != value]
        else:
            raise Refused(failure(400, labels=f"Operation '{verb}' is not supported for field 'labels'."))
    return result


def _checked_labels(labels: Any) -> list[str]:
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise Refused(failure(400, labels="data was not an array"))
    for label in labels:
        if not label or any(char.isspace() for char in label):
            raise Refused(failure(400, labels=f"The label '{label}' contains spaces which is invalid."))
    return labels


def _description(value: Any) -> Any:
    if value is not None and not _is_document(value):
        wrong = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
        raise Refused(failure(400, description=wrong))
    return value


def _is_document(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and body.get("type") == "doc"
        and body.get("version") == 1
        and isinstance(body.get("content"), list)
    )


def _check_nodes(node: Any) -> None:
    typed = isinstance(node, dict) and isinstance(node.get("type"), str)
    if not typed or (node["type"] == "text" and not node.get("text")):
        raise Refused(failure(400, "INVALID_INPUT"))
    for child in node.get("content", []):
        _check_nodes(child)


def _texts(node: Mapping[str, Any]) -> Iterable[str]:
    yield node.get("text", "")
    for child in node.get("content", []):
        yield from _texts(child)
