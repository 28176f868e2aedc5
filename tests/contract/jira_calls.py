"""Every call of the Jira adapter, for rules that hold for all of them."""

from collections.abc import Callable

import pytest
from tests.contract.jira_account import ASKED, JOB

from alm.standins.jira import JiraStandIn
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.issue import Left, OwnComment
from orchestrator.domain.job import PastResult, Unfinished
from orchestrator.domain.outcome import Outcome

MARK = OwnComment("DEMO-1-fix-0123", "fix", 0, "succeeded")
TODO = 'project = "DEMO" AND labels in ("ai-fix")'
Call = Callable[[JiraCloud], object]


LATEST = {"fix": PastResult(job_id="DEMO-1-fix-0123", comment_id="20001")}
UNFINISHED = Unfinished(action="investigate", job_id="DEMO-1-investigate-4", draft=True)
LEFT = Left(LATEST, UNFINISHED)
# The comment that the calls edit; it is on an issue of its own, so that nothing else counts it.
EDITED = ("DEMO-2", "20001")


def add_issues(jira: JiraStandIn) -> None:
    """The issues the calls speak of, the first of them with a label."""
    jira.create_issue("Bug", "Broken", labels=["ai-fix"])
    edited = jira.create_issue("Bug", "Told of")
    made = jira.add_comment(edited.key, jira.settings.service_account, "queued")
    assert (edited.key, made.id) == EDITED


def comment(cloud: JiraCloud) -> None:
    """A write that a second delivery looks for."""
    cloud.comment("DEMO-1", "text", MARK)


READS: dict[str, Call] = {
    "search": lambda cloud: list(cloud.search(TODO)),
    "read": lambda cloud: cloud.read("DEMO-1"),
    "look": lambda cloud: cloud.look("DEMO-1"),
    "comments": lambda cloud: list(cloud.comments("DEMO-1")),
    "own_comments": lambda cloud: list(cloud.own_comments("DEMO-1")),
}
# Nothing of these is safe to do a second time once others may have gone on from the first.
EDITS: dict[str, Call] = {
    "claim": lambda cloud: cloud.claim(JOB, ASKED),
    "release": lambda cloud: cloud.release(JOB, Outcome.SUCCEEDED, LEFT),
    "ask_for": lambda cloud: cloud.ask_for("DEMO-1", "ai-fix"),
    "comment": comment,
}
LAST: dict[str, Call] = {"edit_comment": lambda cloud: cloud.edit_comment(*EDITED, "text")}
CALLS = {**READS, **EDITS, **LAST}
WRITES = {**EDITS, **LAST}


def each(calls: dict[str, Call]) -> pytest.MarkDecorator:
    """One test for each of these calls."""
    return pytest.mark.parametrize("call", calls.values(), ids=calls)


every_call = each(CALLS)
repeatable_calls = each(READS)
