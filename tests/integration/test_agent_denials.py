"""What the real CLI denies by the rules every action gets, and what the kernel refuses: each counted once."""

from pathlib import Path

import pytest
from tests.integration.agents import REPORT, ask, bash, reports, task, turns

from alm.standins.model import ToolCall, Turn
from orchestrator.adapters.agent.claude_command import settings_json
from orchestrator.domain.action import AgentSettings
from orchestrator.domain.agent import Source
from orchestrator.ports import AgentTask

SECRET = "the-planted-value"
FILES = (".env", ".env.local", "sub/.env", "sub/.env.prod", "cert.pem", "sub/deep/id_rsa", "sub/id_rsa.pub")


def _plant(workspace: Path) -> None:
    for name in FILES:
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{SECRET}\n")


def _bare(workspace: Path) -> AgentTask:
    """An action whose profile itself denies none of it."""
    profile = {"permissions": {"allow": ["Read", "Grep", "Bash"], "deny": ["Skill"]}}
    return task(workspace, settings=AgentSettings.model_validate(profile), max_turns=50)


def _reads(path: str) -> Turn:
    return Turn(tools=(ToolCall("Read", {"file_path": path}),))


def _searches(path: str) -> Turn:
    return Turn(tools=(ToolCall("Grep", {"pattern": ".", "path": path, "output_mode": "content"}),))


def test_no_profile_lets_a_credential_be_read_and_every_try_is_counted(workspace: Path) -> None:
    _plant(workspace)
    paths = [f"/workspace/{name}" for name in FILES] + ["/home/agent/.ssh/id", "/home/agent/.aws/credentials"]
    ran = ask(turns(*map(_reads, paths), _searches("/workspace/.env"), reports(REPORT)), _bare(workspace))
    assert {denial.source for denial in ran.run.denials} == {Source.RULE}
    assert sorted(denial.target for denial in ran.run.denials) == sorted([*paths, "/workspace/.env"])
    assert SECRET not in ran.transcript


def test_a_search_through_everything_leaves_credentials_out(workspace: Path) -> None:
    _plant(workspace)
    ran = ask(turns(_searches("/workspace"), reports(REPORT)), _bare(workspace))
    assert "README.md:1:hello" in ran.transcript
    assert SECRET not in ran.transcript


def test_rules_hold_for_commands_the_cli_takes_apart_and_for_no_program(workspace: Path) -> None:
    _plant(workspace)
    commands = ("cat .env", "head -1 sub/.env", "cat < cert.pem")
    ran = ask(turns(*map(bash, commands), reports(REPORT)), _bare(workspace))
    assert [(denial.source, denial.target) for denial in ran.run.denials] == [
        (Source.RULE, command) for command in commands
    ]
    assert SECRET not in ran.transcript
    around = ask(turns(bash("python3 -c 'print(open(\".env\").read())'"), reports(REPORT)), _bare(workspace))
    assert SECRET in around.transcript  # so no clone may hold one: rules are not the wall


@pytest.mark.parametrize("tool", ["WebFetch", "WebSearch", "mcp__github__get_me"])
def test_network_tools_and_mcp_are_no_tools_even_if_the_action_names_them(workspace: Path, tool: str) -> None:
    wanting = _bare(workspace)
    wanting = AgentTask(
        wanting.job,
        wanting.action.model_copy(update={"tools": ("Read", "Grep", "Bash", tool)}),
        wanting.prompt,
        workspace,
    )
    call = Turn(tools=(ToolCall(tool, {"url": "http://a.example/", "prompt": "x", "query": "x"}),))
    ran = ask(turns(call, reports(REPORT)), wanting)
    assert [(denial.tool, denial.source) for denial in ran.run.denials] == [(tool, Source.TOOL_REMOVED)]


def test_what_the_kernel_refuses_is_counted_once_a_call(workspace: Path) -> None:
    commands = ("touch /usr/x /workspace/x", "touch /usr/x; true", "(echo > /dev/tcp/1.1.1.1/80) 2>&1; true")
    honest = bash("echo 'a Read-only file system is fine' && ls")
    ran = ask(turns(*map(bash, commands), honest, reports(REPORT)), _bare(workspace))
    assert [(denial.tool, denial.source, denial.target) for denial in ran.run.denials] == [
        ("Bash", Source.KERNEL, command) for command in commands
    ]


def test_the_file_the_cli_gets_holds_the_rules_of_the_profile_and_ours(workspace: Path) -> None:
    written = settings_json(_bare(workspace).action.settings.enforced())
    ran = ask(turns(bash("cat /run/agent/settings.json"), reports(REPORT)), _bare(workspace))
    assert "mcp__*" in written
    assert written.replace('"', '\\"') in ran.transcript
