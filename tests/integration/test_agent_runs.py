"""The real CLI in real bubblewrap through the gateway, against a scripted model."""

import os
from pathlib import Path

import pytest
from tests.integration.agents import KEY, REPORT, ask, bash, reports, task, turns

from alm.standins.model import ToolCall, Turn
from orchestrator.adapters.agent.claude_command import PLACEHOLDER
from orchestrator.adapters.wall.bubblewrap import Bubblewrap
from orchestrator.adapters.wall.sandbox import Sandbox
from orchestrator.adapters.wall.without_namespaces import Seccomp
from orchestrator.domain.agent import Source


def test_a_structured_result_comes_back_with_cost_model_and_turns(sandbox: Sandbox, workspace: Path) -> None:
    ran = ask(turns(reports(REPORT)), task(workspace), sandbox=sandbox)
    assert ran.run.exit_status == 0
    assert ran.run.report == REPORT
    assert ran.run.cost_usd is not None
    assert ran.run.cost_usd > 0
    assert ran.run.model
    assert ran.run.turns > 0
    assert ran.run.denials == ()


def test_the_gateway_adds_the_key_that_the_agent_never_holds(sandbox: Sandbox, workspace: Path) -> None:
    ran = ask(
        turns(bash("env; cat /proc/*/environ | tr '\\0' '\\n'"), reports(REPORT)),
        task(workspace),
        sandbox=sandbox,
    )
    assert [headers["x-api-key"] for headers, _ in ran.requests] == [KEY, KEY]
    assert PLACEHOLDER in ran.transcript
    assert KEY not in ran.transcript


def test_the_prompt_is_read_from_standard_input_and_may_be_a_megabyte(
    sandbox: Sandbox, workspace: Path
) -> None:
    prompt = "x " * 500_000 + "the end"
    ran = ask(turns(bash("ps ax -o args"), reports(REPORT)), task(workspace, prompt=prompt), sandbox=sandbox)
    assert ran.run.report == REPORT
    assert "the end" in str(ran.requests[0][1]["messages"])
    assert "x x x" not in ran.transcript


def test_a_read_only_action_cannot_write_the_workspace(sandbox: Sandbox, workspace: Path) -> None:
    ran = ask(
        turns(bash("echo changed > README.md; echo new > new"), reports(REPORT)),
        task(workspace),
        sandbox=sandbox,
    )
    assert [denial.source for denial in ran.run.denials] == [Source.KERNEL]
    assert [path.name for path in workspace.iterdir()] == ["README.md"]
    assert (workspace / "README.md").read_text() == "hello\n"


