"""Every text of every request to GitHub, with hostile words in every field of a result: nothing in it acts."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.builders import brief, finding, fix_result, issue, job, review_result
from tests.contract.github_account import proposal, writer
from tests.contract.github_judge import NAME, REFERENCE, judge
from tests.contract.hostile_markdown import ACTS
from tests.contract.review_pull import seeded
from tests.fakes import wiring
from tests.fakes.pipeline import Pipeline

from alm.standins.github import GitHubStandIn
from orchestrator.bootstrap import catalogue as shipped
from orchestrator.domain.job import PROCESSING_LABEL, Job, brief_key, result_key
from orchestrator.domain.outcome import JobResult
from orchestrator.domain.publishable import PROTECTED

HOSTILE = "\n\n".join(ACTS)
# Texts that GitHub reads as they are, without Markdown.
PLAIN = frozenset({"title", "message"})
OWN_MARK = re.compile(r"^<!-- (?:ALM-Job: DEMO-1-\w+-\d|alm-finding: [0-9a-f]{32}) -->$", re.MULTILINE)
SUGGESTION = "active code [('lang', 'suggestion')]"
ACTIONS = shipped(Path(__file__).parents[2] / "prompts")
# Names of things, contents of files, and the service's own words.
NO_TEXT = frozenset(
    {"sha", "ref", "base", "head", "mode", "path", "type", "content", "base_tree", "encoding", "event"}
    | {"commit_id", "side", "tree", "parents", "object", "force", "draft", "line"}
)


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a request by the name of its field."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)
    elif isinstance(value, str) and name not in NO_TEXT:
        yield name, value


def _sent(github: GitHubStandIn) -> list[tuple[str, str]]:
    bodies = (request.body for request in github.requests if request.method != "GET")
    return [text for body in bodies if body for text in _texts(json.loads(body))]


def _acting(name: str, text: str) -> list[str]:
    if name in PLAIN:
        found = (*NAME.finditer(text), *REFERENCE.finditer(text))
        skips = [
            one
            for one in ("[skip ci]", "[ci skip]", "[no ci]", "NO_CI", "skip-checks")
            if one in text.lower()
        ]
        return [one[0] for one in found] + skips
    # Of the marks only those are ours that the text cannot have made: this job's, and fingerprints of 32 digits.
    acting = judge(OWN_MARK.sub("", text))
    # The finding's own replacement may be applied by one click, and no other code may.
    if SUGGESTION in acting:
        acting.remove(SUGGESTION)
    return acting


def _hostile(rule: Any) -> Any:
    """A value for this part of a report's schema whose every text is hostile."""
    given = rule if isinstance(rule, dict) else {}
    if "enum" in given:
        return given["enum"][0]
    if given.get("type") == "array":
        return [_hostile(given.get("items"))] * 2
    if given.get("type") == "object":
        return {name: _hostile(inner) for name, inner in given["properties"].items()}
    return {"integer": 15, "boolean": True}.get(given.get("type", ""), HOSTILE)


def _publish(github: GitHubStandIn, of: Job, result: JobResult) -> None:
    """The publisher with GitHub's adapter; Jira and AWS are fakes."""
    made = Pipeline(catalogue=ACTIONS)
    made.tracker.add(issue(labels=frozenset({PROCESSING_LABEL})))
    made.artifacts.put(brief_key(of), brief().model_dump_json().encode())
    made.artifacts.put(result_key(of.job_id), result.model_dump_json().encode())
    made.tracker.put_claim(of)
    github.forget_requests()
    wiring.publisher(made, writer(github), may_request_changes=False, protected=PROTECTED)(of, 1)


@pytest.mark.parametrize("name", ["fix", "implement"])
@pytest.mark.parametrize("is_formed", [True, False])
def test_no_text_of_a_pull_request_acts(github: GitHubStandIn, name: str, is_formed: bool) -> None:
    github.seed({"app.py": b"x = 1\n"})
    action = ACTIONS.named(name)
    assert action is not None
    asked = job(job_id=f"DEMO-1-{name}-1", action=name, label=action.label)
    made = proposal(github, job=asked)
    for number in (1, 2):  # the second adds a comment to the first one's pull request
        again = job(job_id=f"DEMO-1-{name}-{number}", action=name, label=action.label)
        head = github.branch_head(f"{action.branch_prefix}DEMO-1") or made.changeset.base_sha
        result = fix_result(
            summary=HOSTILE,
            report=_hostile(action.result_schema) if is_formed else None,
            text=HOSTILE,
            branch=f"{action.branch_prefix}DEMO-1",
            changeset=made.changeset.model_copy(update={"base_sha": head}),
        )
        _publish(github, again, result)
        sent = _sent(github)
        assert {name for name, _ in sent} >= (
            {"message", "title", "body"} if number == 1 else {"message", "body"}
        )
        assert [(name, found) for name, text in sent if (found := _acting(name, text))] == []


@pytest.mark.parametrize("name", ["code_review", "security_review"])
@pytest.mark.parametrize("line", [15, 999])
def test_no_text_of_a_review_acts(github: GitHubStandIn, name: str, line: int) -> None:
    head = seeded(github)
    action = ACTIONS.named(name)
    assert action is not None
    asked = job(job_id=f"DEMO-1-{name}-1", action=name, label=action.label)
    pieces = ["\n\n".join(ACTS[start : start + 15]) for start in range(0, len(ACTS), 15)]
    given = {"path": "app.py", "line": line, "cwe": "@octocat"}
    findings = [
        finding(title=" ".join(ACTS[number::9]), explanation=piece, suggestion=piece, **given)
        for number, piece in enumerate(pieces)
    ]
    report = _hostile(action.result_schema) | {"findings": findings}
    subject = review_result().subject
    assert subject is not None
    result = review_result(
        report=report, subject=subject.model_copy(update={"number": 1, "head_sha": head}), text=HOSTILE
    )
    _publish(github, asked, result)
    sent = _sent(github)
    assert len(sent) == (len(pieces) if line == 15 else 0) + 1
    assert [(name, found) for name, text in sent if (found := _acting(name, text))] == []
