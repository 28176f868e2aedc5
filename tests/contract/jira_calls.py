"""Every call of the Jira adapter, for rules that hold for all of them."""

from collections.abc import Callable

import pytest
from tests.contract.jira_account import JOB

from alm.standins.jira import JiraStandIn
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.issue import OwnComment
from orchestrator.domain.job import PastResult
from orchestrator.domain.outcome import Outcome

MARK = OwnComment("DEMO-1-fix-0123", "fix", 0, "succeeded")
TODO = 'project = "DEMO" AND labels in ("ai-fix")'
Call = Callable[[JiraCloud], object]


LATEST = {"fix": PastResult(job_id="DEMO-1-fix-0123", comment_id="20001")}
# The comment that the calls edit; it is on an issue of its own, so that nothing else counts it.
EDITED = ("DEMO-2", "20001")


def add_issues(jira: JiraStandIn) -> None:
    """The issues the calls speak of, the first of them with a label."""
    jira.create_issue("Bug", "Broken", labels=["ai-fix"])
    edited = jira.create_issue("Bug", "Told of")
    made = jira.add_comment(edited.key, jira.settings.service_account, "queued")
    assert (edited.key, made.id) == EDITED


def comment(cloud: JiraCloud) -> None:
    """The one call that is not safe to repeat."""
    cloud.comment("DEMO-1", "text", MARK)


CALLS: dict[str, Call] = {
    "search": lambda cloud: list(cloud.search(TODO)),
    "read": lambda cloud: cloud.read("DEMO-1"),
    "claim": lambda cloud: cloud.claim(JOB),
    "release": lambda cloud: cloud.release(JOB, Outcome.SUCCEEDED, LATEST),
    "edit_comment": lambda cloud: cloud.edit_comment(*EDITED, "text"),
    "comments": lambda cloud: list(cloud.comments("DEMO-1")),
    "own_comments": lambda cloud: list(cloud.own_comments("DEMO-1")),
}
every_call = pytest.mark.parametrize("call", [*CALLS.values(), comment], ids=[*CALLS, "comment"])
repeatable_calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
