"""The secrets of a stack: made once, named by their functions only, and two stacks share none."""

import json

from tests.template.templates import Deployment
from tests.template.test_template import variables

from orchestrator.secret_values import SigningSecret


def test_no_update_writes_a_secret(fargate: Deployment) -> None:
    secrets = fargate.of_type("AWS::SecretsManager::Secret")
    assert {secret["Name"] for secret in secrets.values()} == {
        "alm/jira",
        "alm/github/read",
        "alm/github/write",
        "alm/anthropic",
        "alm/signing",
    }
    values = {name: secret.keys() - {"Name", "Description"} for name, secret in secrets.items()}
    # Made once: CloudFormation makes another value only where these words change.
    assert {name: keys for name, keys in values.items() if keys} == {
        "SigningSecret": {"GenerateSecretString"}
    }


def test_the_stack_makes_a_signing_key_that_the_functions_can_read(fargate: Deployment) -> None:
    generated = fargate.properties("SigningSecret")["GenerateSecretString"]
    made = {**json.loads(generated["SecretStringTemplate"]), generated["GenerateStringKey"]: "k" * 64}
    assert generated["PasswordLength"] == 64
    assert SigningSecret.model_validate(made).keys == ("k" * 64,)


def test_two_stacks_of_one_account_have_secrets_of_their_own() -> None:
    other = Deployment.of(SecretsPrefix="alm-dev")
    names = {secret["Name"] for secret in other.of_type("AWS::SecretsManager::Secret").values()}
    assert all(name.startswith("alm-dev/") for name in names)
    told = {
        value
        for room in ("PollJira", "WorkerTask", "TrackJob", "PublishResult")
        for name, value in variables(other, room).items()
        if name.endswith("_SECRET")
    }
    assert told - {"alm-dev/vertex"} == names
