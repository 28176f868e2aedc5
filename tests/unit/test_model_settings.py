"""The model's settings: what is missing or cannot be is a fault at start that shows nothing."""

import json
from pathlib import Path

import pytest

from alm.settings import checked
from orchestrator.config import ModelSettings, Provider
from orchestrator.errors import ConfigError
from orchestrator.secret_values import BedrockSecret, VertexSecret, parsed_secret

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
IDS = json.dumps({OPUS: "eu.anthropic.claude-opus-5-5-v1:0"})
VERTEX = {"MODEL_PROVIDER": "vertex", "MODEL_IDS": IDS, "VERTEX_PROJECT": "p-1", "VERTEX_REGION": "global"}
HIDDEN = "hunter2-do-not-show"
LOCAL = {
    "JIRA_URL": "https://acme.example.net",
    "JIRA_PROJECT_KEY": "DEMO",
    "JIRA_CLIENT_ID": "i",
    "JIRA_CLIENT_SECRET": "s",
    "GITHUB_REPO": "acme/shop",
    "GITHUB_TOKEN": "t",
}


def refusal(**given: str) -> str:
    with pytest.raises(ConfigError) as caught:
        ModelSettings.read(given)
    assert HIDDEN not in str(caught.value)
    return str(caught.value)


def test_anthropic_is_asked_unless_somebody_else_is_named() -> None:
    assert ModelSettings.read({}).model_provider is Provider.ANTHROPIC
    assert ModelSettings.read({}).rules.models == {OPUS, SONNET, HAIKU}


def test_what_the_agent_may_use_follows_from_the_settings() -> None:
    assert ModelSettings.read({"CLAUDE_MODEL": "sonnet"}).rules.models == {SONNET, HAIKU}
    assert ModelSettings.read({"MODEL_ALLOWLIST": f"sonnet, {OPUS}"}).rules.models == {SONNET, OPUS}
    assert ModelSettings.read({"MODEL_PROVIDER": "bedrock", "MODEL_IDS": IDS}).rules.models == {OPUS}
    assert ModelSettings.read({"MODEL_MAX_TOKENS": "9000"}).rules.most_tokens == 9000


@pytest.mark.parametrize("missing", ["MODEL_IDS", "VERTEX_PROJECT", "VERTEX_REGION"])
def test_what_a_provider_cannot_do_without_is_named(missing: str) -> None:
    said = refusal(**{name: value for name, value in VERTEX.items() if name != missing})
    assert f"vertex needs {missing}" in said
    assert "bedrock needs MODEL_IDS" in refusal(MODEL_PROVIDER="bedrock")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODEL_PROVIDER", HIDDEN),
        ("MODEL_IDS", HIDDEN),
        ("MODEL_IDS", f'["{HIDDEN}"]'),
        ("MODEL_IDS", json.dumps({HIDDEN: ""})),
        ("MODEL_IDS", json.dumps({HIDDEN: "../x"})),
        ("MODEL_IDS", json.dumps({HIDDEN: "a?b"})),
        ("MODEL_IDS", json.dumps({HIDDEN: "a/../b"})),
        ("MODEL_IDS", json.dumps({HIDDEN: "a b"})),
        ("MODEL_ALLOWLIST", f"{HIDDEN}, "),
        ("MODEL_ALLOWLIST", f"{HIDDEN}/x"),
        ("MODEL_MAX_TOKENS", "1"),
        ("MODEL_MAX_TOKENS", HIDDEN),
        ("BEDROCK_ENDPOINT_URL", f"https://user:{HIDDEN}@x.example"),
        ("BEDROCK_REGION", f"{HIDDEN}.example"),
        ("VERTEX_PROJECT", f"{HIDDEN}/x"),
        ("VERTEX_REGION", f"{HIDDEN}.example/"),
        ("VERTEX_ENDPOINT_URL", HIDDEN),
    ],
)
def test_a_setting_that_cannot_be_is_named_and_not_shown(name: str, value: str) -> None:
    assert f"{name}: " in refusal(**{name: value})


def test_an_agreement_nobody_could_keep_is_a_fault() -> None:
    assert "CLAUDE_MODEL is not in" in refusal(CLAUDE_MODEL="opus", MODEL_ALLOWLIST="sonnet")
    assert "CLAUDE_MODEL is not in" in refusal(MODEL_PROVIDER="bedrock", MODEL_IDS=IDS, CLAUDE_MODEL="sonnet")
    assert "no model of" in refusal(MODEL_PROVIDER="bedrock", MODEL_IDS=IDS, MODEL_ALLOWLIST="sonnet")


@pytest.mark.parametrize(
    "model_id",
    [
        "anthropic.claude-3-7-sonnet-20250219-v1:0",
        "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc.d",
        "claude-sonnet-4-5@20250929",
    ],
)
def test_ids_profiles_and_arns_are_taken(model_id: str) -> None:
    given = {"MODEL_PROVIDER": "bedrock", "MODEL_IDS": json.dumps({OPUS: model_id})}
    assert ModelSettings.read(given).model_ids == {OPUS: model_id}


def test_printing_a_credential_of_a_provider_shows_nothing_of_it() -> None:
    keys = {"access_key_id": HIDDEN, "secret_access_key": HIDDEN, "session_token": HIDDEN}
    bedrock = parsed_secret(BedrockSecret, "alm/bedrock", json.dumps(keys))
    google = {"type": "service_account", "private_key": HIDDEN}
    vertex = parsed_secret(VertexSecret, "alm/vertex", json.dumps(google))
    assert HIDDEN not in f"{bedrock!r} {bedrock} {vertex!r} {vertex}"
    assert vertex.model_dump() == google


@pytest.mark.parametrize("kind", ["authorized_user", "impersonated_service_account", HIDDEN])
def test_a_credential_of_another_kind_is_refused(kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed_secret(VertexSecret, "alm/vertex", json.dumps({"type": kind, "private_key": HIDDEN}))
    assert HIDDEN not in str(caught.value)


def test_on_one_machine_each_provider_needs_its_own_credential(tmp_path: Path) -> None:
    wanted = {
        "": "ANTHROPIC_API_KEY",
        "bedrock": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY",
        "vertex": "GOOGLE_APPLICATION_CREDENTIALS",
    }
    for provider, names in wanted.items():
        with pytest.raises(ConfigError, match=f"Missing: {names}\\."):
            checked({**LOCAL, "MODEL_PROVIDER": provider})
    with pytest.raises(ConfigError, match="the file cannot be read"):
        checked({**LOCAL, **VERTEX, "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "none")}).secrets()


def test_on_one_machine_the_credential_goes_to_the_secrets_and_to_no_environment(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps({"type": "service_account", "private_key": HIDDEN}))
    given = {
        "bedrock": {"MODEL_IDS": IDS, "AWS_ACCESS_KEY_ID": HIDDEN, "AWS_SECRET_ACCESS_KEY": HIDDEN},
        "vertex": {**VERTEX, "GOOGLE_APPLICATION_CREDENTIALS": str(file)},
    }
    for provider, values in given.items():
        settings = checked({**LOCAL, **values, "MODEL_PROVIDER": provider})
        assert HIDDEN in settings.secrets()[f"alm/{provider}"]
        assert HIDDEN not in repr(settings.worker_environment())
        assert settings.worker_environment()["MODEL_PROVIDER"] == provider
