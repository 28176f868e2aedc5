"""Secrets of a `.env` in Secrets Manager, against moto."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.deployed import SESSION
from tests.contract.test_doctor import OTHERS, told

from alm.aws import LocalAws
from alm.cli import _parser
from alm.deployed_secrets import CREATED, deployable, push
from alm.environment import aws_environment
from alm.settings import checked
from alm.signing_key import rotate
from orchestrator.adapters.secrets_manager import SecretsManager
from orchestrator.errors import ConfigError
from orchestrator.secret_values import SigningSecret, parsed_secret

NAMES = ("alm/jira", "alm/github/read", "alm/github/write", "alm/anthropic")

type Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def manager(aws: LocalAws) -> Iterator[SecretsManager]:
    client = SESSION.client("secretsmanager", endpoint_url=aws.endpoint)
    yield SecretsManager(client)
    for name in NAMES:
        client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_secrets_are_created_then_left_then_updated(manager: SecretsManager) -> None:
    secrets = deployable(told())
    assert list(push(manager.client, secrets)) == [(name, "created") for name in NAMES]
    assert {name: manager.value(name) for name in NAMES} == secrets
    assert {done for _, done in push(manager.client, secrets)} == {"unchanged"}
    changed = dict(push(manager.client, deployable(told(GITHUB_TOKEN="another"))))
    assert [name for name, done in changed.items() if done == "updated"] == ["alm/github/write"]
    assert json.loads(manager.value("alm/github/write")) == {"token": "another"}


def test_a_value_that_only_looks_different_is_left(manager: SecretsManager) -> None:
    secrets = deployable(told())
    spaced = json.dumps(json.loads(secrets["alm/jira"]), indent=4)
    manager.client.create_secret(Name="alm/jira", SecretString=spaced)
    assert dict(push(manager.client, secrets))["alm/jira"] == "unchanged"


def test_a_secret_that_the_stack_made_without_a_value_gets_one(manager: SecretsManager) -> None:
    manager.client.create_secret(Name="alm/jira")
    assert dict(push(manager.client, deployable(told())))["alm/jira"] == "updated"
    assert json.loads(manager.value("alm/jira"))["client_id"] == "id"


def test_a_secret_that_waits_for_its_deletion_comes_back(manager: SecretsManager) -> None:
    manager.client.create_secret(Name="alm/jira", SecretString="{}")
    manager.client.delete_secret(SecretId="alm/jira", RecoveryWindowInDays=7)
    assert dict(push(manager.client, deployable(told())))["alm/jira"] == "restored"
    assert json.loads(manager.value("alm/jira"))["client_id"] == "id"


@pytest.mark.parametrize("read_token", ["", OTHERS["GITHUB_TOKEN"]])
def test_a_deployed_worker_is_not_given_a_token_that_writes(read_token: str) -> None:
    with pytest.raises(ConfigError, match="GITHUB_READ_TOKEN has to be a token of its own"):
        deployable(told(GITHUB_READ_TOKEN=read_token))


def test_a_malformed_value_is_refused_before_anything_is_written_and_is_not_shown() -> None:
    with pytest.raises(ConfigError, match="The secret alm/anthropic cannot be used: api_key") as refused:
        deployable(told(ANTHROPIC_API_KEY="sk-ant with a space"))
    assert "a space" not in str(refused.value)


def test_with_bedrock_the_role_is_the_credential_and_no_key_is_pushed() -> None:
    keys = {"AWS_ACCESS_KEY_ID": "made-up", "AWS_SECRET_ACCESS_KEY": "made-up"}
    bedrock = {"MODEL_PROVIDER": "bedrock", "MODEL_IDS": '{"claude-haiku-5-5": "x"}', **keys}
    assert set(deployable(checked({**OTHERS, **bedrock}))) == set(NAMES) - {"alm/anthropic"}


def test_a_deployment_of_another_prefix_gets_secrets_of_its_own(aws: LocalAws) -> None:
    client = SESSION.client("secretsmanager", endpoint_url=aws.endpoint)
    names = [name for name, _ in push(client, deployable(told()), "alm-dev")]
    assert names == ["alm-dev/jira", "alm-dev/github/read", "alm-dev/github/write", "alm-dev/anthropic"]
    for name in names:
        assert client.get_secret_value(SecretId=name)["SecretString"]


def test_who_pushes_before_the_stack_is_there_is_told_to_deploy_first(
    manager: SecretsManager, aws: LocalAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capsys
) -> None:
    for name, value in aws_environment(aws.endpoint).items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in OTHERS.items()))
    options = _parser().parse_args(["secrets", "push", "--env-file", str(tmp_path / ".env")])
    assert options.command(options) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines() == [*(f"{name}  created" for name in NAMES), CREATED]
    assert json.loads(manager.value("alm/anthropic")) == {"api_key": OTHERS["ANTHROPIC_API_KEY"]}


def test_a_rotated_signing_key_signs_and_three_before_it_still_count(manager: SecretsManager) -> None:
    manager.client.create_secret(Name="alm-rotated/signing", SecretString=json.dumps({"current": "k" * 64}))
    assert [rotate(manager.client, "alm-rotated/signing") for _ in range(5)] == [1, 2, 3, 3, 3]
    keys = parsed_secret(SigningSecret, "signing", manager.value("alm-rotated/signing")).keys
    assert len(keys) == len(set(keys)) == 4
    assert "k" * 64 not in keys
    assert rotate(manager.client, "alm-rotated/signing") == 3
    assert parsed_secret(SigningSecret, "signing", manager.value("alm-rotated/signing")).keys[1] == keys[0]


def test_a_signing_secret_that_cannot_be_read_is_not_replaced(manager: SecretsManager) -> None:
    manager.client.create_secret(Name="alm-odd/signing", SecretString="{}")
    with pytest.raises(ConfigError, match="cannot be used"):
        rotate(manager.client, "alm-odd/signing")
    assert manager.value("alm-odd/signing") == "{}"
