"""Tickets whose jobs are played under every fault, and what each has to come to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.builders import (
    REPORT,
    action,
    agent_run,
    catalogue,
    changeset,
    cli_result,
    code_review,
    fault,
    finding,
    fix,
    issue,
    subject,
)
from tests.chaos.points import Points
from tests.chaos.world import World
from tests.fakes.code_host import FakeCheckout

from orchestrator.domain.agent import AgentRun, Stop
from orchestrator.domain.changeset import Changeset, FileChange, FileMode
from orchestrator.domain.outcome import Outcome

CATALOGUE = catalogue(
    action(),
    action(name="recommend", label="ai-recommend", title="Recommend", order=30, context=["investigate"]),
    fix(context=["investigate", "recommend"]),
    code_review(),
)
REVIEW = {"verdict": "comment", "summary": "Nearly.", "findings": [finding()]}
LONG_TEXT = "\n\n".join(f"word-{number} " * 9 for number in range(700))


@dataclass(frozen=True)
class Expected:
    """What one action has to come to."""

    outcome: Outcome = Outcome.SUCCEEDED
    pull_requests: int = 0
    reviews: int = 0
    runs: int = 1
    parts: int = 1
    context: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """A ticket, how the agent answers, and the ends of its jobs by action."""

    name: str
    labels: tuple[str, ...]
    expected: Mapping[str, Expected]
    answers: Mapping[str, AgentRun] = field(default_factory=dict)
    ticket: Mapping[str, Any] = field(default_factory=dict)
    change: Changeset = field(default_factory=changeset)
    beats: int = 3
    beat_s: float = 30.0

    def world(self, points: Points | None = None) -> World:
        """The ticket, labelled, and nothing done yet."""
        world = World(points or Points(), CATALOGUE, dict(self.answers))
        world.beats, world.beat_s = self.beats, self.beat_s
        self.put_into(world, "10001", "DEMO-1")
        return world

    def put_into(self, world: World, identity: str, key: str) -> None:
        """One more ticket of this kind in that world."""
        ticket: dict[str, Any] = {"labels": frozenset({*self.labels, "customer"}), **self.ticket}
        world.tracker.add(issue(id=identity, key=key, **ticket))
        world.pull_requests.subjects[42] = subject()
        world.pull_requests.lines["shop/cart.py"] = {7: "x"}
        world.cloner.checkout = FakeCheckout(self.change)


def _answers(name: str, **changes: Any) -> dict[str, AgentRun]:
    return {name: agent_run(result=cli_result(**changes))}


_INVESTIGATED = _answers("investigate", structured_output=REPORT)
_FIXED = _answers("fix", structured_output=REPORT)
_CHAIN = {**_answers("recommend", structured_output=REPORT), **_FIXED}
_REVIEWED = _answers("code_review", structured_output=REVIEW)
_NAMED = {"description": "Look at PR #42."}
_CANCELLED = {"investigate": replace(agent_run(result=None, exit_status=143), stop=Stop.CANCELLED)}

SCENARIOS = (
    Scenario("comment", ("ai-investigate",), {"investigate": Expected()}, _INVESTIGATED),
    Scenario(
        "long comment",
        ("ai-investigate",),
        {"investigate": Expected(parts=3)},
        _answers("investigate", result=LONG_TEXT),
    ),
    Scenario("pull request", ("ai-fix",), {"fix": Expected(pull_requests=1)}, _FIXED),
    Scenario(
        "draft pull request",
        ("ai-fix",),
        {"fix": Expected(pull_requests=1)},
        _FIXED,
        change=changeset(changes=(FileChange.written("run.sh", FileMode.EXECUTABLE, b"#!/bin/sh\n"),)),
    ),
    Scenario("review", ("ai-code-review",), {"code_review": Expected(reviews=1)}, _REVIEWED, _NAMED),
    Scenario(
        "wrong type",
        ("ai-investigate",),
        {"investigate": Expected(Outcome.REJECTED, runs=0)},
        ticket={"issue_type": "Epic"},
    ),
    Scenario(
        "no pull request named",
        ("ai-code-review",),
        {"code_review": Expected(Outcome.REJECTED, runs=0)},
    ),
    Scenario(
        "a chain",
        ("ai-recommend", "ai-fix"),
        {"recommend": Expected(), "fix": Expected(pull_requests=1, context=("recommend",))},
        _CHAIN,
    ),
    # The second agent is still at work when a result of the first job is delivered again.
    Scenario(
        "a slow chain",
        ("ai-recommend", "ai-fix"),
        {"recommend": Expected(), "fix": Expected(pull_requests=1, context=("recommend",))},
        _CHAIN,
        beats=8,
        beat_s=110.0,
    ),
    Scenario(
        "cancelled agent",
        ("ai-investigate",),
        {"investigate": Expected(Outcome.CANCELLED)},
        _CANCELLED,
    ),
    Scenario(
        "failing agent",
        ("ai-fix",),
        {"fix": Expected(Outcome.FAILED)},
        _answers("fix", is_error=True, subtype="error_max_turns"),
    ),
    Scenario(
        "blocked change",
        ("ai-fix",),
        {"fix": Expected(Outcome.BLOCKED)},
        _FIXED,
        change=changeset(blocked=(fault(),)),
    ),
)
named: Callable[[Scenario], str] = lambda scenario: scenario.name  # noqa: E731  # as pytest takes ids
