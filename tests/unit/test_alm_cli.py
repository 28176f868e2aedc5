"""The command line of `alm`: which commands see the person's AWS configuration, and what it may hold."""

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ProfileNotFound

from alm import account
from alm.cli import _account, _parser
from alm.job_commands import stack_name
from orchestrator.errors import ConfigError

# What a shell may hold beside: none of it may come along.
OTHERS = {"AWS_ENDPOINT_URL": "http://192.0.2.1", "ANTHROPIC_API_KEY": "key", "GITHUB_TOKEN": "token"}


def seen(monkeypatch: pytest.MonkeyPatch, command: str) -> dict[str, str]:
    """What the command keeps of a shell with a profile and other things."""
    for name in account.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in {**OTHERS, "AWS_PROFILE": "mine"}.items():
        monkeypatch.setenv(name, value)
    return _account(_parser().parse_args(command.split()))


@pytest.mark.parametrize(
    "command",
    [
        "jobs",
        "show DEMO-1-fix-0",
        "cancel DEMO-1-fix-0",
        "retry DEMO-1-fix-0",
        "redrive --stack alm",
        "secrets push",
        "doctor --stack alm",
    ],
)
def test_a_command_that_reaches_a_deployment_sees_the_persons_profile_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    assert seen(monkeypatch, command) == {"AWS_PROFILE": "mine"}


@pytest.mark.parametrize("command", ["demo", "run", "doctor", "jobs --local", "redrive --local"])
def test_a_command_on_one_machine_sees_nothing_of_the_persons_account(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    assert seen(monkeypatch, command) == {}


def test_the_stack_is_the_one_that_samconfig_deploys() -> None:
    assert stack_name() == "alm-orchestrator"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoCredentialsError(), "aws sso login"),
        (ProfileNotFound(profile="x"), "AWS_PROFILE names a profile"),
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "secret"}}, "Scan"),
            "refused Scan (AccessDenied)",
        ),
    ],
)
def test_what_aws_refuses_is_a_sentence_without_aws_own_words(error: Exception, said: str) -> None:
    with pytest.raises(ConfigError) as refused, account.aws_answers():
        raise error
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)
