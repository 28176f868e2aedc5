"""The real CLI against the ledger: it ends soon when the budget is gone, and the ticket hears why."""

import json
import random
import struct
import zlib
from pathlib import Path

import pytest
from tests.builders import action
from tests.integration.agents import REPORT, ask, bash, reports, script_cli, task, turns

from alm.standins.model import ToolCall, Turn
from orchestrator.domain.outcome import Outcome, decide_outcome

BODY = '{"model": "claude-opus-5", "max_tokens": 1000, "messages": [{"role": "user", "content": "hi"}]}'
# What the agent's own programs ask of the gateway, the CLI never hears of.
CALL = f"curl -s --unix-socket $ANTHROPIC_UNIX_SOCKET -d '{BODY}' http://localhost/v1/messages"
SPEND = f"for call in 1 2 3 4 5 6; do {CALL} | head -c 300; done"


def test_the_cli_ends_at_once_when_the_budget_is_gone(workspace: Path) -> None:
    """With as many retries as in production: a status that it repeats would take minutes."""
    ran = ask(turns(bash(SPEND)), task(workspace, budget_usd=0.02), max_retries=6)
    assert ran.run.result is not None
    assert (ran.run.result["is_error"], ran.run.result["api_error_status"]) == (True, 403)
    assert ran.run.duration_ms < 20_000
    decided = decide_outcome(action(budget_usd=0.02), ran.run, None)
    assert decided.outcome is Outcome.FAILED
    assert decided.reason.startswith("The agent used up its budget of $0.02 without finishing.")


def test_what_the_agent_spends_past_the_cli_counts(workspace: Path) -> None:
    ran = ask(turns(bash(SPEND)), task(workspace, budget_usd=0.02))
    assert ran.run.result is not None
    assert ran.run.spent is not None
    assert ran.run.spent.requests == len(ran.requests)
    assert ran.run.cost_usd == ran.run.spent.cost_usd
    assert ran.run.cost_usd > 0.02 > ran.run.result["total_cost_usd"]
    # The first call past the budget was the last.
    assert ran.run.cost_usd < 0.04


def test_the_ledger_counts_as_the_cli_does(workspace: Path) -> None:
    ran = ask(turns(bash("true"), reports(REPORT)), task(workspace))
    assert ran.run.result is not None
    assert ran.run.spent is not None
    assert ran.run.spent.cost_usd == pytest.approx(ran.run.result["total_cost_usd"])
    assert ran.run.denials == ()


def test_a_run_that_ends_without_a_result_has_a_cost(workspace: Path, tmp_path: Path) -> None:
    ran = ask(turns(reports(REPORT)), task(workspace), script_cli(tmp_path, f"{CALL}; kill -9 $$"))
    assert ran.run.result is None
    assert ran.run.cost_usd is not None
    assert ran.run.cost_usd > 0


def test_a_picture_that_the_agent_looks_at_leaves_the_budget_whole(workspace: Path) -> None:
    """The real CLI sends it as it sends every picture, and goes on to its report."""
    (workspace / "screen.png").write_bytes(painted(1920, 1080))
    looks = Turn(tools=(ToolCall("Read", {"file_path": "screen.png"}),))
    ran = ask(turns(looks, reports(REPORT)), task(workspace, budget_usd=0.05))
    assert '"type": "image"' in json.dumps(ran.requests[-1][1])
    assert (ran.run.report is not None, ran.run.denials) == (True, ())


def painted(width: int, height: int) -> bytes:
    """A picture of noise, which cannot be packed."""
    noise = random.Random(1)  # noqa: S311  # a picture, no secret
    rows = b"".join(b"\0" + noise.randbytes(width * 3) for _ in range(height))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 1)),
        (b"IEND", b""),
    )
    framed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)
