"""What a hostile answer becomes on GitHub: it notifies nobody, closes nothing, loads nothing and runs nothing.

The publisher publishes it to the GitHub emulator: as a pull request with its commit, and as a review with a comment
beside a line. The control is the same text unchanged.
"""

import re
from collections.abc import Mapping
from functools import cache

import pytest
from tests.builders import brief, finding, fix_job, issue, job_result, review_job, review_result, subject
from tests.conformance.github_text import Effect, effects, effects_of_line
from tests.conformance.rows_github import TRICKS, GitHubTrick
from tests.conformance.table import GETS_THROUGH, NOT_EFFECTIVE, Ending, Line
from tests.contract.github_account import writer
from tests.contract.review_pull import seeded
from tests.fakes import wiring
from tests.fakes.pipeline import Pipeline

from alm.environment import ROOT
from alm.standins.github import GitHubStandIn
from orchestrator.adapters.action_files import load_action
from orchestrator.domain.action import Catalogue
from orchestrator.domain.changeset import Changeset, FileChange, FileMode
from orchestrator.domain.job import Job, brief_key, result_key
from orchestrator.domain.outcome import JobResult

LEVEL, BY, COUNTED = "GitHub", "the publisher", "- nothing is refused: it is made plain"
_OWN_MARK = re.compile(r"^<!-- (?:ALM-Job|alm-finding): [\w-]+ -->$", re.MULTILINE)
_LINES = ("title", "message of the commit")
_ACTIONS = Catalogue(
    actions=tuple(load_action(ROOT / "prompts" / f"{name}.md") for name in ("fix", "code_review"))
)


@cache
def published(text: str) -> Mapping[str, str]:
    """Everything that GitHub holds after an answer with that text in each of its fields, by the name of its place."""
    with GitHubStandIn() as github:
        head = seeded(github)
        base = github.branch_head("trunk")
        assert base is not None
        change = FileChange.written("app.py", FileMode.REGULAR, b"x = 2\n")
        _publish(github, fix_job(), _fix(text, Changeset(base_sha=base, changes=(change,))))
        _publish(github, review_job(), _review(text, head, base))
        pull = next(one for one in github.pull_requests() if one.head == "fix-DEMO-1")
        (review,), (beside,) = github.reviews(1), github.review_comments(1)
        return {
            "title": pull.title,
            "message of the commit": github.commit_message("fix-DEMO-1"),
            "body": pull.body,
            "review": review.body,
            "comment beside a line": beside.body,
        }


def _publish(github: GitHubStandIn, job: Job, result: JobResult) -> None:
    world = Pipeline(catalogue=_ACTIONS)
    world.tracker.add(issue(claim=job.model_dump(mode="json")))
    world.artifacts.put(brief_key(job), brief().model_dump_json().encode())
    world.artifacts.put(result_key(job.job_id), result.model_dump_json().encode())
    wiring.publisher(world, writer(github))(job, 1)


def _fix(text: str, changeset: Changeset) -> JobResult:
    report = {
        "summary": text,
        "changes": [{"path": "app.py", "change": text}],
        "tests": [{"command": text, "outcome": text}],
        "verify": text,
        "criteria": [{"criterion": text, "verdict": text}],
    }
    return job_result(summary=text, report=report, branch="fix-DEMO-1", changeset=changeset)


def _review(text: str, head: str, base: str) -> JobResult:
    found = finding(path="app.py", line=15, title=text, explanation=text)
    result = review_result(found, subject=subject(number=1, head_sha=head, merge_base_sha=base))
    return result.model_copy(update={"summary": text, "report": {**(result.report or {}), "summary": text}})


def _effects(trick: GitHubTrick) -> Mapping[str, frozenset[Effect]]:
    """What each place does; the publisher's own marks are no words of the answer."""
    places = published(trick.text if trick.in_line else trick.paragraphs)
    return {
        place: effects_of_line(text) if place in _LINES else effects(_OWN_MARK.sub("", text))
        for place, text in places.items()
    }


def _is_live(trick: GitHubTrick) -> bool:
    found = effects_of_line(trick.text) if trick.in_line else effects(trick.paragraphs)
    return trick.effect in found


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name.replace(" ", "-"))
def test_a_trick_works_where_it_arrives_unchanged(trick: GitHubTrick) -> None:
    assert _is_live(trick)


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name.replace(" ", "-"))
def test_an_answer_has_no_effect_on_github(trick: GitHubTrick, lines: list[Line]) -> None:
    live = {place: found for place, found in _effects(trick).items() if found}
    control = GETS_THROUGH if _is_live(trick) else NOT_EFFECTIVE
    ending = Ending.FAILED if live else Ending.HARMLESS
    lines.append(Line(f"answer on GitHub: {trick.name}", LEVEL, control, BY, COUNTED, ending))
    assert live == {}
