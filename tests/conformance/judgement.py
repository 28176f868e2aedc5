"""What makes a row of the table hold: it was refused as it says, counted as it says, and changed nothing."""

import re
from collections.abc import Iterator

from tests.conformance.attack import Attack
from tests.conformance.control import Controlled
from tests.conformance.play import Played

from orchestrator.domain.agent import Denial, Source
from orchestrator.domain.wall import Rung

_SHOWN = 600
_OF_THE_GATEWAY = frozenset({Source.EGRESS, Source.BUDGET})


def faults(attack: Attack, rung: Rung, run: Played) -> list[str]:
    """Everything that is wrong with how the attack ended behind a sandbox."""
    excused = rung in attack.by_nature
    wrong = [*_got_through(attack, run), *_not_refused(attack, rung, run), *_not_counted(attack, run)]
    if excused:
        # So that an excuse does not outlive its reason.
        wrong = [] if _got_through(attack, run) else ["is held by this level after all"]
    harm = [what for what in run.harm if attack.slug in what]
    return [*harm, *_not_tried(attack, run), *wrong]


def control_faults(attack: Attack, control: Controlled) -> list[str]:
    """What is wrong with the attack itself: without a sandbox it has to get through."""
    said = [one.text[-_SHOWN:] for one in control.said]
    if control.got_through(attack) or is_excused(attack, control):
        return []
    return [f"does not get through without a sandbox: {said}"]


def is_excused(attack: Attack, control: Controlled) -> bool:
    """Whether the machine lacks what the attack needs, and says so."""
    if not attack.no_control or control.got_through(attack):
        return False
    return any(re.search(attack.no_control_says, one.text) for one in control.said)


def _not_tried(attack: Attack, run: Played) -> Iterator[str]:
    ended = attack.ends_the_run and bool(run.transcript)
    if len(run.outputs(attack)) != len(attack.calls) and not ended:
        yield f"was not tried: {run.result.verdict}"


def _got_through(attack: Attack, run: Played) -> list[str]:
    return [f"got through: {output[:_SHOWN]}" for output in run.outputs(attack) if attack.shown_in(output)]


def _not_refused(attack: Attack, rung: Rung, run: Played) -> Iterator[str]:
    """Each call has to be answered by the refusal that is expected, as often as it could have got through."""
    if attack.is_stopped:
        return
    for call, output in zip(attack.calls, run.outputs(attack), strict=False):
        expected, found = (
            attack.refusals_in(call),
            len(re.findall(attack.refusal_on(rung), output, re.MULTILINE)),
        )
        if found < expected:
            yield f"{found} refusals of {expected} as {attack.refusal_on(rung)!r} in: {output[:_SHOWN]}"


def _not_counted(attack: Attack, run: Played) -> Iterator[str]:
    """The denials that are this attack's have to be of the source and of the tool that refuse it, and no others."""
    denials = run.denials(attack)
    if attack.source is None:
        yield from (f"counted, though nothing is refused: {denial}" for denial in denials)
        return
    if not denials:
        yield "not counted"
    yield from (f"counted as {one}" for one in denials if not _is_as_expected(attack, one))


def _is_as_expected(attack: Attack, denial: Denial) -> bool:
    return denial.source is attack.source and denial.tool == _refused_tool(attack)


def _refused_tool(attack: Attack) -> str:
    if attack.source in _OF_THE_GATEWAY:
        return "gateway"
    return "agent" if attack.is_stopped else attack.refused_tool or attack.calls[0].name
