"""The ladder's order, and what people are told of the wall an agent ran behind."""

import pytest

from orchestrator.domain.wall import Answer, Probe, Rung, reasons, standing, warning

DENIED = Probe(rung=Rung.BUBBLEWRAP, answer=Answer.DENIED, reason="the worker's machine does not allow it")
UNSURE = Probe(rung=Rung.LANDLOCK, answer=Answer.UNDETERMINED, reason="it did not answer in time")
STANDS = Probe(rung=Rung.SECCOMP, answer=Answer.AVAILABLE)


@pytest.mark.parametrize(
    ("floor", "accepted"),
    [
        (Rung.BUBBLEWRAP, [Rung.BUBBLEWRAP]),
        (Rung.LANDLOCK, [Rung.BUBBLEWRAP, Rung.LANDLOCK]),
        (Rung.SECCOMP, [Rung.BUBBLEWRAP, Rung.LANDLOCK, Rung.SECCOMP]),
        (Rung.VM_BOUNDARY, list(Rung)),
    ],
)
def test_a_floor_accepts_itself_and_every_stronger_wall(floor: Rung, accepted: list[Rung]) -> None:
    assert [rung for rung in Rung if rung.is_accepted_by(floor)] == accepted


def test_only_a_plain_answer_is_a_wall() -> None:
    assert standing((DENIED, UNSURE, STANDS)) is Rung.SECCOMP
    assert standing((DENIED, UNSURE)) is None


def test_a_refusal_names_each_wall_and_why_it_could_not_be_built() -> None:
    assert reasons((DENIED, UNSURE)) == (
        "bubblewrap: the worker's machine does not allow it; landlock: it did not answer in time"
    )


def test_people_are_warned_where_there_was_no_wall_and_only_there() -> None:
    assert "No wall stood around the agent" in warning(Rung.VM_BOUNDARY)
    assert [warning(rung) for rung in (*list(Rung)[:3], None)] == [""] * 4
