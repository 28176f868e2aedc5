"""Jira's JSON as our values."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from orchestrator.adapters.promised import promised
from orchestrator.domain import adf
from orchestrator.domain.issue import (
    CLAIM_PROPERTY,
    LATEST_PROPERTY,
    UNFINISHED_PROPERTY,
    Comment,
    Issue,
    OwnComment,
)
from orchestrator.domain.job import PastResult, Unfinished
from orchestrator.domain.text_limits import LONGEST_COMMENT, LONGEST_TITLE, MOST_COMMENTS, cut


@promised("Jira")
def search_page_from(page: Mapping[str, Any]) -> tuple[list[Issue], str | None]:
    """The issues of a page, and the token of the next one: None after the last."""
    token = page.get("nextPageToken")
    is_last = page.get("isLast", token is None)
    return [issue_from(raw) for raw in page["issues"]], None if is_last else token or None


@promised("Jira")
def issue_from(raw: Mapping[str, Any]) -> Issue:
    """An issue; fields that were not asked for stay empty."""
    fields = raw.get("fields") or {}
    shown = fields.get("comment") or {}
    listed = list(shown.get("comments") or ())[-MOST_COMMENTS:]
    properties = raw.get("properties") or {}
    return Issue(
        id=str(raw["id"]),
        key=str(raw["key"]),
        labels=frozenset(fields.get("labels") or ()),
        issue_type=str((fields.get("issuetype") or {}).get("name") or ""),
        summary=cut(str(fields.get("summary") or ""), LONGEST_TITLE, "the ticket"),
        updated=str(fields.get("updated") or ""),
        description=fields.get("description"),
        claim=properties.get(CLAIM_PROPERTY),
        latest=_latest(properties.get(LATEST_PROPERTY)),
        unfinished=_unfinished(properties.get(UNFINISHED_PROPERTY)),
        comments=tuple(map(comment_from, listed)),
        has_all_comments=len(listed) >= int(shown.get("total") or 0),
    )


def comment_from(raw: Mapping[str, Any]) -> Comment:
    """A comment as Markdown."""
    text = cut(adf.to_markdown(raw.get("body")), LONGEST_COMMENT, "the ticket")
    return Comment(id=str(raw.get("id")), text=text)


def _latest(value: Any) -> dict[str, PastResult]:
    """What our property says of past results; anybody may have written it, so what is off is left out."""
    found = {}
    for action, past in value.items() if isinstance(value, dict) else ():
        with suppress(ValueError):
            found[str(action)] = PastResult.model_validate(past)
    return found


def _unfinished(value: Any) -> Unfinished | None:
    """What our property says of the last action that did not succeed; None where it says nothing we understand."""
    try:
        return Unfinished.model_validate(value)
    except ValueError:
        return None


@promised("Jira")
def comment_id_from(raw: Mapping[str, Any]) -> str:
    """The id of a comment just posted."""
    return str(raw["id"])


@promised("Jira")
def account_id_from(raw: Mapping[str, Any]) -> str:
    """The id of an account."""
    return str(raw["accountId"])


@promised("Jira")
def comment_page_from(page: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """The comments of a page as Jira has them, and how many there are on all pages."""
    return [dict(raw) for raw in page["comments"]], int(page["total"])


@promised("Jira")
def property_from(raw: Mapping[str, Any]) -> Any:
    """The value of a property, which anybody may have written."""
    return raw["value"]


def author_of(comment: Mapping[str, Any]) -> str | None:
    """The account that wrote a comment, None when it is gone."""
    author = comment.get("author")
    return str(author.get("accountId")) if isinstance(author, dict) else None


def own_comment_from(mark: Any, comment: Mapping[str, Any]) -> OwnComment | None:
    """A comment with our mark on it, None when what it carries is not a mark of ours."""
    text = adf.to_markdown(comment.get("body"))
    try:
        return OwnComment(
            job_id=str(mark["job_id"]),
            action=str(mark["action"]),
            part=int(mark["part"]),
            outcome=str(mark["outcome"]),
            text=text,
            id=str(comment.get("id")),
        )
    except (KeyError, TypeError, ValueError):
        return None
