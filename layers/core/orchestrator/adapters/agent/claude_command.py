"""The Claude Code CLI as it is called: command line, environment and settings, each made from nothing."""

import json
import math
from collections.abc import Mapping

from orchestrator.adapters.wall.sandbox import View
from orchestrator.domain.action import Action, AgentSettings
from orchestrator.domain.report import with_refusal

# Has to look like a key and be none.
PLACEHOLDER = "the-gateway-holds-the-credential"
PROXY_PORT = 8080
# CLI 2.1.330 itself goes no further.
MOST_RETRIES = 15
PROXY = (
    'socat "TCP-LISTEN:$0,bind=127.0.0.1,fork,reuseaddr" "UNIX-CONNECT:$1" </dev/null >/dev/null 2>&1 & '
    'shift; exec "$@"'
)


def claude_argv(action: Action, model: str | None, view: View) -> tuple[str, ...]:
    """The CLI's command line. The prompt is not in it: it goes through standard input."""
    return (
        *(view.cli, "--print", "--output-format", "stream-json", "--verbose"),
        *("--settings", view.settings, "--setting-sources", "", "--strict-mcp-config"),
        *("--permission-mode", "dontAsk", "--tools", ",".join(action.tools)),
        *("--max-turns", str(action.max_turns), "--max-budget-usd", f"{action.budget_usd:g}"),
        *("--json-schema", json.dumps(with_refusal(action.result_schema))),
        *("--no-session-persistence", "--disable-slash-commands"),
        *(("--model", model) if model else ()),
    )


def agent_environment(view: View, max_retries: int) -> Mapping[str, str]:
    """The agent's whole environment.

    ANTHROPIC_UNIX_SOCKET is in no manual: the pinned CLI has it, and every test with the real one stands on it. The
    workspace may belong to another user, which git has to be told is no danger.
    """
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": view.home,
        "USER": "agent",
        "LANG": "C.UTF-8",
        "TMPDIR": view.tmp,
        "ANTHROPIC_BASE_URL": "http://localhost",
        "ANTHROPIC_UNIX_SOCKET": view.socket,
        "ANTHROPIC_API_KEY": PLACEHOLDER,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        # What only Anthropic's own service takes: the same calls then go to every provider.
        "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "1",
        "CLAUDE_CODE_MAX_RETRIES": str(max_retries),
        "DISABLE_AUTOUPDATER": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }


def retries(configured: int, limit_s: float, hold_s: float) -> int:
    """As many as configured, and more where an overload could not be ridden out until the deadline with them.

    The gateway holds a call for so many seconds, then the CLI makes it again.
    """
    return min(max(configured, math.ceil(limit_s / hold_s) - 1), MOST_RETRIES)


def with_proxy(argv: tuple[str, ...], view: View) -> tuple[str, ...]:
    """The same with a way for programs that speak TCP: from the wall's own loopback to the gateway."""
    return ("/bin/sh", "-c", PROXY, str(PROXY_PORT), view.socket, *argv)


def proxy_environment() -> Mapping[str, str]:
    """What leads those programs there. Names for their own machine stay with them."""
    address = f"http://127.0.0.1:{PROXY_PORT}"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    return {
        **dict.fromkeys(names, address),
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",
    }


def settings_json(settings: AgentSettings) -> str:
    """The settings file, written from what was validated, not copied from what was read."""
    return settings.model_dump_json()
