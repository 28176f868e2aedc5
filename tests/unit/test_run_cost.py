"""What a run of the agent costs is known to the job table, whatever became of the worker."""

import pytest
from tests.builders import agent_run, brief, cli_result, job
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.job import brief_key
from orchestrator.errors import SandboxRefused, TransientError


@pytest.fixture
def world() -> Pipeline:
    made = Pipeline()
    made.artifacts.put(brief_key(job()), brief().model_dump_json().encode())
    return made


def _spent(world: Pipeline) -> float:
    return world.jobs.records[job().job_id].spent_usd


def test_a_run_counts_with_all_it_may_cost_until_it_says_what_it_did(world: Pipeline) -> None:
    during: list[float] = []
    world.agent.meanwhile = lambda _: during.append(_spent(world))
    world.work(job())
    assert (during, _spent(world)) == ([3.0], 0.25)


def test_a_run_that_never_says_what_it_cost_counts_with_all_it_may(world: Pipeline) -> None:
    world.agent.faults.plan("run", TransientError("The worker stumbled."))
    with pytest.raises(TransientError):
        world.work(job())
    world.work(job(), 2)
    assert _spent(world) == 3.25


def test_a_run_of_unknown_cost_counts_with_all_it_may(world: Pipeline) -> None:
    world.agent.answer = agent_run(result=cli_result(total_cost_usd=None))
    world.work(job())
    assert _spent(world) == 3.0


def test_an_agent_that_no_wall_stood_around_cost_nothing(world: Pipeline) -> None:
    world.agent.answer = agent_run(probes=())
    world.agent.faults.plan("run", SandboxRefused("No wall."))
    world.work(job())
    assert _spent(world) == 0.0
