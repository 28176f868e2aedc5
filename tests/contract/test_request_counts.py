"""How many requests a job costs, counted on the wire; the README's table is what is counted here."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.jira_account import asked
from tests.contract.pipeline import ACTIONS, Pipeline
from tests.fakes.clock import FakeClock

from alm.standins.github import GitHubStandIn
from alm.standins.http import Request
from alm.standins.jira import JiraStandIn
from orchestrator.domain.action import Action, Produces

README = (Path(__file__).parents[2] / "README.md").read_text()
HEADER = "| requests of a job | Jira | GitHub's API | git |"
MOST_OF_JIRA = 8
every_action = pytest.mark.parametrize("action", ACTIONS.actions, ids=[one.name for one in ACTIONS.actions])


@pytest.fixture
def pipeline(jira: JiraStandIn, github: GitHubStandIn, clock: FakeClock) -> Iterator[Pipeline]:
    github.seed({"app.py": b"x = 1\n"})
    github.push_commit("change", {"app.py": b"x = 2\n"})
    github.open_pull_request("change", "A change")
    with Pipeline.between(jira, github, clock) as wired:
        yield wired


@pytest.fixture
def investigate() -> Action:
    return ACTIONS.actions[0]


def prepared(pipeline: Pipeline, action: Action) -> str:
    """An issue that has every result the action builds on, and names a pull request."""
    issue = pipeline.jira.create_issue(action.issue_types[0], "Totals", description="See PR #1.")
    for name in action.context:
        source = ACTIONS.named(name)
        assert source is not None
        pipeline.run(issue.key, source)
    return issue.key


def counted(pipeline: Pipeline, action: Action) -> tuple[int, int, int]:
    """Requests of one job to Jira, to GitHub's API, and by git."""
    key = prepared(pipeline, action)
    pipeline.jira.forget_requests()
    pipeline.github.forget_requests()
    pipeline.run(key, action)
    api = sum(_is_api(request) for request in pipeline.github.requests)
    return len(pipeline.jira.requests), api, len(pipeline.github.requests) - api


def _is_api(request: Request) -> bool:
    return request.path.startswith("/api/v3/")


def quoted() -> dict[str, tuple[int, ...]]:
    """The README's table."""
    table = README.partition(f"{HEADER}\n")[2].partition("\n\n")[0].splitlines()[1:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {name: tuple(map(int, counts)) for name, *counts in rows}


def test_the_readme_has_a_row_for_every_action_in_their_order() -> None:
    assert list(quoted()) == [action.name for action in ACTIONS.actions]


@every_action
def test_a_job_costs_the_requests_that_the_readme_says(pipeline: Pipeline, action: Action) -> None:
    counts = counted(pipeline, action)
    row = f"| {action.name} | {' | '.join(map(str, counts))} |"
    assert quoted().get(action.name) == counts, f"the README should say {row}"
    assert counts[0] <= MOST_OF_JIRA


def test_a_second_review_asks_github_once_more_for_our_own_name(pipeline: Pipeline) -> None:
    action = next(one for one in ACTIONS.actions if one.produces is Produces.REVIEW)
    first, second = counted(pipeline, action), counted(pipeline, action)
    assert second == (first[0], first[1] + 1, first[2])
    assert "/api/v3/user" in [request.path for request in pipeline.github.requests]


@every_action
def test_the_requests_to_jira_are_these(pipeline: Pipeline, action: Action) -> None:
    key = prepared(pipeline, action)
    pipeline.jira.forget_requests()
    pipeline.run(key, action)
    made = [path for method, path in asked(pipeline.jira) if (method, path.count("/")) == ("PUT", 4)]
    assert asked(pipeline.jira) == [
        ("POST", "/search/jql"),
        ("GET", f"/issue/{key}"),
        ("PUT", f"/issue/{key}"),
        ("POST", f"/issue/{key}/comment"),
        ("GET", f"/issue/{key}"),
        ("POST", f"/issue/{key}/comment"),
        ("PUT", made[0]),
        ("PUT", f"/issue/{key}"),
    ]


@every_action
def test_a_job_leaves_its_status_comment_and_its_result(pipeline: Pipeline, action: Action) -> None:
    key = prepared(pipeline, action)
    pipeline.run(key, action)
    status, result = pipeline.jira.issue(key).comments[-2:]
    assert status.text.startswith(f"{action.title} done, $0.25")
    assert result.text.startswith(action.header)
    marks = [comment.properties["alm.result"] for comment in (status, result)]
    assert Counter(mark["part"] for mark in marks) == Counter({-1: 1, 0: 1})
    assert pipeline.jira.issue(key).properties["alm.latest"][action.name]["comment_id"] == result.id


def _say_alive(pipeline: Pipeline) -> None:
    """As the worker does every few seconds: a job that nobody is at would be sent again."""
    (record,) = pipeline.jobs.active()
    pipeline.jobs.alive(record.job)


@pytest.mark.parametrize(
    ("after_s", "polls", "edits"), [(19, 1, 0), (20, 1, 1), (20, 3, 1), (600, 1, 1)], ids=str
)
def test_a_poll_looks_at_the_ticket_of_a_job_at_work_and_edits_its_status_at_most_every_20_s(
    pipeline: Pipeline, investigate: Action, after_s: int, polls: int, edits: int
) -> None:
    key = prepared(pipeline, investigate)

    def watch() -> None:
        pipeline.clock.now += after_s
        pipeline.jobs.now += after_s
        _say_alive(pipeline)
        pipeline.jira.forget_requests()
        for _ in range(polls):
            pipeline.poll()
        made = Counter(method for method, _ in asked(pipeline.jira))
        assert made == Counter({"POST": polls, "GET": polls, "PUT": edits})
        status = pipeline.jira.issue(key).comments[0].text
        shown = f"running for {after_s // 60}:{after_s % 60:02d} min, the agent is at work"
        assert (shown in status) is bool(edits)

    pipeline.meanwhile = watch
    pipeline.run(key, investigate)
