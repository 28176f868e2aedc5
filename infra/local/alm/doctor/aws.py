"""The deployment: who is asking, whether the stack is there, whether its secrets are there and well-formed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from alm import deployment
from alm.account import aws_answers
from alm.deployed_secrets import FORMS, named
from alm.doctor import money
from alm.doctor.finding import Finding, fault, ok, warning
from alm.settings import PROMPTS, LocalSettings
from orchestrator.errors import ConfigError
from orchestrator.secret_values import parsed_secret

if TYPE_CHECKING:
    from boto3.session import Session

PUSH = "alm secrets push --stack NAME"


def identity(session: "Session") -> Iterator[Finding]:
    """Whose credentials these are."""
    with aws_answers():
        client: Any = session.client("sts")
        told = client.get_caller_identity()
    yield ok("aws identity", f"{told['Arn']} in {session.region_name}")


def stack(session: "Session", name: str) -> Iterator[Finding]:
    """Whether the stack is one of ours."""
    try:
        found = deployment.deployed(session, name)
    except ConfigError as error:
        yield fault("stack", f"{name}: {error}", "sam deploy --guided, or name another stack or region.")
    else:
        yield ok("stack", f"{name} has all its outputs")
        if found.limits is not None:
            yield from money.fitting("stack budgets", PROMPTS, found.limits)


def prefix(session: "Session", name: str) -> str:
    """What the names of the stack's secrets begin with; ours if the stack does not say."""
    try:
        return deployment.deployed(session, name).secrets_prefix
    except ConfigError:
        return deployment.SECRETS_PREFIX


def secrets(session: "Session", prefix: str, settings: LocalSettings | None) -> Iterator[Finding]:
    """Each secret of the deployment; the model's one by the provider of the settings."""
    wanted = set(FORMS) - {"alm/anthropic", "alm/vertex"}
    if settings is not None:
        wanted |= set(settings.secrets()) & set(FORMS)
    client: Any = session.client("secretsmanager")
    for name in sorted(wanted):
        with aws_answers():
            yield _judged(client, name, named(prefix, name))


def _judged(client: Any, form: str, name: str) -> Finding:
    try:
        parsed_secret(FORMS[form], name, client.get_secret_value(SecretId=name).get("SecretString", ""))
    except ClientError as error:
        return _unread(name, error.response["Error"]["Code"])
    except ConfigError as error:
        return fault(name, str(error), PUSH)
    return ok(name, "is there and well-formed")


def _unread(name: str, code: str) -> Finding:
    if code == "ResourceNotFoundException":
        return fault(name, "is not there, or has no value yet", PUSH)
    return warning(
        name, f"could not be read ({code})", "Ask for secretsmanager:GetSecretValue, or trust who pushed it."
    )
