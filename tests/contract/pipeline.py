"""The three functions wired as `bootstrap` does, real but for AWS, the clock and the agent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.builders import agent_run, cli_result
from tests.contract.git_workspace import cloner
from tests.contract.github_account import reader, writer
from tests.contract.jira_account import connected
from tests.fakes import wiring
from tests.fakes.agent import FakeAgent
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.attempts import FakeAttempts, FakeTimeLimit
from tests.fakes.clock import FakeClock
from tests.fakes.events import FakeEvents
from tests.fakes.job_store import FakeJobStore
from tests.fakes.queue import FakeQueue

from alm.standins.github import GitHubStandIn
from alm.standins.jira import JiraStandIn
from orchestrator.adapters.jinja_prompts import JinjaPrompts
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.bootstrap import catalogue
from orchestrator.domain.action import Action, Catalogue, Workspace
from orchestrator.domain.halt import Halt
from orchestrator.ports import AgentTask, Delivery
from orchestrator.usecases.poll import Poll, PollReport
from orchestrator.usecases.publish_in_time import PublishInTime
from orchestrator.usecases.run_job import RunJob

ACTIONS = catalogue(Path(__file__).parents[2] / "prompts")
FINDING = {"path": "app.py", "line": 1, "severity": "high", "title": "Off by one", "explanation": "It is."}
# One answer for all: what a schema does not ask for is left out of the comment.
REPORT = {"summary": "All is told.", "verdict": "comment", "findings": [FINDING], "good": ["Small"]}


def _nothing() -> None:
    pass


@dataclass
class Pipeline:
    """Jobs from label to release, one at a time; `meanwhile` happens while the agent is at work."""

    jira: JiraStandIn
    github: GitHubStandIn
    tracker: JiraCloud
    clock: FakeClock
    jobs: FakeJobStore
    meanwhile: Callable[[], None] = _nothing
    catalogue: Catalogue = ACTIONS
    queue: FakeQueue = field(default_factory=FakeQueue)
    results: FakeQueue = field(default_factory=FakeQueue)
    artifacts: FakeArtifacts = field(default_factory=FakeArtifacts)
    events: FakeEvents = field(default_factory=FakeEvents)
    attempts: FakeAttempts = field(default_factory=FakeAttempts)
    time_limit: FakeTimeLimit = field(default_factory=FakeTimeLimit)

    @classmethod
    @contextmanager
    def between(cls, jira: JiraStandIn, github: GitHubStandIn, clock: FakeClock) -> Iterator[Self]:
        """Signed in already, as a function is that is warm."""
        tracker = connected(jira, clock)
        try:
            tracker.read("NONE-1")
            yield cls(jira, github, tracker, clock, FakeJobStore(now=clock.now))
        finally:
            tracker.session.close()

    def run(self, key: str, action: Action) -> None:
        """Put the action's label on the issue and see the job through."""
        self.jira.add_label(key, action.label)
        (job,) = self.poll().claimed
        self._worker()(_taken(self.queue), Halt())
        self._publisher()(_taken(self.results).job, 1)
        assert self.jobs.records[job.job_id].outcome == "succeeded", self.jira.issue(key).comments[-1].text

    def poll(self) -> PollReport:
        """One look at Jira."""
        return self._poll()()

    def _poll(self) -> Poll:
        settings = self.github.settings
        return wiring.poller(self, self.github.url, settings.full_name, self.jira.settings.project_key)

    def _work(self, task: AgentTask) -> None:
        if task.action.workspace is Workspace.READ_WRITE:
            (task.workspace / "app.py").write_text("x = 3\n")
        self.meanwhile()

    def _worker(self) -> RunJob:
        answer = agent_run(result=cli_result(structured_output=REPORT))
        return wiring.runner(
            self,
            FakeAgent(answer, meanwhile=self._work),
            JinjaPrompts(),
            (cloner(self.github), reader(self.github)),
        )

    def _publisher(self) -> PublishInTime:
        return wiring.publisher(self, writer(self.github))


def _taken(queue: FakeQueue) -> Delivery:
    delivery = queue.receive(0)
    assert delivery is not None
    queue.delete(delivery.receipt)
    return delivery
