"""What a person sees of a running stack."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from tests.fakes.clock import FakeClock

from alm.terminal import Terminal

JOB = {
    "job_id": "DEMO-1-fix-1",
    "issue_key": "DEMO-1",
    "action": "fix",
    "service": "run_job",
    "level": "INFO",
}


def _line(message: str, **fields: object) -> bytes:
    return json.dumps({**JOB, "message": message, **fields}).encode()


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def _terminal(out: io.StringIO, *, verbose: bool = False, logs_dir: Path | None = None) -> Terminal:
    return Terminal(verbose, logs_dir, Console(file=out, width=200, highlight=False), FakeClock().monotonic)


def test_what_people_wait_for_is_said_in_words(out: io.StringIO) -> None:
    terminal = _terminal(out)
    for line in (_line("job.queued"), _line("job.taken"), _line("job.ended", outcome="succeeded")):
        terminal.log(line)
    assert out.getvalue().splitlines() == [
        "DEMO-1  queued fix",
        "DEMO-1  started fix",
        "DEMO-1  fix ended: succeeded",
    ]


def test_other_lines_are_for_the_verbose(out: io.StringIO) -> None:
    quiet, chatty = _terminal(out), _terminal(io.StringIO(), verbose=True)
    for terminal in (quiet, chatty):
        terminal.log(_line("job.phase", phase="clone"))
    assert out.getvalue() == ""
    assert "job.phase" in chatty.console.file.getvalue()  # type: ignore[attr-defined]


def test_warnings_are_always_said(out: io.StringIO) -> None:
    _terminal(out).log(_line("permission.denied", level="WARNING", tool="Read"))
    assert out.getvalue().startswith("WARNING: DEMO-1  permission.denied action=fix tool=Read")


def test_a_running_job_has_one_progress_line_with_its_phase(out: io.StringIO) -> None:
    terminal = _terminal(out)
    terminal.log(_line("job.taken"))
    assert terminal.progress() == ("DEMO-1  fix  starting  00:00",)
    terminal.log(_line("job.phase", phase="agent"))
    assert terminal.progress() == ("DEMO-1  fix  agent at work  00:00",)
    terminal.log(_line("agent.finished", outcome="succeeded"))
    assert terminal.progress() == ()


def test_what_strangers_wrote_moves_no_cursor_and_styles_nothing(out: io.StringIO) -> None:
    terminal = _terminal(out)
    terminal.say("[red]x[/red] \x1b[2J\x9b31m\u202e")
    assert out.getvalue() == "[red]x[/red] \ufffd[2J\ufffd31m\ufffd\n"


def test_a_line_that_is_no_json_is_shown_and_kept(out: io.StringIO, tmp_path: Path) -> None:
    with _terminal(out, logs_dir=tmp_path / "logs") as terminal:
        terminal.log(b"Traceback (most recent call last):\n")
        terminal.log(b"\xff[1]\n")
    assert "ERROR: " in out.getvalue()
    assert "Traceback" in (tmp_path / "logs" / "stack.jsonl").read_text()


def test_each_function_has_a_log_file_and_no_name_leaves_the_folder(out: io.StringIO, tmp_path: Path) -> None:
    with _terminal(out, logs_dir=tmp_path) as terminal:
        terminal.log(_line("job.taken"))
        terminal.log(_line("job.taken", service="../../evil"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run_job.jsonl", "stack.jsonl"]
    assert json.loads((tmp_path / "run_job.jsonl").read_text())["message"] == "job.taken"


def test_a_metric_is_for_the_file_only(out: io.StringIO, tmp_path: Path) -> None:
    line = json.dumps({"_aws": {}, "service": "run_job", "Jobs": [1.0]})
    _terminal(out, verbose=True, logs_dir=tmp_path).log(line.encode())
    assert out.getvalue() == ""
    assert json.loads((tmp_path / "run_job.jsonl").read_text())["Jobs"] == [1.0]
