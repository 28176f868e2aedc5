"""What a hostile answer becomes on the ticket: plain text, whatever it imitates."""

import pytest
from tests.conformance.attack import Group
from tests.conformance.conftest import Play
from tests.conformance.rows_answer import PLAIN, TRICKS, Trick
from tests.conformance.rungs import RUNGS
from tests.conformance.table import GETS_THROUGH, NOT_EFFECTIVE, Ending, Line

from orchestrator.adapters.markdown_adf import to_adf
from orchestrator.domain.wall import Rung

BY = "markdown_adf: an allow-list of plain nodes"


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name.replace(" ", "-"))
def test_a_trick_that_had_worked_would_be_found(trick: Trick) -> None:
    assert trick.worked(trick.document)


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name.replace(" ", "-"))
def test_an_answer_is_made_plain(trick: Trick, rung: Rung, played: Play, lines: list[Line]) -> None:
    run = played(rung, Group.READ)
    assert run.result.report is not None
    assert trick.text in run.result.report["tricks"]
    worked = trick.worked(to_adf(run.comment))
    control = GETS_THROUGH if trick.worked(trick.document) else NOT_EFFECTIVE
    ending = Ending.FAILED if worked else Ending.HARMLESS
    lines.append(Line(f"answer: {trick.name}", rung, control, BY, f"- {PLAIN}", ending))
    assert not worked
