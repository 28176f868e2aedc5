"""How a run ends that does not end by itself: deadline, cancellation, and programs that misbehave."""

import tempfile
from pathlib import Path

import pytest
from tests.contract.gateway_client import Hours
from tests.integration.agents import (
    REPORT,
    ask,
    bash,
    claude,
    processes_with,
    reports,
    script_cli,
    task,
    turns,
)

from alm.standins.model import Conversation, Turn
from orchestrator.adapters.agent import supervision
from orchestrator.adapters.wall.bubblewrap import Bubblewrap
from orchestrator.adapters.wall.sandbox import Sandbox
from orchestrator.domain.agent import Stop
from orchestrator.domain.ledger import Spent
from orchestrator.domain.wall import Probe, Rung
from orchestrator.errors import JobFailed, SandboxRefused

NEVER = turns(Turn(think_s=60))


@pytest.mark.parametrize("reason", [Stop.CANCELLED, Stop.INTERRUPTED])
def test_a_run_ended_early_keeps_its_cost_and_result(workspace: Path, reason: Stop) -> None:
    asked = task(workspace)

    def script(conversation: Conversation) -> Turn:
        if conversation.step == 0:
            return bash("echo one")
        asked.halt.ask(reason)
        return Turn(think_s=60)

    run = ask(script, asked).run
    assert run.stop is reason
    assert run.result is not None
    assert run.cost_usd is not None
    assert run.cost_usd > 0


def test_a_run_at_its_deadline_keeps_its_cost_and_result(workspace: Path) -> None:
    hours = Hours()

    def script(conversation: Conversation) -> Turn:
        if conversation.step == 0:
            return bash("echo one")
        hours.now += 10_000
        return Turn(think_s=60)

    run = ask(script, task(workspace), clock=hours).run
    assert run.stop is Stop.DEADLINE
    assert run.result is not None
    assert run.spent is not None
    assert run.spent.requests == 2
    assert run.cost_usd is not None
    assert run.cost_usd > 0


def test_the_deadline_is_the_shorter_of_the_actions_and_the_deployments(
    workspace: Path, tmp_path: Path
) -> None:
    cli = script_cli(tmp_path, "exec sleep 60")
    for timeout_minutes, timeout_s in ((0.005, 600.0), (10, 0.3)):
        ran = ask(NEVER, task(workspace, timeout_minutes=timeout_minutes), cli, timeout_s=timeout_s)
        assert ran.run.stop is Stop.DEADLINE
        assert 300 <= ran.run.duration_ms < 10_000


def test_a_run_that_is_to_end_before_it_begins_is_not_started_and_not_told_of(
    workspace: Path, tmp_path: Path
) -> None:
    asked, told = task(workspace), list[object]()
    asked.halt.ask(Stop.INTERRUPTED)
    agent = claude("http://127.0.0.1:9", script_cli(tmp_path, "touch /workspace/started"))
    run = agent.run(asked, tmp_path / "transcript", told.append)
    assert (run.stop, run.result, run.spent, run.cost_usd) == (Stop.INTERRUPTED, None, Spent(), 0)
    assert (told, (tmp_path / "transcript").read_bytes()) == ([], b"")
    assert [path.name for path in workspace.iterdir()] == ["README.md"]


def test_a_run_that_is_to_end_while_its_wall_is_built_is_not_started(workspace: Path, tmp_path: Path) -> None:
    asked = task(workspace, "fix")

    def tell(probes: tuple[Probe, ...]) -> None:
        assert probes
        asked.halt.ask(Stop.CANCELLED)

    agent = claude("http://127.0.0.1:9", script_cli(tmp_path, "touch /workspace/started"))
    run = agent.run(asked, tmp_path / "transcript", tell)
    assert (run.stop, run.spent, run.sandbox) == (Stop.CANCELLED, Spent(), Rung.BUBBLEWRAP)
    assert [path.name for path in workspace.iterdir()] == ["README.md"]


