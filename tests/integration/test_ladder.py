"""Which wall an agent gets on machines that lack one thing after another, and that none means no agent."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from alm.environment import ROOT
from orchestrator.domain.wall import Answer, Probe, Rung

PATHS = ":".join(str(ROOT / folder) for folder in (".", "layers/core", "infra/local"))
EVERYTHING = ("namespaces", "landlock")

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root has a user of its own to give to an agent"
)


def climbed(floor: Rung, *lacks: str) -> tuple[Mapping[Rung, Answer], str]:
    """What each rung answered on a machine that lacks these, and what was said instead of starting an agent."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.platform", floor, *lacks],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": PATHS, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    probes = map(Probe.model_validate_json, done.stdout.splitlines())
    return {probe.rung: probe.answer for probe in probes}, done.stderr


@pytest.mark.parametrize(
    ("lacks", "probed"),
    [
        ((), {Rung.BUBBLEWRAP: Answer.AVAILABLE}),
        (("namespaces",), {Rung.BUBBLEWRAP: Answer.DENIED, Rung.LANDLOCK: Answer.AVAILABLE}),
        (
            EVERYTHING,
            {Rung.BUBBLEWRAP: Answer.DENIED, Rung.LANDLOCK: Answer.DENIED, Rung.SECCOMP: Answer.AVAILABLE},
        ),
    ],
)
def test_the_strongest_wall_that_the_machine_has_is_built(
    lacks: tuple[str, ...], probed: Mapping[Rung, Answer]
) -> None:
    assert climbed(Rung.SECCOMP, *lacks) == (probed, "")


@pytest.mark.parametrize("floor", [Rung.BUBBLEWRAP, Rung.LANDLOCK])
def test_no_wall_below_the_floor_is_built(floor: Rung) -> None:
    probed, said = climbed(floor, *EVERYTHING)
    assert set(probed.values()) == {Answer.DENIED}
    assert list(probed)[-1] is floor
    assert "No wall could be built around the agent" in said
    assert f"{floor}: " in said
    assert "It was not started." in said


def test_a_worker_that_can_build_none_starts_no_agent() -> None:
    probed, said = climbed(Rung.SECCOMP, *EVERYTHING, "root")
    assert probed == dict.fromkeys((Rung.BUBBLEWRAP, Rung.LANDLOCK, Rung.SECCOMP), Answer.DENIED)
    assert "does not run as root" in said


def test_the_machine_is_the_boundary_only_where_a_deployment_says_so_and_nothing_better_is_there() -> None:
    assert climbed(Rung.VM_BOUNDARY) == ({Rung.BUBBLEWRAP: Answer.AVAILABLE}, "")
    probed, said = climbed(Rung.VM_BOUNDARY, *EVERYTHING, "root")
    assert probed[Rung.VM_BOUNDARY] is Answer.AVAILABLE
    assert said == ""
