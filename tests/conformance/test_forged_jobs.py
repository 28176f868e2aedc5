"""A job is what the poll made of the issue it read. Everything else is refused; the control shows that it acts."""

import pytest
from tests.conformance.rows_jobs import TRICKS, JobTrick
from tests.conformance.table import GETS_THROUGH, NOT_EFFECTIVE, Ending, Line


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name.replace(" ", "-"))
def test_a_forged_or_replayed_job_has_no_effect(trick: JobTrick, lines: list[Line]) -> None:
    works, gets_through = trick.act(True), trick.act(False)  # noqa: FBT003  # the control, then the attack
    control = GETS_THROUGH if works else NOT_EFFECTIVE
    ending = Ending.FAILED if gets_through else Ending.HELD
    lines.append(
        Line(f"job: {trick.name}", trick.who, control, trick.refused_by, "job.forged or left", ending)
    )
    assert works
    assert not gets_through
