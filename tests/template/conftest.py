"""The stack as most people make it."""

import pytest
from tests.template.templates import ON_LAMBDA, Deployment


@pytest.fixture(scope="session")
def fargate() -> Deployment:
    """Everything at its default."""
    return Deployment.of()


@pytest.fixture(scope="session")
def on_lambda() -> Deployment:
    """Workers on Lambda, without a wall."""
    return Deployment.of(**ON_LAMBDA)
