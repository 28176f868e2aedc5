"""What the doctor makes of what it sees of this machine, and how checks are run."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from tests.builders import action

from alm.doctor import _say, machine, money
from alm.doctor.finding import Finding, Grade, examined, fault, ok, warning
from alm.environment import ROOT
from orchestrator.domain.money import Limits
from orchestrator.domain.wall import Answer, Probe, Rung
from orchestrator.errors import ConfigError

PINNED = machine.pinned_version()


def probes(**answers: Answer) -> tuple[Probe, ...]:
    """What each rung came to; those not named are denied."""
    rungs = (Rung.BUBBLEWRAP, Rung.LANDLOCK, Rung.SECCOMP)
    return tuple(Probe(rung=rung, answer=answers.get(rung.name.lower(), Answer.DENIED)) for rung in rungs)


def breaks() -> Iterator[Finding]:
    yield ok("first", "came through")
    raise ConfigError("what to mend")


def crashes() -> Iterator[Finding]:
    raise ValueError("sk-ant-a-key-in-an-odd-answer")


def test_findings_come_in_the_order_of_the_checks_and_a_check_that_breaks_ends_no_other() -> None:
    found = list(examined({"a": breaks, "b": crashes, "c": lambda: [ok("third", "well")]}, 60))
    assert [(one.topic, one.grade) for one in found] == [
        ("first", Grade.OK),
        ("a", Grade.FAULT),
        ("b", Grade.FAULT),
        ("third", Grade.OK),
    ]
    assert found[1].said == "what to mend"
    assert "sk-ant" not in str(found[2])


def test_a_check_that_does_not_answer_is_a_fault_and_is_not_waited_for() -> None:
    never = Event()

    def waits() -> Iterator[Finding]:
        never.wait()
        yield ok("never", "said")

    (found,) = examined({"jira": waits}, 0)
    never.set()
    assert (found.topic, found.grade) == ("jira", Grade.FAULT)
    assert "No answer within 0 s" in found.said


@pytest.mark.parametrize(
    ("version", "grade"),
    [
        ("bubblewrap 0.12.0", Grade.OK),
        ("bubblewrap 1.0.0", Grade.OK),
        ("bubblewrap 0.8.0", Grade.WARNING),
        ("bubblewrap 0.11.9", Grade.WARNING),
        ("", Grade.WARNING),
    ],
)
def test_a_bubblewrap_that_can_be_led_out_of_the_wall_is_a_warning(version: str, grade: Grade) -> None:
    assert machine.bubblewrap(version).grade is grade


def test_a_library_that_is_missing_is_a_warning_with_its_package() -> None:
    found = machine.library("libnowhere.so.1")
    assert (found.grade, found.mend) == (Grade.WARNING, "apt-get install libseccomp2")


@pytest.mark.parametrize(
    ("body", "grade"),
    [(f"echo '{PINNED} (Claude Code)'", Grade.OK), ("echo 1.0.0", Grade.WARNING), ("exit 1", Grade.WARNING)],
)
def test_a_cli_of_another_version_than_the_tested_one_is_a_warning(
    tmp_path: Path, body: str, grade: Grade
) -> None:
    cli = tmp_path / "claude"
    cli.write_text(f"#!/bin/sh\n{body}\n")
    cli.chmod(0o755)
    assert machine.claude(cli, PINNED).grade is grade


def test_a_program_that_is_asked_for_its_version_sees_no_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    program = tmp_path / "tells"
    program.write_text('#!/bin/sh\necho "it sees: $AWS_SECRET_ACCESS_KEY"\n')
    program.chmod(0o755)
    assert machine.said((str(program),)) == "it sees:"


def test_a_cli_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    assert machine.claude(tmp_path / "claude", PINNED).grade is Grade.FAULT


def test_the_tested_version_is_the_pinned_one() -> None:
    assert f"\nversion {PINNED}\n" in (ROOT / "infra" / "claude-code.pin").read_text()


@pytest.mark.parametrize(
    ("tried", "floor", "grade"),
    [
        (probes(bubblewrap=Answer.AVAILABLE), Rung.BUBBLEWRAP, Grade.OK),
        (probes(seccomp=Answer.AVAILABLE), Rung.SECCOMP, Grade.OK),
        (probes(seccomp=Answer.AVAILABLE), Rung.LANDLOCK, Grade.FAULT),
        (probes(), Rung.SECCOMP, Grade.FAULT),
        (probes(seccomp=Answer.UNDETERMINED), Rung.SECCOMP, Grade.FAULT),
        (probes(), Rung.VM_BOUNDARY, Grade.WARNING),
    ],
)
def test_a_machine_without_a_wall_that_the_floor_accepts_is_a_fault(
    tried: tuple[Probe, ...], floor: Rung, grade: Grade
) -> None:
    assert machine.accepted(tried, floor).grade is grade


def test_a_rung_with_a_hole_says_which() -> None:
    found = machine.rung(Probe(rung=Rung.BUBBLEWRAP, answer=Answer.DENIED, reason="a program could write"))
    assert (found.grade, found.said) == (Grade.WARNING, "denied: a program could write")


@pytest.mark.parametrize(
    ("ticket_usd", "day_usd", "variables"),
    [
        (3.0, 3.0, []),
        (2.99, 3.0, ["TICKET_BUDGET_USD"]),
        (3.0, 2.99, ["DAILY_BUDGET_USD"]),
        (1.0, 1.0, ["TICKET_BUDGET_USD", "DAILY_BUDGET_USD"]),
    ],
)
def test_an_action_that_costs_more_than_a_whole_budget_is_a_warning_that_names_it(
    ticket_usd: float, day_usd: float, variables: list[str]
) -> None:
    found = list(money.too_large((action(budget_usd=3),), Limits(ticket_usd, day_usd)))
    assert {(one.topic, one.grade) for one in found} <= {("budget of investigate", Grade.WARNING)}
    assert all(
        variable in one.said and variable in one.mend for one, variable in zip(found, variables, strict=True)
    )


def test_what_others_answered_is_shown_inert_and_without_credentials(
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = "sk-ant-" + "x" * 20
    for as_json in (False, True):
        _say([fault("jira", f"\x1b[2J[red]said {key}", "mend")], as_json=as_json)
        printed = capsys.readouterr().out
        assert "\x1b" not in printed
        assert key not in printed
        assert "[red]said" in printed


def test_every_line_that_is_not_ok_says_how_to_mend_it(capsys: pytest.CaptureFixture[str]) -> None:
    _say([ok("a", "well"), warning("b", "so so", "do this"), fault("c", "bad", "do that")], as_json=False)
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "ok a: well",
        "warning b: so so",
        "mend: do this",
        "fault c: bad",
        "mend: do that",
    ]
