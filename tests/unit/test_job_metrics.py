"""What one job adds to the metrics, and what its ledger adds to the log."""

from tests.builders import agent_run, cli_result, delivery, denial, job
from tests.unit.test_run_job import World

from orchestrator.domain.agent import Source
from orchestrator.domain.halt import Halt
from orchestrator.domain.ledger import Spent
from orchestrator.domain.wall import Answer, Probe, Rung
from orchestrator.errors import SandboxRefused

DENIED = Probe(rung=Rung.LANDLOCK, answer=Answer.DENIED, reason="no such kernel")


def test_the_end_of_a_job_is_measured_once() -> None:
    world = World()
    world.agent.answer = agent_run(denials=(denial(), denial(source=Source.KERNEL)))
    world.run()
    world.use_case(delivery(attempt=2), Halt())
    assert world.events.measured == [
        ("SandboxProbes", 1, {"rung": "bubblewrap", "answer": "available"}),
        ("Jobs", 1, {"action": "investigate", "outcome": "succeeded"}),
        ("PermissionDenials", 2, {"action": "investigate"}),
        ("CostUsd", 0.25, {"action": "investigate"}),
    ]


def test_a_cost_that_is_not_known_is_not_measured_as_none() -> None:
    world = World()
    world.agent.answer = agent_run(result=cli_result(total_cost_usd=None))
    world.run()
    assert "CostUsd" not in [name for name, *_ in world.events.measured]


def test_a_refused_sandbox_is_counted_and_is_a_job_too() -> None:
    world = World()
    world.agent.answer = agent_run(probes=(DENIED,))
    world.agent.faults.plan("run", SandboxRefused("No wall could be built.", (DENIED,)))
    world.run()
    assert world.events.measured[:3] == [
        ("SandboxProbes", 1, {"rung": "landlock", "answer": "denied"}),
        ("SandboxRefused", 1, {"action": "investigate"}),
        ("Jobs", 1, {"action": "investigate", "outcome": "refused"}),
    ]
    (line,) = world.events.named("sandbox.probed")
    assert (line["rung"], line["answer"], line["reason"]) == ("landlock", "denied", "no such kernel")
    assert world.jobs.records[job().job_id].probes == (DENIED,)


def test_the_end_is_logged_with_what_the_ledger_counted() -> None:
    world = World()
    spent = Spent(requests=3, input_tokens=900, output_tokens=40, cost_usd=0.75)
    world.agent.answer = agent_run(spent=spent)
    world.run()
    (event,) = world.events.named("agent.finished")
    facts = {"requests": 3, "input_tokens": 900, "output_tokens": 40, "cost_usd": 0.75}
    assert {name: event[name] for name in facts} == facts