def test_what_the_listener_raises_keeps_the_agent_from_starting_and_leaves_nothing(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell(probes: tuple[Probe, ...]) -> None:
        del probes
        assert list(rooms.iterdir())
        raise JobFailed("no money")

    rooms = tmp_path / "rooms"
    rooms.mkdir()
    rooms.chmod(0o711)
    monkeypatch.setattr(tempfile, "tempdir", str(rooms))
    agent = claude("http://127.0.0.1:9", script_cli(tmp_path, "touch /workspace/started"))
    with pytest.raises(JobFailed, match="no money"):
        agent.run(task(workspace, "fix"), tmp_path / "transcript", tell)
    assert [path.name for path in workspace.iterdir()] == ["README.md"]
    assert list(rooms.iterdir()) == []


def test_everything_behind_the_wall_is_gone_afterwards(sandbox: Sandbox, workspace: Path) -> None:
    marker = "sleep 98765"
    command = f"(setsid {marker} >/dev/null 2>&1 &); (nohup {marker} >/dev/null 2>&1 &); echo started"
    ran = ask(turns(bash(command), reports(REPORT)), task(workspace), sandbox=sandbox)
    assert "started" in ran.transcript
    assert processes_with(marker) == []


def test_a_program_that_ignores_every_polite_signal_is_killed(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        supervision, "ESCALATION", tuple((signal, 0.3) for signal, _ in supervision.ESCALATION)
    )
    cli = script_cli(tmp_path, "trap '' INT TERM; while true; do sleep 12345; done")
    ran = ask(NEVER, task(workspace), cli, timeout_s=0.5)
    assert ran.run.stop is Stop.DEADLINE
    assert ran.run.result is None
    assert ran.run.duration_ms < 5000
    assert processes_with("sleep 12345") == []


def test_a_program_that_ends_on_sigint_is_not_terminated(workspace: Path, tmp_path: Path) -> None:
    (workspace / "result").write_text('{"type": "result", "total_cost_usd": 1}\n')
    cli = script_cli(tmp_path, "trap 'cat /workspace/result; exit 0' INT; while true; do sleep 0.1; done")
    ran = ask(NEVER, task(workspace), cli, timeout_s=0.5)
    assert ran.run.cost_usd == 1
    assert ran.run.exit_status == 0


def test_a_program_that_exits_non_zero_has_no_result(workspace: Path, tmp_path: Path) -> None:
    ran = ask(NEVER, task(workspace), script_cli(tmp_path, "echo trouble >&2; exit 3"))
    assert ran.run.exit_status == 3
    assert ran.run.result is None
    assert '"stderr"' in ran.transcript
    assert "trouble" in ran.transcript


def test_half_a_line_is_no_result(workspace: Path, tmp_path: Path) -> None:
    ran = ask(NEVER, task(workspace), script_cli(tmp_path, """printf '{"type":"result","is_err'"""))
    assert ran.run.result is None
    assert ran.run.exit_status == 0


def test_a_program_that_never_reads_its_prompt_blocks_nobody(workspace: Path, tmp_path: Path) -> None:
    ran = ask(NEVER, task(workspace, prompt="x" * 1_000_000), script_cli(tmp_path, "exit 0"))
    assert ran.run.exit_status == 0


def test_endless_output_is_read_without_end_or_memory(workspace: Path, tmp_path: Path) -> None:
    cli = script_cli(tmp_path, "head -c 50000000 /dev/zero | tr '\\0' x; head -c 50000000 /dev/zero >&2")
    ran = ask(NEVER, task(workspace), cli)
    assert ran.run.result is None
    assert ran.run.exit_status == 0


def test_the_rest_of_a_line_that_is_too_long_is_no_message(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "LONGEST_LINE", 1000)
    forged = """printf '%1000s{"type": "result", "total_cost_usd": 0}\\n' x"""
    ran = ask(NEVER, task(workspace), script_cli(tmp_path, forged))
    assert ran.run.result is None
    plain = """printf '%998s\\n{"type": "result", "total_cost_usd": 0}\\n' x"""
    assert ask(NEVER, task(workspace), script_cli(tmp_path, plain)).run.cost_usd == 0


def test_a_transcript_is_kept_up_to_its_bound_and_read_beyond_it(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "LARGEST_TRANSCRIPT", 10_000)
    talks = (
        """for n in {1..100}; do printf '%999s\\n' x; done; echo '{"type": "result", "total_cost_usd": 3}'"""
    )
    ran = ask(NEVER, task(workspace), script_cli(tmp_path, talks))
    assert len(ran.transcript) == 10_000
    assert ran.run.cost_usd == 3


def test_a_missing_cli_is_a_failed_job_in_plain_words(workspace: Path, tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match="CLI is not installed"):
        ask(NEVER, task(workspace), tmp_path / "nothing")


def test_a_machine_without_bubblewrap_refuses(workspace: Path, tmp_path: Path) -> None:
    with pytest.raises(SandboxRefused, match="bubblewrap"):
        ask(NEVER, task(workspace), sandbox=Bubblewrap(path=str(tmp_path)))


def test_a_machine_that_refuses_namespaces_refuses_the_job(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    with pytest.raises(SandboxRefused, match="does not allow"):
        ask(NEVER, task(workspace), sandbox=Bubblewrap(path=f"{tmp_path}:/usr/bin:/bin"))