def test_a_read_write_action_writes_the_workspace_and_nothing_else(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    command = f"echo new > new; cat {tmp_path}/outside; touch /etc/x /usr/x /opt/x /x"
    report = {"summary": "s", "changes": [], "tests": [], "verify": "v", "criteria": []}
    ran = ask(turns(bash(command), reports(report)), task(workspace, "fix"))
    assert (workspace / "new").read_text() == "new\n"
    assert "No such file or directory" in ran.transcript
    assert ran.transcript.count("Read-only file system") >= 4
    assert "secret" not in ran.transcript


def test_only_the_gateway_answers_inside(workspace: Path) -> None:
    probe = (
        "for t in 127.0.0.1/8080 127.0.0.1/22 169.254.169.254/80 169.254.170.2/80 1.1.1.1/443; do "
        '(timeout 2 bash -c "</dev/tcp/$t" && echo "up:$t") 2>/dev/null || echo "down:$t"; done'
    )
    ran = ask(turns(bash(probe), reports(REPORT)), task(workspace))
    assert ran.transcript.count("up:127.0.0.1/8080\\n") > 0
    assert ran.transcript.count("down:") > 0
    assert "up:127.0.0.1/22" not in ran.transcript
    assert "up:1.1.1.1" not in ran.transcript
    assert "up:169" not in ran.transcript


def test_no_other_process_of_the_machine_is_seen_inside(workspace: Path) -> None:
    ran = ask(
        turns(bash("for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done"), reports(REPORT)),
        task(workspace),
    )
    assert "/opt/claude/claude" in ran.transcript
    assert "pytest" not in ran.transcript


def test_a_denied_tool_call_is_counted_once(workspace: Path) -> None:
    (workspace / ".env").write_text("SECRET=1")
    denied = Turn(tools=(ToolCall("Read", {"file_path": "/workspace/.env"}),))
    ran = ask(turns(denied, reports(REPORT)), task(workspace))
    assert [(denial.tool, denial.source, denial.target) for denial in ran.run.denials] == [
        ("Read", Source.RULE, "/workspace/.env")
    ]
    assert "SECRET=1" not in ran.transcript


def test_a_tool_the_action_does_not_have_is_counted(workspace: Path) -> None:
    removed = Turn(tools=(ToolCall("Write", {"file_path": "/workspace/x", "content": "x"}),))
    ran = ask(turns(removed, reports(REPORT)), task(workspace))
    assert [(denial.tool, denial.source) for denial in ran.run.denials] == [("Write", Source.TOOL_REMOVED)]


def test_the_repositorys_own_claude_configuration_is_not_read(sandbox: Sandbox, workspace: Path) -> None:
    (workspace / ".claude").mkdir()
    hook = '{"type": "command", "command": "echo HOOK-RAN >&2; touch /tmp/hook-ran"}'
    (workspace / ".claude" / "settings.json").write_text(
        f'{{"hooks": {{"SessionStart": [{{"hooks": [{hook}]}}]}}, "permissions": {{"allow": ["WebFetch"]}}}}'
    )
    (workspace / ".mcp.json").write_text(
        '{"mcpServers": {"x": {"command": "touch", "args": ["/tmp/mcp-ran"]}}}'
    )
    ran = ask(turns(bash("ls /tmp"), reports(REPORT)), task(workspace), sandbox=sandbox)
    assert ran.run.report == REPORT
    assert "hook-ran" not in ran.transcript
    assert "mcp-ran" not in ran.transcript


@pytest.mark.parametrize(
    ("limit", "subtype"), [("max_turns", "error_max_turns"), ("budget_usd", "error_max_budget_usd")]
)
def test_a_run_that_reaches_its_limit_says_which(workspace: Path, limit: str, subtype: str) -> None:
    smallest: dict[str, object] = {limit: {"max_turns": 1, "budget_usd": 0.001}[limit]}
    ran = ask(turns(bash("true")), task(workspace, "investigate", "Find it.", **smallest))
    assert ran.run.exit_status == 1
    assert ran.run.result is not None
    assert ran.run.result["subtype"] == subtype
    assert ran.run.cost_usd is not None


@pytest.mark.parametrize("status", [401, 429, 529])
def test_a_model_that_refuses_ends_the_run_soon_with_the_upstream_status(
    workspace: Path, status: int
) -> None:
    ran = ask(turns(Turn(status=status)), task(workspace))
    assert ran.run.result is not None
    assert ran.run.result["is_error"] is True
    assert ran.run.upstream_status == status
    assert ran.run.duration_ms < 20_000


def test_an_empty_answer_is_an_empty_text(workspace: Path) -> None:
    ran = ask(turns(Turn()), task(workspace))
    assert ran.run.text == ""
    assert ran.run.report is None


def test_an_answer_of_another_form_is_kept_when_the_cli_gives_up_on_it(workspace: Path) -> None:
    half = {"summary": "It is the cart."}
    ran = ask(turns(Turn("Let me answer.", reports(half).tools)), task(workspace))
    assert ran.run.is_unformed
    assert ran.run.report == half
    assert ran.run.text == "Let me answer."
    assert ran.run.cost_usd is not None


REACH_INTO = """
import glob, os
for process in glob.glob("/proc/[0-9]*"):
    try:
        if "claude" not in os.readlink(process + "/exe") and "claude" not in open(process + "/comm").read():
            continue
    except OSError:
        if "claude" not in open(process + "/comm").read():
            continue
    for what in ("mem", "environ", "fd/1", "maps"):
        try:
            os.close(os.open(process + "/" + what, os.O_RDONLY))
            print("INTO", what)
        except OSError as error:
            print("kept out", what, error.strerror)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can keep a program from its own user")
@pytest.mark.parametrize("rung", [Bubblewrap, Seccomp])  # the one between shows no process at all
def test_what_the_agent_starts_cannot_reach_into_the_cli(workspace: Path, rung: type[Sandbox]) -> None:
    (workspace / "reach.py").write_text(REACH_INTO)
    ran = ask(turns(bash("python3 reach.py"), reports(REPORT)), task(workspace), sandbox=rung())
    assert ran.transcript.count("kept out mem") > 0
    assert "INTO" not in ran.transcript
