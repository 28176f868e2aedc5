"""How often the tracker is asked for one job that goes right, from its claim to its release."""

import pytest
from tests.builders import catalogue, code_review, issue, subject
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.outcome import Outcome

MOST = 8
DESCRIPTION = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "See PR 42."}]}],
}


@pytest.fixture
def world() -> Pipeline:
    made = Pipeline(catalogue=catalogue(*catalogue().actions, code_review()))
    made.pull_requests.subjects = {42: subject()}
    return made


@pytest.mark.parametrize("name", ["investigate", "fix", "code_review"])
def test_a_job_of_each_kind_takes_at_most_eight_requests(world: Pipeline, name: str) -> None:
    world.tracker.add(issue(description=DESCRIPTION))
    if name != "investigate":
        world.through()
        known = world.tracker.issues["DEMO-1"]
        label = f"ai-{name.replace('_', '-')}"
        again = issue(
            labels=frozenset({label}),
            description=DESCRIPTION,
            comments=known.comments,
            latest=known.latest,
            updated="later",
        )
        world.tracker.add(again)
        world.tracker.requests.clear()
    done = world.through()
    assert world.jobs.records[done.job_id].outcome == Outcome.SUCCEEDED
    assert world.tracker.calls() == [
        "search",
        "read",
        "claim",
        "comment",
        "look",
        "comment",
        "edit_comment",
        "release",
    ]
    assert len(world.tracker.calls()) <= MOST
    assert len(world.brief(done).context) == (1 if name == "fix" else 0)
