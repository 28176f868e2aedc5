"""What one job adds to the metrics."""

from tests.builders import agent_run, cli_result, delivery, denial
from tests.unit.test_run_job import World

from orchestrator.domain.agent import Source
from orchestrator.errors import SandboxRefused


def test_the_end_of_a_job_is_measured_once() -> None:
    world = World()
    world.agent.answer = agent_run(denials=(denial(), denial(source=Source.KERNEL)))
    world.run()
    world.use_case(delivery(attempt=2))
    assert world.events.measured == [
        ("Jobs", 1, {"action": "investigate", "outcome": "succeeded"}),
        ("PermissionDenials", 2, {"action": "investigate"}),
        ("CostUsd", 0.25, {"action": "investigate"}),
    ]


def test_a_cost_that_is_not_known_is_not_measured_as_none() -> None:
    world = World()
    world.agent.answer = agent_run(result=cli_result(total_cost_usd=None))
    world.run()
    assert [name for name, *_ in world.events.measured] == ["Jobs", "PermissionDenials"]


def test_a_refused_sandbox_is_a_job_too() -> None:
    world = World()
    world.agent.faults.plan("run", SandboxRefused("No wall could be built."))
    world.run()
    assert world.events.measured[0] == ("Jobs", 1, {"action": "investigate", "outcome": "refused"})
