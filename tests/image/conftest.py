import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from alm.image.container import NoContainersError, built, podman
from alm.image.world import World

Inside = Callable[..., str]
Tell = Callable[[str], None]

_told: list[str] = []


@pytest.fixture(scope="session")
def image() -> str:
    """The worker image, built of this tree once a session."""
    try:
        return built()
    except NoContainersError as reason:
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


@pytest.fixture
def tell() -> Tell:
    """Takes what was measured: it stands below the tests."""
    return _told.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _told:
        terminalreporter.write_line(f"measured: {line}")
