"""The image as a function of Lambda, under the runtime interface emulator that the SAM CLI carries."""

import http.client
import json
import platform
import socket
from pathlib import Path
from time import monotonic

import samcli.local.rapid

from alm.image.container import Container, podman, started
from alm.image.own_network import connected, own_network
from alm.image.platform import Lambda, write_calls
from alm.image.world import World
from orchestrator.domain.outcome import JobResult, Outcome
from orchestrator.domain.wall import Rung

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}
EMULATOR = Path(next(iter(samcli.local.rapid.__path__)), f"aws-lambda-rie-{ARCHITECTURE[platform.machine()]}")
INVOCATIONS = "/2015-03-31/functions/function/invocations"
PORT, UP_WITHIN_S = 8080, 30.0


def function(image: str, world: World, folder: Path, **told: str) -> JobResult:
    """One message through the function, and the result through the publisher."""
    environment = {**world.worker_environment, **told}
    with own_network(world.urls) as network:
        calls = write_calls(folder, landlock=False)
        emulated = Lambda(image, network, calls, environment, EMULATOR)
        with started(emulated.argv(), environment) as container:
            assert _answer(network, container, json.dumps(world.next_job())) == b"null"
    return world.result()


def _answer(network: Path, container: Container, event: str) -> bytes:
    """What the handler returned; an error of its own would be JSON with an errorMessage."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    connection.sock = _connected(network, container)
    connection.request("POST", INVOCATIONS, event)
    return connection.getresponse().read()


def _connected(network: Path, container: Container) -> socket.socket:
    deadline = monotonic() + UP_WITHIN_S
    while True:
        try:
            return connected(network, PORT)
        except ConnectionRefusedError:
            assert monotonic() < deadline, podman("logs", container.name)


def test_a_function_refuses_where_it_can_build_no_wall(image: str, world: World, tmp_path: Path) -> None:
    key = world.ask()
    result = function(image, world, tmp_path)
    assert result.verdict.outcome is Outcome.REFUSED
    assert "No wall could be built around the agent" in world.comments(key)
    assert world.model.requests == []


def test_a_function_works_where_the_deployment_accepts_the_machine_as_the_wall(
    image: str, world: World, tmp_path: Path
) -> None:
    key = world.ask()
    result = function(image, world, tmp_path, SANDBOX_FLOOR="vm-boundary")
    assert result.verdict.outcome is Outcome.SUCCEEDED
    assert result.sandbox is Rung.VM_BOUNDARY
    assert "Ten pieces cost full price because the discount starts above ten" in world.comments(key)
    assert "No wall stood around the agent" in world.comments(key)
