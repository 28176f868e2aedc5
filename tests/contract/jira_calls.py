"""Every call of the Jira adapter, for rules that hold for all of them."""

from collections.abc import Callable

import pytest
from tests.contract.jira_account import JOB

from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.issue import OwnComment
from orchestrator.domain.outcome import Outcome

MARK = OwnComment("DEMO-1-fix-0123", "fix", 0, "succeeded")
TODO = 'project = "DEMO" AND labels in ("ai-fix")'
Call = Callable[[JiraCloud], object]


def comment(cloud: JiraCloud) -> None:
    """The one call that is not safe to repeat."""
    cloud.comment("DEMO-1", "text", MARK)


CALLS: dict[str, Call] = {
    "search": lambda cloud: list(cloud.search(TODO)),
    "read": lambda cloud: cloud.read("DEMO-1"),
    "claim": lambda cloud: cloud.claim(JOB),
    "release": lambda cloud: cloud.release(JOB, Outcome.SUCCEEDED),
    "own_comments": lambda cloud: list(cloud.own_comments("DEMO-1")),
}
every_call = pytest.mark.parametrize("call", [*CALLS.values(), comment], ids=[*CALLS, "comment"])
repeatable_calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
