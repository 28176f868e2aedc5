"""Credentials, fetched by API when first needed: never in an environment, never on disk."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from orchestrator.errors import ConfigError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True)
class SecretsManager:
    """The secrets this function's role may read."""

    client: "SecretsManagerClient"

    def value(self, name: str) -> str:
        """The secret's text, or a ConfigError that says which secret is missing."""
        try:
            answer = self.client.get_secret_value(SecretId=name)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise ConfigError(
                f"The secret {name} could not be read ({code}). Create it, or allow it."
            ) from error
        if "SecretString" not in answer:
            raise ConfigError(f"The secret {name} is not text. Store it as JSON text.")
        return answer["SecretString"]
