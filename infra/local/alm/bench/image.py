"""The worker image: how large it is, and how long a task takes from its start to its first word to the model."""

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from alm.image.container import NoContainersError, built, run, size_bytes
from alm.image.own_network import own_network
from alm.image.platform import Fargate, write_calls
from alm.image.world import World

ROUNDS = 5


@dataclass(frozen=True)
class Started:
    """Megabytes, and median seconds from the container's start to the model's first request."""

    size_mb: float
    start_s: float


def started() -> Started | None:
    """Measure it as a task of Fargate with Landlock; None where this machine runs no container."""
    try:
        image = built()
    except NoContainersError:
        return None
    # The first one reads the image from the disk.
    seconds = [_start_s(image) for _ in range(ROUNDS + 1)][1:]
    return Started(size_bytes(image) / 10**6, statistics.median(seconds))


def _start_s(image: str) -> float:
    with World() as world, own_network(world.urls) as network, tempfile.TemporaryDirectory() as folder:
        world.ask()
        calls = write_calls(Path(folder), landlock=True)
        told = world.worker_environment
        ended = run(Fargate(image, network, calls, told).argv(), told)
        if world.first_request is None:
            raise RuntimeError(f"the task asked no model:\n{ended.printed}")
        return (world.first_request - ended.started).total_seconds()


def rows() -> list[tuple[str, str, str, str, str]]:
    """For the table of the bench."""
    found = started()
    size, start = (
        ("not here", "not here") if found is None else (f"{found.size_mb:.0f} MB", f"{found.start_s:.2f} s")
    )
    return [
        ("worker image", size, "", "", "CLI + 300 MB"),
        ("task of it: start to first model request, warm disk", start, "", "", ""),
    ]
