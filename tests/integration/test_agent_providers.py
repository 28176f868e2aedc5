"""The real CLI behind the wall, each provider's stand-in at the other end: the same script plays on all three."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.contract.cloud_models import (
    bedrock_secret,
    bedrock_settings,
    bedrock_standin,
    vertex_settings,
    vertex_standin,
)
from tests.integration.agents import REPORT, Ran, ask, bash, reports, task, turns

from alm.standins.model import Script, ToolCall, Turn
from alm.standins.model_bedrock import SECRET_KEY
from orchestrator.adapters.gateway import bedrock as model_bedrock
from orchestrator.adapters.gateway import vertex as model_vertex
from orchestrator.config import ModelSettings
from orchestrator.domain.model_rules import BETAS, MOST_TOKENS, ModelRules

SCRIPT = turns(bash("echo hello from inside; env"), reports(REPORT))
HAIKU = "claude-haiku-5-5"


def asked(workspace: Path, script: Script = SCRIPT, **options: Any) -> Ran:
    return ask(script, task(workspace), **options)


def test_what_the_cli_sends_to_anthropic_needs_no_rule_bent(workspace: Path) -> None:
    ran = asked(workspace, rules=ModelSettings.read({}).rules)
    assert (ran.run.report, ran.run.denials) == (REPORT, ())
    for headers, body in ran.requests:
        assert set(headers["anthropic-beta"].split(",")) <= BETAS
        assert body["max_tokens"] == MOST_TOKENS
        assert "context_management" not in body


def test_the_cli_runs_on_bedrock(workspace: Path) -> None:
    with bedrock_standin(SCRIPT) as model:
        settings = ModelSettings.read(bedrock_settings(model.url))
        provider = model_bedrock.connect(settings, bedrock_secret)
        ran = asked(workspace, provider=provider, rules=settings.rules)
    assert (ran.run.report, ran.run.denials) == (REPORT, ())
    assert "hello from inside" in ran.transcript
    assert (model.refused, ran.requests, len(model.requests)) == ([], [], 2)
    assert SECRET_KEY not in ran.transcript
    assert ran.run.cost_usd


def test_the_cli_runs_on_vertex(workspace: Path) -> None:
    with vertex_standin(SCRIPT) as model:
        settings = ModelSettings.read(vertex_settings(model.url))
        provider = model_vertex.connect(settings, lambda _name: json.dumps(model.credential()))
        ran = asked(workspace, provider=provider, rules=settings.rules)
    assert (ran.run.report, ran.run.denials) == (REPORT, ())
    assert "hello from inside" in ran.transcript
    assert (model.refused, ran.requests, len(model.requests)) == ([], [], 2)
    assert model.tokens[0] not in ran.transcript
    assert ran.run.cost_usd


@pytest.mark.parametrize("name", ["opus", "sonnet", "haiku", "opus[1m]", "claude-sonnet-4-5"])
def test_the_cli_asks_for_the_ids_its_names_are_taken_for(workspace: Path, name: str) -> None:
    ran = asked(
        workspace, turns(reports(REPORT)), model=name, rules=ModelSettings.read({"CLAUDE_MODEL": name}).rules
    )
    assert (ran.run.report, ran.run.denials) == (REPORT, ())


def test_a_model_nobody_agreed_to_ends_the_run_and_is_counted(workspace: Path) -> None:
    ran = asked(workspace, model="fable", rules=ModelRules(frozenset({HAIKU})))
    assert (ran.run.report, ran.requests) == (None, [])
    assert {denial.target for denial in ran.run.denials} == {
        "POST /v1/messages with a model this deployment has not agreed to"
    }
    # One call, and perhaps one more with its fallback: nothing that goes on for minutes.
    assert len(ran.run.denials) <= 2


def test_a_sub_agent_cannot_choose_a_dearer_model(workspace: Path) -> None:
    helper = {"description": "d", "prompt": "say hi", "subagent_type": "general-purpose", "model": "opus"}
    script = turns(Turn("Asking.", (ToolCall("Agent", helper),)), reports(REPORT))
    rules = ModelSettings.read({"CLAUDE_MODEL": "haiku"}).rules
    ran = ask(script, task(workspace, tools=("Agent", "Bash")), model="haiku", rules=rules)
    assert {body["model"] for _, body in ran.requests} == {HAIKU}
    assert "POST /v1/messages with a model this deployment has not agreed to" in {
        denial.target for denial in ran.run.denials
    }


def test_tokens_that_cannot_be_counted_do_not_stop_the_cli(workspace: Path) -> None:
    # A file large enough for the CLI to have its tokens counted before it is read to the model.
    (workspace / "large.txt").write_text("word " * 40_000)
    script = turns(
        Turn("Reading.", (ToolCall("Read", {"file_path": "/workspace/large.txt"}),)), reports(REPORT)
    )
    with bedrock_standin(script) as model:
        ids = {"MODEL_IDS": json.dumps({"claude-opus-5-5": "arn:aws:bedrock:x:1:inference-profile/y"})}
        settings = ModelSettings.read({**bedrock_settings(model.url), **ids})
        model.models = frozenset(settings.model_ids.values())
        ran = asked(
            workspace, script, provider=model_bedrock.connect(settings, bedrock_secret), rules=settings.rules
        )
    assert ran.run.report == REPORT
    assert model.refused == ["400 ValidationException: The provided model doesn't support counting tokens."]
