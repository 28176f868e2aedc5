"""Every attack on every rung: it does not get through, it is counted, and the host is as it was."""

import pytest
from tests.conformance.attack import WON, Attack, Group
from tests.conformance.conftest import Play
from tests.conformance.play import Played
from tests.conformance.rungs import RUNGS
from tests.conformance.table import ATTACKS, LONGEST_REASON, Ending, Line

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
    """Who said no, in the last words that were heard, on one line."""
    if attack.source in _SAYS_NO:
        return _SAYS_NO[attack.source]
    if attack.group is Group.CROWD:
        return "the supervisor, which ended the run"
    said = [line.strip() for output in run.outputs(attack) for line in output.splitlines() if line.strip()]
    last = (said[-1] if said else "").partition(" Note: ")[0]
    _, _, words = last.rpartition(": ")
    return (words or last)[:LONGEST_REASON]


def _line(attack: Attack, rung: Rung, run: Played, faults: list[str]) -> Line:
    ending = _ending(attack, rung, faults)
    sources = ", ".join(sorted({denial.source.value for denial in run.denials(attack)}))
    unrefused = attack.why_uncounted or attack.by_nature.get(rung)
    counted = sources or (f"- {unrefused}" if unrefused else "NOT COUNTED")
    blocked = "not on this rung" if ending is Ending.EXCUSED else _reason(run, attack)
    return Line(attack.name, rung, f"FAILED {blocked}" if faults else blocked, counted, ending)


def _ending(attack: Attack, rung: Rung, faults: list[str]) -> Ending:
    if faults:
        return Ending.FAILED
    if rung in attack.by_nature:
        return Ending.EXCUSED
    return Ending.HARMLESS if attack.source is None else Ending.HELD


def _faults(attack: Attack, rung: Rung, run: Played) -> list[str]:
    """Everything that is wrong with how the attack ended."""
    outputs = run.outputs(attack)
    harm = [what for what in run.harm if attack.slug in what]
    got_through = [f"got through: {output[:300]}" for output in outputs if WON in output]
    tried = len(outputs) == len(attack.calls) or (attack.ends_the_run and bool(run.transcript))
    untried = [] if tried else [f"was not tried: {run.result.verdict}"]
    uncounted = [] if _is_counted(attack, run) else [f"not counted: {outputs}"]
    wrong = [*got_through, *uncounted]
    if rung in attack.by_nature:
        # So that an excuse does not outlive its reason.
        wrong = [] if wrong else ["is held by this rung after all"]
    return [*harm, *untried, *wrong]


def _is_counted(attack: Attack, run: Played) -> bool:
    sources = {denial.source for denial in run.denials(attack)}
    return bool(attack.why_uncounted) if attack.source is None else attack.source in sources


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.slug)
def test_an_attack_is_blocked_and_counted_and_changes_nothing(
    attack: Attack, rung: Rung, played: Play, lines: list[Line]
) -> None:
    run = played(rung, attack.group)
    faults = _faults(attack, rung, run)
    lines.append(_line(attack, rung, run, faults))
    assert not faults
