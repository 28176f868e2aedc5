"""The doctor tries the walls of this machine as a worker would."""

from dataclasses import dataclass
from typing import ClassVar

from tests.integration.agents import RUNGS

from alm.doctor.machine import probed
from orchestrator.adapters.wall.no_wall import NoWall
from orchestrator.domain.wall import Answer, Rung


@dataclass(frozen=True)
class Pretended(NoWall):
    """Says it is a wall and is none."""

    rung: ClassVar[Rung] = Rung.BUBBLEWRAP


def test_a_wall_that_stands_is_found_available() -> None:
    assert probed(RUNGS["bubblewrap"]).answer is Answer.AVAILABLE


def test_a_wall_that_is_none_is_denied_with_what_got_through() -> None:
    probe = probed(Pretended())
    assert probe.answer is Answer.DENIED
    assert "a program behind it could" in probe.reason
