"""Jira's JSON as our values."""

from collections.abc import Mapping
from typing import Any

from orchestrator.domain import adf
from orchestrator.domain.issue import CLAIM_PROPERTY, Issue, OwnComment


def issue_from(raw: Mapping[str, Any]) -> Issue:
    """An issue; fields that were not asked for stay empty."""
    fields = raw.get("fields") or {}
    return Issue(
        id=str(raw["id"]),
        key=str(raw["key"]),
        labels=frozenset(fields.get("labels") or ()),
        issue_type=str((fields.get("issuetype") or {}).get("name") or ""),
        summary=str(fields.get("summary") or ""),
        updated=str(fields.get("updated") or ""),
        description=fields.get("description"),
        claim=(raw.get("properties") or {}).get(CLAIM_PROPERTY),
    )


def own_comment_from(mark: Mapping[str, Any], raw: Mapping[str, Any]) -> OwnComment:
    """A comment that carries our mark."""
    return OwnComment(
        job_id=str(mark.get("job_id")),
        action=str(mark.get("action")),
        part=int(mark.get("part") or 0),
        outcome=str(mark.get("outcome")),
        text=adf.to_markdown(raw.get("body")),
    )
