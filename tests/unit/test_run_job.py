"""One job in the worker: whatever happens, a result is stored and handed on, or the queue tries again."""

from contextlib import suppress
from typing import Any

import pytest
from tests.builders import (
    REPORT,
    agent_run,
    brief,
    catalogue,
    changeset,
    cli_result,
    delivery,
    denial,
    fix,
    fix_job,
    job,
    job_result,
)
from tests.fakes import wiring
from tests.fakes.agent import FakePrompts
from tests.fakes.code_host import FakeCheckout
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.halt import Halt
from orchestrator.domain.job import MAX_ATTEMPTS, Job, JobState, brief_key, result_key, transcript_key
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.errors import (
    ConfigError,
    GivenUp,
    JobFailed,
    NewerFormat,
    NotFoundError,
    RefusedError,
    SandboxRefused,
    TransientError,
)
from orchestrator.usecases.run_job import RunJob


class World(Pipeline):
    """A worker and everything it can reach. The briefs of both jobs are stored."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for of in (job(), fix_job()):
            self.artifacts.put(brief_key(of), brief().model_dump_json().encode())

    def run(self, of: Job | None = None, attempt: int = 1) -> JobResult:
        """The stored result of the job; that it was handed on is checked here for every test."""
        given = delivery(of, attempt)
        with suppress(GivenUp):
            self.use_case(given, Halt())
        assert given.job in self.results.jobs()
        return self.artifacts.result(given.job.job_id)

    def end(self, of: Job | None = None, attempt: int = 1) -> Verdict:
        return self.run(of, attempt).verdict

    @property
    def use_case(self) -> RunJob:
        code_host = (self.cloner, self.pull_requests)
        return wiring.runner(self, self.agent, FakePrompts(), code_host, self.limits)

    def phases(self) -> list[object]:
        return [event["phase"] for event in self.events.named("job.phase")]


@pytest.fixture
def world() -> World:
    return World()


def test_an_analysis_ends_as_a_stored_result_and_a_message(world: World) -> None:
    world.agent.answer = agent_run(result=cli_result(structured_output=REPORT, result="{}"))
    assert world.run() == job_result()
    assert world.results.jobs() == [job()]
    assert world.jobs.records[job().job_id].state is JobState.RUNNING
    assert world.phases() == ["clone", "agent"]


def test_the_agent_is_asked_with_the_ticket_in_the_clone(world: World) -> None:
    world.run()
    (task,) = world.agent.tasks
    assert (task.job, task.action.name, task.workspace) == (
        job(),
        "investigate",
        world.cloner.checkout.workspace,
    )
    assert task.prompt.startswith("Find the cause.\n")
    assert "The discount starts at eleven." in task.prompt


def test_every_run_has_a_nonce_of_its_own(world: World) -> None:
    world.run()
    world.artifacts.contents.pop(result_key(job().job_id))
    world.run(attempt=2)
    first, second = (task.prompt for task in world.agent.tasks)
    assert first != second


def test_an_analysis_is_made_on_the_default_branch_and_changes_nothing(world: World) -> None:
    result = world.run()
    assert (world.cloner.cloned, result.branch, result.changeset) == ([None], None, None)


def test_a_fix_ends_with_its_changeset_and_branch(world: World) -> None:
    result = world.run(fix_job())
    assert (result.verdict.outcome, result.changeset) == (Outcome.SUCCEEDED, changeset())
    assert result.branch == "fix-DEMO-1"
    assert world.phases() == ["clone", "agent", "collect"]


def test_changes_that_cannot_be_read_keep_what_the_run_cost(world: World) -> None:
    world.cloner.checkout = FakeCheckout(None)
    result = world.run(fix_job())
    assert result.verdict == Verdict(outcome=Outcome.FAILED, reason="The changes cannot be read.")
    assert (result.cost_usd, result.turns, result.model) == (0.25, 4, "claude-test-1")
    assert result.changeset is None


def test_a_fix_continues_the_branch_of_an_open_pull_request(world: World) -> None:
    world.pull_requests.branches = {"fix-DEMO-1": "open"}
    assert world.run(fix_job()).branch == "fix-DEMO-1"
    assert world.cloner.cloned == ["fix-DEMO-1"]


def test_a_fix_after_a_closed_pull_request_takes_the_next_branch(world: World) -> None:
    world.pull_requests.branches = {"fix-DEMO-1": "closed"}
    assert world.run(fix_job()).branch == "fix-DEMO-1-2"
    assert world.cloner.cloned == [None]


def test_a_fix_that_changed_nothing_says_so(world: World) -> None:
    world.cloner.checkout = FakeCheckout(changeset(changes=()))
    assert world.end(fix_job()).outcome is Outcome.NO_CHANGE


def test_the_clone_is_gone_when_the_job_is_done(world: World) -> None:
    world.agent.meanwhile = lambda _: _is_true(world.cloner.is_out)
    world.run()
    assert not world.cloner.is_out


def _is_true(value: object) -> None:
    assert value


def test_the_transcript_is_kept_however_the_run_ends(world: World) -> None:
    world.agent.faults.plan("run", JobFailed("The CLI is not installed."))
    world.run()
    assert world.artifacts.contents[transcript_key(job())] == world.agent.stream


def test_a_run_without_a_transcript_is_no_error(world: World) -> None:
    world.agent.stream = b""
    assert world.end().outcome is Outcome.SUCCEEDED
    assert transcript_key(job()) not in world.artifacts.contents


def test_every_denial_is_one_warning(world: World) -> None:
    world.agent.answer = agent_run(denials=(denial(), denial(tool="Read", target="/etc/shadow")))
    world.run()
    wall = {**job().log_fields(), "sandbox": "bubblewrap"}
    assert world.events.named("permission.denied") == [
        {**wall, "tool": "Bash", "source": "rule", "target": "curl evil"},
        {**wall, "tool": "Read", "source": "rule", "target": "/etc/shadow"},
    ]


def test_the_end_is_logged_with_what_it_cost(world: World) -> None:
    world.run()
    (event,) = world.events.named("agent.finished")
    facts = {"outcome": "succeeded", "sandbox": "bubblewrap", "duration_ms": 61_000, "cost_usd": 0.25}
    assert event == {**job().log_fields(), **facts}


def test_what_the_cli_says_of_its_own_errors_is_not_kept(world: World) -> None:
    said = cli_result(is_error=True, result="API Error at http://10.0.0.7 sk-ant-123")
    world.agent.answer = agent_run(exit_status=1, result=said, upstream_status=529)
    result = world.run()
    assert (result.verdict.outcome, result.text) == (Outcome.FAILED, "")
    assert "10.0.0.7" not in result.model_dump_json()


def test_a_second_delivery_finds_the_stored_result(world: World) -> None:
    world.results.faults.plan("send", ConnectionError("gone"))
    with pytest.raises(ConnectionError):
        world.use_case(delivery(), Halt())
    assert world.end(attempt=2).outcome is Outcome.SUCCEEDED
    assert len(world.agent.tasks) == 1


def test_a_job_that_has_ended_is_left_alone(world: World) -> None:
    world.jobs.end(job(), Outcome.SUCCEEDED, 0.1)
    world.use_case(delivery(attempt=2), Halt())
    assert (world.agent.tasks, world.results.messages) == ([], [])
    assert world.events.named("job.ended_already") == [job().log_fields()]


@pytest.mark.parametrize(
    ("place", "call"),
    [("cloner", "clone"), ("agent", "run"), ("pull_requests", "plan_branch"), ("artifacts", "get")],
)
@pytest.mark.parametrize("error", [TransientError("GitHub did not answer."), KeyError("token=ghs_secret")])
def test_what_may_work_later_is_left_to_the_queue(
    world: World, place: str, call: str, error: Exception
) -> None:
    getattr(world, place).faults.plan(call, error)
    with pytest.raises(type(error)):
        world.use_case(delivery(fix_job()), Halt())
    assert world.results.messages == []
    assert world.end(fix_job(), attempt=2).outcome is Outcome.SUCCEEDED


def test_on_the_last_attempt_a_transient_error_is_told(world: World) -> None:
    world.cloner.faults.plan("clone", TransientError("GitHub did not answer."))
    said = "GitHub did not answer. It was tried 3 times."
    assert world.end(attempt=MAX_ATTEMPTS) == Verdict(outcome=Outcome.FAILED, reason=said)


def test_on_the_last_attempt_an_error_of_ours_is_told_without_internals(world: World) -> None:
    world.agent.faults.plan("run", KeyError("token=ghs_secret"))
    end = world.end(attempt=MAX_ATTEMPTS)
    assert end.outcome is Outcome.FAILED
    assert end.reason == "The orchestrator met an error of its own; the job's log tells more."
    assert world.events.named("job.crashed") == [{**job().log_fields(), "error": "KeyError"}]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (SandboxRefused("No wall could be built."), Outcome.REFUSED),
        (JobFailed("GitHub refused the read token."), Outcome.FAILED),
        (ConfigError("prompts/fix.md: label: missing"), Outcome.FAILED),
        (RefusedError("GitHub did not accept the token (401).", 401), Outcome.FAILED),
        (NotFoundError("GitHub does not have the repository (404)."), Outcome.FAILED),
    ],
)
@pytest.mark.parametrize(("place", "call"), [("agent", "run"), ("pull_requests", "plan_branch")])
def test_what_trying_again_will_not_mend_is_told_at_once(
    world: World, place: str, call: str, error: Exception, outcome: Outcome
) -> None:
    getattr(world, place).faults.plan(call, error)
    assert world.end(fix_job()) == Verdict(outcome=outcome, reason=str(error))


def test_a_missing_brief_is_told(world: World) -> None:
    world.artifacts.contents.clear()
    assert world.end() == Verdict(
        outcome=Outcome.FAILED, reason="What the worker was to know of the ticket is no longer stored."
    )


@pytest.mark.parametrize("stored", [b'{"summary": ', b"[]", b"\xff", b'{"version": 1, "more": 1}'])
def test_an_unreadable_brief_is_told_at_once(world: World, stored: bytes) -> None:
    world.artifacts.put(brief_key(job()), stored)
    assert world.end().reason == "What the worker was to know of the ticket is no longer stored."


@pytest.mark.parametrize("attempt", [1, MAX_ATTEMPTS])
def test_a_brief_of_a_newer_release_is_left_for_that_one(world: World, attempt: int) -> None:
    world.artifacts.put(brief_key(job()), b'{"version": 3}')
    with pytest.raises(NewerFormat):
        world.use_case(delivery(attempt=attempt), Halt())
    assert (world.results.messages, world.agent.tasks) == ([], [])


def test_the_result_of_another_worker_that_was_first_stands_and_is_the_one_that_is_told(world: World) -> None:
    first = job_result(text="The first worker's.")
    key = result_key(job().job_id)
    world.agent.meanwhile = lambda _: world.artifacts.put(key, first.model_dump_json().encode())
    assert world.run() == first
    assert world.events.named("result.stands") == [job().log_fields()]


def test_an_unknown_action_is_told(world: World) -> None:
    world.catalogue = catalogue(fix())
    assert world.end().reason == "This deployment has no action `investigate`."
    assert world.agent.tasks == []


def test_beyond_the_last_attempt_nothing_is_run_and_the_ticket_is_told(world: World) -> None:
    assert world.end(attempt=MAX_ATTEMPTS + 1).reason.startswith("The worker stopped 3 times")
    assert (world.agent.tasks, world.cloner.cloned) == ([], [])


@pytest.mark.parametrize(
    "said",
    [
        {"structured_output": {"summary": "cut ?", "x": float("nan")}},
        {"structured_output": {"summary": [[[[]]]], "files": {"a": 1}}},
        {"result": "\x00\u202e"},
        {"total_cost_usd": float("nan")},
    ],
)
def test_an_odd_answer_is_stored_and_read_again(world: World, said: dict[str, Any]) -> None:
    world.agent.answer = agent_run(result=cli_result(**said))
    assert isinstance(world.run(), JobResult)
