"""A person's own AWS account: the only commands that reach it, by the standard configuration of AWS's own tools."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from orchestrator.errors import ConfigError, TransientError

if TYPE_CHECKING:
    from boto3.session import Session

# What the standard chain looks at: profile, region, SSO (its cache lies in the home folder), keys, roles, CloudShell.
# No variable that names an endpoint: AWS_ENDPOINT_URL of some other work would get the credentials. A profile may.
VARIABLES = (
    *("HOME", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"),
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "AWS_EC2_METADATA_DISABLED"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
    *("AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
)


def aws_configuration() -> dict[str, str]:
    """How the person's shell says which account and region are meant."""
    return {name: os.environ[name] for name in VARIABLES if name in os.environ}


def session(region: str | None = None) -> "Session":
    """The person's account; ConfigError if the profile or the region is missing."""
    with aws_answers():
        made = boto3.session.Session(region_name=region)
        if made.region_name is None:
            raise NoRegionError
        return made


@contextmanager
def aws_answers() -> Iterator[None]:
    """AWS's errors as sentences. Only the call and the code are named: AWS's own words may quote what was sent."""
    try:
        yield
    except ClientError as error:
        raise ConfigError(_refused(error)) from None
    except NoRegionError:
        raise ConfigError("No AWS region is set. Give --region or set AWS_REGION.") from None
    except ProfileNotFound:
        raise ConfigError("AWS_PROFILE names a profile that your AWS configuration does not have.") from None
    except (NoCredentialsError, SSOError, TokenRetrievalError):
        raise ConfigError(
            "No valid AWS credentials were found. Set AWS_PROFILE, or sign in with `aws sso login`."
        ) from None
    except BotoCoreError as error:
        raise TransientError(f"AWS did not answer as it should ({type(error).__name__}).") from None


def _refused(error: ClientError) -> str:
    code = error.response.get("Error", {}).get("Code", "no code")
    return f"AWS refused {error.operation_name} ({code})."
