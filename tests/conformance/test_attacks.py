"""Every attack on every level: it is refused as it says and counted as it says, and the host is as it was."""

import pytest
from tests.conformance.attack import Attack
from tests.conformance.conftest import Controls, Play
from tests.conformance.judgement import control_faults, faults, is_excused
from tests.conformance.play import Played
from tests.conformance.rungs import RUNGS
from tests.conformance.table import (
    ATTACKS,
    GETS_THROUGH,
    LONGEST_REASON,
    NOT_EFFECTIVE,
    Control,
    Ending,
    Line,
)

from orchestrator.domain.agent import Source
from orchestrator.domain.wall import Rung

_SAYS_NO = {
    Source.EGRESS: "the gateway",
    Source.BUDGET: "the gateway",
    Source.RULE: "the CLI, by our settings",
    Source.MODE: "the CLI, which asks nobody",
    Source.TOOL_REMOVED: "the CLI, which has no such tool",
}


def _reason(run: Played, attack: Attack) -> str:
    """What refused it, in the last words that were printed, on one line."""
    if attack.source in _SAYS_NO:
        return _SAYS_NO[attack.source]
    if attack.is_stopped:
        return "the supervisor, which ended the run"
    said = [line.strip() for output in run.outputs(attack) for line in output.splitlines() if line.strip()]
    last = (said[-1] if said else "").partition(" Note: ")[0]
    _, _, words = last.rpartition(": ")
    return (words or last)[:LONGEST_REASON]


def _line(attack: Attack, rung: Rung, run: Played, control: Control, ending: Ending) -> Line:
    sources = ", ".join(sorted({denial.source.value for denial in run.denials(attack)}))
    unrefused = attack.why_uncounted or attack.by_nature.get(rung)
    counted = sources or (f"- {unrefused}" if unrefused else "NOT COUNTED")
    blocked = "not on this level" if ending is Ending.EXCUSED else _reason(run, attack)
    return Line(attack.name, rung, control, blocked, counted, ending)


def _ending(attack: Attack, rung: Rung, found: list[str]) -> Ending:
    if found:
        return Ending.FAILED
    if rung in attack.by_nature:
        return Ending.EXCUSED
    return Ending.HARMLESS if attack.source is None else Ending.HELD


def _control(attack: Attack, controls: Controls) -> Control:
    ended = controls(attack)
    if is_excused(attack, ended):
        return Control.excused_by(attack.no_control)
    return NOT_EFFECTIVE if control_faults(attack, ended) else GETS_THROUGH


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.slug)
def test_an_attack_gets_through_where_there_is_no_sandbox(attack: Attack, controls: Controls) -> None:
    assert control_faults(attack, controls(attack)) == []


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.slug)
def test_an_attack_is_refused_as_expected_and_counted_and_changes_nothing(
    attack: Attack, rung: Rung, played: Play, controls: Controls, lines: list[Line]
) -> None:
    run = played(rung, attack.group)
    found = faults(attack, rung, run)
    lines.append(_line(attack, rung, run, _control(attack, controls), _ending(attack, rung, found)))
    assert not found
