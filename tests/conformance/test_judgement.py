"""The judgement of a row can fail: every way in which a row proves nothing is found."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.builders import denial, job_result
from tests.conformance.attack import PYTHON_WON, WON, Attack, Group, bash, hidden, python, wins
from tests.conformance.control import Controlled, Said
from tests.conformance.judgement import control_faults, faults, is_excused
from tests.conformance.play import Played
from tests.fakes.events import FakeEvents

from alm.standins.model import ToolCall
from orchestrator.domain.agent import Source, target_of
from orchestrator.domain.wall import Rung

TWO = Attack("two files", (wins("cat /a", "cat /b"),), refusal="Permission denied")
REFUSED = "cat: /a: Permission denied\ncat: /b: Permission denied"
REACHED = Controlled((Said(f"a\n{WON}\n", 14),), ())


def played(attack: Attack, *outputs: str, **changes: Any) -> Played:
    """A run in which each call of the attack was answered so, and counted as one denial."""
    calls = attack.filled({})
    denials = (denial(tool="Bash", source=Source.KERNEL, target=target_of(calls[0].input)),)
    return Played(
        result=job_result(denials=changes.pop("denials", denials)),
        comment="",
        transcript="\n".join(_transcript(calls, outputs)),
        requests=(),
        events=FakeEvents(),
        calls={attack.name: calls},
        harm=changes.pop("harm", ()),
        secrets={},
    )


def _transcript(calls: tuple[ToolCall, ...], outputs: tuple[str, ...]) -> Iterator[str]:
    for number, (call, output) in enumerate(zip(calls, outputs, strict=True)):
        used = {"type": "tool_use", "id": str(number), "name": call.name, "input": call.input}
        yield json.dumps({"message": {"content": [used]}})
        answered = {"type": "tool_result", "tool_use_id": str(number), "content": output}
        yield json.dumps({"message": {"content": [answered]}})


def test_a_row_that_is_refused_as_expected_holds() -> None:
    assert faults(TWO, Rung.LANDLOCK, played(TWO, REFUSED)) == []


@pytest.mark.parametrize(
    "output",
    [
        "cat: /a: Permission denied",
        "cat: /a: No such file or directory\ncat: /b: No such file or directory",
        "cat: command not found\ncat: command not found",
        f"{REFUSED}\n{WON}",
        "",
    ],
    ids=["one of two", "another refusal", "a broken attack", "got through", "silence"],
)
def test_a_row_that_is_not_refused_as_expected_does_not_hold(output: str) -> None:
    assert faults(TWO, Rung.LANDLOCK, played(TWO, output))


@pytest.mark.parametrize(
    "counted",
    [(), (denial(tool="Bash", source=Source.RULE),), (denial(tool="Read", source=Source.KERNEL),)],
    ids=["not counted", "another source", "another tool"],
)
def test_a_row_that_is_not_counted_as_expected_does_not_hold(counted: Any) -> None:
    target = target_of(TWO.filled({})[0].input)
    denials = tuple(one.model_copy(update={"target": target}) for one in counted)
    assert faults(TWO, Rung.LANDLOCK, played(TWO, REFUSED, denials=denials))


def test_a_row_that_leaves_something_does_not_hold() -> None:
    assert faults(TWO, Rung.LANDLOCK, played(TWO, REFUSED, harm=("file /usr/bin/c0-two-files",)))


def test_an_excuse_that_is_not_needed_is_a_fault() -> None:
    excused = replace(TWO, by_nature={"landlock": "any user may"})
    assert faults(excused, Rung.LANDLOCK, played(excused, REFUSED)) == ["is held by this level after all"]
    assert faults(excused, Rung.LANDLOCK, played(excused, WON)) == []


def test_an_attack_without_effect_is_broken() -> None:
    assert control_faults(TWO, REACHED) == []
    assert control_faults(TWO, Controlled((Said("cat: /a: No such file", 20),), ()))
    assert control_faults(TWO, Controlled((), ()))


def test_each_call_of_an_attack_has_to_get_through() -> None:
    both = Controlled((*REACHED.said, Said("refused", 7)), ())
    assert control_faults(replace(TWO, calls=(*TWO.calls, bash("true"))), both)


def test_what_an_attack_leaves_shows_that_it_works() -> None:
    assert control_faults(TWO, Controlled((Said("", 0),), ("file /var/tmp/c0-two-files",))) == []


def test_a_control_is_excused_only_where_the_machine_says_what_it_lacks() -> None:
    marked = replace(TWO, no_control="the kernel is built without it", no_control_says="not implemented")
    lacking = Controlled((Said("Function not implemented", 24),), ())
    assert is_excused(marked, lacking)
    assert not is_excused(TWO, lacking)
    assert not is_excused(marked, REACHED)
    assert control_faults(marked, Controlled((Said("Permission denied", 17),), ()))


def test_a_flood_is_measured_and_not_read() -> None:
    flood = Attack("a flood", (bash("head -c 9 /dev/zero"),), None, Group.CHANGE, floods_bytes=9)
    assert control_faults(flood, Controlled((Said("", 9),), ())) == []
    assert control_faults(flood, Controlled((Said("", 8),), ()))


def test_every_command_that_could_get_through_has_to_be_refused_however_it_is_quoted() -> None:
    program = "cat /a && echo got-thr''ough; cat /b && echo got-thr''ough"
    assert [TWO.refusals_in(call) for call in (wins("a", "b", "c"), hidden(program), python("1"))] == [
        3,
        2,
        1,
    ]
    assert "got-thr" in PYTHON_WON
