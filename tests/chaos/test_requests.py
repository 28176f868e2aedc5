"""One step deeper: the real adapters against the stand-ins, struck at every request that they make over the wire."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from tests.builders import REPORT, changeset, fix_result, job_result, review_result, subject
from tests.chaos.points import Fault, Killed
from tests.contract.pipeline import ACTIONS, Pipeline
from tests.fakes.clock import FakeClock

from alm.standins.github import GitHubStandIn
from alm.standins.jira import JiraStandIn
from orchestrator.domain.action import Action
from orchestrator.domain.issue import CLAIM_PROPERTY, RESULT_PROPERTY
from orchestrator.domain.job import Job, result_key
from orchestrator.domain.outcome import JobResult

MINUTE_S = 60
DELIVERIES = 4
STRIKES = (Fault.KILL_BEFORE, Fault.KILL_AFTER, Fault.LOST)


@dataclass
class Wire:
    """Counts the requests of all sessions and strikes one of them."""

    at: int = -1
    fault: Fault | None = None
    sent: list[str] = field(default_factory=list)

    def send(self, request: Any, go: Callable[[], requests.Response]) -> requests.Response:
        """Send it, unless something strikes before; whatever strikes after keeps its answer back."""
        fault = self.fault if len(self.sent) == self.at else None
        self.sent.append(f"{request.method} {request.path_url}")
        if fault is Fault.KILL_BEFORE:
            raise Killed
        answer = go()
        if fault is Fault.KILL_AFTER:
            raise Killed
        if fault is Fault.LOST:
            raise requests.ConnectionError
        return answer


class Struck(Pipeline):
    """The pipeline of poll and publisher; what the worker would have stored is given."""

    wire: Wire

    def play(self, action: Action, at: int = -1, fault: Fault | None = None) -> str:
        """A new ticket from its label to its end, with that fault at that request; its key."""
        key = self.jira.create_issue("Bug", "Totals", description="See PR #1.").key
        self.jira.add_label(key, action.label)
        self.wire.at, self.wire.fault, self.wire.sent = at, fault, []
        for _ in range(DELIVERIES):
            if not self._claimed(key):
                self._try(self.poll)
        job = Job.model_validate(self._claimed(key))
        self.artifacts.put(result_key(job.job_id), self._result(job).model_dump_json().encode())
        for attempt in range(1, DELIVERIES + 1):
            self._try(lambda attempt=attempt: self._publisher()(job, attempt))  # type: ignore[misc]
        return key

    def _claimed(self, key: str) -> dict[str, Any]:
        claim = self.jira.issue(key).properties.get(CLAIM_PROPERTY)
        return {} if claim is None or claim["job_id"] not in self.jobs.records else dict(claim)

    def _try(self, process: Callable[[], object]) -> None:
        self.clock.now += MINUTE_S
        self.jobs.now = self.clock.now
        try:
            process()
        except (Killed, Exception):  # noqa: BLE001  # the process is over; the schedule or the queue goes on
            self.clock.now += MINUTE_S

    def _result(self, job: Job) -> JobResult:
        match job.action:
            case "fix":
                change = changeset(base_sha=self.github.branch_head("trunk"))
                return fix_result(branch=f"fix-{job.issue_key}", changeset=change)
            case "code_review":
                return review_result(subject=subject(number=1, head_sha=self.github.branch_head("change")))
            case _:
                return job_result(report=REPORT)

    def end(self, key: str) -> dict[str, object]:
        """What people find of the ticket's job in Jira and on GitHub."""
        issue = self.jira.issue(key)
        marks = [one.properties[RESULT_PROPERTY] for one in issue.comments]
        (job_id,) = {mark["job_id"] for mark in marks}
        return {
            "labels": issue.labels,
            "outcome": issue.properties[CLAIM_PROPERTY].get("outcome"),
            "parts": sorted(mark["part"] for mark in marks),
            "status": [one.text.split(",")[0] for one in issue.comments if "done" in one.text[:40]],
            "branches": [name for name in self.github.branches() if key in name],
            "pull requests": [one.head for one in self.github.pull_requests() if job_id in one.body],
            "commits": [
                self.github.commit_message(name).count(job_id)
                for name in self.github.branches()
                if key in name
            ],
            "reviews": sum(job_id in one.body for one in self.github.reviews(1)),
            "record": self.jobs.records[job_id].outcome,
        }


@pytest.fixture
def struck(monkeypatch: pytest.MonkeyPatch) -> Iterator[Struck]:
    clock, send, wire = FakeClock(), requests.Session.send, Wire()
    monkeypatch.setattr(
        requests.Session,
        "send",
        lambda self, request, **options: wire.send(request, lambda: send(self, request, **options)),
    )
    with JiraStandIn(clock=clock.time) as jira, GitHubStandIn() as github:
        github.seed({"shop/cart.py": b"x = 1\n"})
        github.push_commit("change", {"shop/cart.py": b"x = 2\n"})
        github.open_pull_request("change", "A change")
        with Struck.between(jira, github, clock) as pipeline:
            pipeline.wire = wire
            yield pipeline


@pytest.mark.parametrize("fault", STRIKES)
@pytest.mark.parametrize("name", ["investigate", "fix", "code_review"])
def test_a_ticket_ends_as_it_should_whatever_strikes_at_whichever_request(
    struck: Struck, name: str, fault: Fault
) -> None:
    action = ACTIONS.named(name)
    assert action is not None
    clean = struck.play(action)
    requested, wanted = struck.wire.sent, struck.end(clean)
    assert wanted["parts"] == [-1, 0]
    found = {}
    for number, request in enumerate(requested):
        key = struck.play(action, number, fault)
        came_to = {fact: _without(value, key) for fact, value in struck.end(key).items()}
        if came_to != {fact: _without(value, clean) for fact, value in wanted.items()}:
            found[f"{number} {request}"] = came_to
    assert found == {}


def _without(value: object, key: str) -> str:
    return str(value).replace(key, "KEY")
