"""The disposable machine keeps everything to itself, and what is planted on it notices every attack that works."""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conformance.host import Host, planted
from tests.conformance.machine import in_machine

_PROXIES = urllib.request.ProxyHandler({})


def harm(does: Callable[[Host], object]) -> tuple[str, ...]:
    """What a host shows after something was done on it."""

    def work() -> tuple[str, ...]:
        with planted(abstract=True) as host:
            does(host)
            return host.harm()

    return in_machine(work)


def test_what_is_written_in_a_machine_is_gone_with_it() -> None:
    name = f"alm-machine-test-{os.getpid()}"
    places = [Path(folder, name) for folder in ("/usr/bin", "/etc", "/var/tmp", "/tmp", "/dev/shm")]

    def work() -> list[bool]:
        for place in places:
            place.write_text("x")
        return [place.exists() for place in places]

    assert all(in_machine(work))
    assert [place for place in places if place.exists()] == []


def test_a_machine_has_no_network_but_loopback() -> None:
    names = in_machine(lambda: [name for _, name in socket.if_nameindex()])
    assert "lo" in names
    with pytest.raises(RuntimeError, match="Network is unreachable"):
        in_machine(lambda: socket.create_connection(("192.0.2.1", 80), 1))


def test_no_process_outlives_its_machine() -> None:
    def starts() -> None:
        subprocess.Popen(
            ["/bin/bash", "-c", f"exec -a alm-machine-{os.getppid()}-left sleep 300"], start_new_session=True
        )

    in_machine(starts)
    lines = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    assert not any(b"alm-machine-" in line and b"-left" in line for line in lines)


def test_what_goes_wrong_in_a_machine_is_told() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        in_machine(lambda: 1 / 0)


def test_a_machine_that_dies_is_noticed() -> None:
    with pytest.raises(RuntimeError, match="ended before"):
        in_machine(lambda: os._exit(0))


def test_a_host_that_nobody_attacks_is_as_it_was() -> None:
    assert harm(lambda host: host.mark) == ()


@pytest.mark.parametrize(
    ("attack", "shows"),
    [
        (lambda host: Path("/usr/bin", f"{host.mark}-x").touch(), "file /usr/bin/"),
        (lambda host: Path(host.words["secret"]).write_text("other"), "file /var/tmp/"),
        (lambda host: Path(host.words["becomes_root"]).chmod(0o755), "file /usr/local/bin/"),
        (lambda host: host.victim.kill(), "the process outside was ended"),
        (
            lambda host: subprocess.Popen(["/bin/bash", "-c", f"exec -a {host.mark}-x sleep 300"]),
            "process c",
        ),
        (lambda host: socket.create_connection(("127.0.0.1", int(host.words["port"]))).recv(1), "socket tcp"),
        (lambda host: socket.getaddrinfo(f"{host.mark}.carried.example", 80), "network name c"),
        (
            lambda _: urllib.request.build_opener(_PROXIES).open("http://metadata.google.internal/x").read(),
            "network page metadata.google.internal/x",
        ),
        (
            lambda _: urllib.request.build_opener(_PROXIES).open("http://169.254.169.254/x").read(),
            "network page 169.254.169.254/x",
        ),
    ],
    ids=[
        *("a file", "a changed file", "a changed mode", "an ended process", "a process left"),
        *("a connection", "a name", "metadata by name", "metadata by address"),
    ],
)
def test_an_attack_that_works_is_seen(attack: Callable[[Host], object], shows: str) -> None:
    def until_it_shows(host: Host) -> None:
        attack(host)
        deadline = time.monotonic() + 10
        while not any(what.startswith(shows) for what in host.harm()) and time.monotonic() < deadline:
            time.sleep(0.02)

    assert any(what.startswith(shows) for what in harm(until_it_shows))
