import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from alm.image.container import NoContainersHere, built, podman
from alm.image.world import World

Inside = Callable[..., str]


@pytest.fixture(scope="session")
def image() -> str:
    """The worker image, built of this tree once a session."""
    try:
        return built()
    except NoContainersHere as reason:
        pytest.skip(f"skipped because {reason}")


@pytest.fixture(scope="session")
def facts(image: str) -> Mapping[str, Any]:
    """What podman knows of it."""
    (found,) = json.loads(podman("image", "inspect", image))
    return dict(found)


@pytest.fixture(scope="session")
def inside(image: str) -> Inside:
    """Runs a program in the image without any network: what it printed."""

    def run(*argv: str, user: str = "worker") -> str:
        return podman("run", "--rm", "--network", "none", "--user", user, image, *argv)

    return run


@pytest.fixture
def world() -> Iterator[World]:
    with World() as around:
        yield around
