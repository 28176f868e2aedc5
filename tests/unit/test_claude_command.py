"""The agent's environment and command line, made from nothing."""

import pytest
from tests.builders import action

from orchestrator.adapters.agent.claude_command import (
    PLACEHOLDER,
    agent_environment,
    claude_argv,
    proxy_environment,
    retries,
    with_proxy,
)
from orchestrator.adapters.wall.bubblewrap import VIEW


def test_the_agent_holds_a_placeholder_and_one_way_out() -> None:
    environment = agent_environment(VIEW, 6)
    assert environment["ANTHROPIC_API_KEY"] == PLACEHOLDER
    assert environment["ANTHROPIC_UNIX_SOCKET"] == VIEW.socket
    assert not [name for name in environment if "proxy" in name.lower() or name.startswith("AWS")]


def test_settings_come_from_us_and_neither_prompt_nor_key_stands_in_the_command_line() -> None:
    argv = claude_argv(action(), "claude-test-1", VIEW)
    assert argv[0] == VIEW.cli
    assert argv[argv.index("--settings") + 1] == VIEW.settings
    assert argv[argv.index("--setting-sources") + 1] == ""
    assert "--strict-mcp-config" in argv
    assert argv[argv.index("--permission-mode") + 1] == "dontAsk"
    assert argv[-2:] == ("--model", "claude-test-1")
    assert "--model" not in claude_argv(action(), None, VIEW)


def test_a_proxy_leads_to_the_gateway_and_ends_up_as_the_program_itself() -> None:
    argv = with_proxy(("/opt/claude/claude", "--print"), VIEW)
    assert argv[-2:] == ("/opt/claude/claude", "--print")
    assert VIEW.socket in argv
    assert set(proxy_environment().values()) == {"http://127.0.0.1:8080", "localhost,127.0.0.1"}


@pytest.mark.parametrize(
    ("configured", "limit_s", "told"),
    [(6, 1200, 6), (0, 240, 0), (1, 241, 1), (6, 3600, 14), (6, 28_800, 15)],
)
def test_the_cli_may_repeat_a_held_call_until_its_deadline(
    configured: int, limit_s: float, told: int
) -> None:
    assert retries(configured, limit_s, 240) == told
