"""Builds the worker image and runs it with podman. A machine that cannot says why."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from alm.environment import ROOT, machine_environment

_CANNOT = 3  # of scripts/container-host
_FRACTION_DIGITS = 6


class NoContainersError(Exception):
    """This machine cannot build or run the worker image."""


@cache
def built() -> str:
    """The image's name, built of this tree; once a process."""
    done = subprocess.run(
        (ROOT / "scripts" / "container-host", "--build"),
        env=machine_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == _CANNOT:
        raise NoContainersError(done.stderr.strip().rpartition("container-host: ")[2])
    if done.returncode != 0:
        raise RuntimeError(f"the worker image could not be built:\n{done.stderr[-4000:]}")
    return done.stdout.strip()


def podman(*arguments: str, environment: Mapping[str, str] | None = None, check: bool = True) -> str:
    """What it printed, errors included."""
    done = subprocess.run(
        ("podman", *arguments),
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if check and done.returncode != 0:
        raise RuntimeError(f"podman {arguments[0]} ended with {done.returncode}: {done.stdout[-4000:]}")
    return done.stdout


def size_bytes(image: str) -> int:
    """Of all its layers, unpacked."""
    (facts,) = json.loads(podman("image", "inspect", image))
    return int(facts["Size"])


@dataclass(frozen=True)
class Ended:
    """A container that ran: its exit status, when it started, and what it printed."""

    status: int
    started: datetime
    printed: str

    @property
    def lines(self) -> tuple[dict[str, Any], ...]:
        """The log lines among it."""
        return tuple(json.loads(line) for line in self.printed.splitlines() if line.startswith("{"))


@dataclass(frozen=True)
class Container:
    """One that was started."""

    name: str

    def ended(self, limit_s: float = 120) -> Ended:
        """What became of it, once it has ended by itself."""
        waited = subprocess.run(
            ("podman", "wait", self.name), capture_output=True, timeout=limit_s, check=True
        )
        (facts,) = json.loads(podman("inspect", self.name))
        return Ended(int(waited.stdout), moment(facts["State"]["StartedAt"]), podman("logs", self.name))

    def stop(self) -> None:
        """Ask it to end, as ECS does."""
        podman("kill", "--signal", "TERM", self.name)


@contextmanager
def started(argv: Sequence[str], environment: Mapping[str, str]) -> Iterator[Container]:
    """A container, taken away afterwards with its volumes; `argv` is that of `podman create`."""
    container = Container(podman("create", *argv, environment=environment).splitlines()[-1])
    try:
        podman("start", container.name)
        yield container
    finally:
        podman("rm", "--force", "--volumes", "--time", "0", container.name, check=False)


def run(argv: Sequence[str], environment: Mapping[str, str]) -> Ended:
    """One container from its start to its end."""
    with started(argv, environment) as container:
        return container.ended()


def moment(text: str) -> datetime:
    """A time as podman writes it, with more digits than Python reads."""
    whole, _, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return datetime.fromisoformat(f"{whole}.{digits[:_FRACTION_DIGITS]:0<6}{rest[len(digits) :]}")
