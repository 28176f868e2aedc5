"""`sam build` makes the worker's image too, with podman where Docker would be."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alm.environment import ROOT, machine_environment
from alm.image.container import podman

NAME = "docker.io/library/runjob:alm-sam-build"
TEMPLATE = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "RunJob": {
            "Type": "AWS::Serverless::Function",
            "Properties": {"PackageType": "Image"},
            "Metadata": {
                "Dockerfile": "infra/worker/Dockerfile",
                "DockerContext": str(ROOT),
                "DockerTag": "alm-sam-build",
            },
        }
    },
}


@contextmanager
def docker_api(folder: Path) -> Iterator[str]:
    """Podman answers as Docker does; who connects before it is ready waits in the socket's queue."""
    address = folder / "podman.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen()
        # https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html: it has to be descriptor 3.
        shell = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec podman system service --time 0 3<&"$0"'
        service = subprocess.Popen(
            ["bash", "-c", shell, str(listening.fileno())],
            env={**machine_environment(), "HOME": str(Path.home())},
            pass_fds=(listening.fileno(),),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield f"unix://{address}"
        finally:
            service.terminate()
            service.wait(30)


def config(image: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(podman("image", "inspect", image))[0]["Config"]
    return found


def told_by(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an image says of itself, but for who built it."""
    labels = {name: label for name, label in facts["Labels"].items() if name.startswith("alm.version")}
    return {**{key: facts[key] for key in ("User", "Cmd", "Env", "WorkingDir", "Volumes")}, "Labels": labels}


def test_sam_builds_the_same_image_from_the_same_file(image: str, tmp_path: Path) -> None:
    (tmp_path / "template.json").write_text(json.dumps(TEMPLATE))
    folders = ("--build-dir", str(tmp_path / "build"), "--cache-dir", str(tmp_path / "cache"))
    argv = [str(Path(sys.executable).with_name("sam")), "build", "--template", "template.json", *folders]
    told = {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0", "HOME": str(tmp_path)}
    with docker_api(tmp_path) as address:
        environment = {**machine_environment(), **told, "DOCKER_HOST": address}
        done = subprocess.run(
            argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900, check=False
        )
    assert done.returncode == 0, done.stderr
    try:
        made, known = config(NAME), config(image)
    finally:
        podman("rmi", "--no-prune", NAME, check=False)
    assert told_by(made) == told_by(known)
