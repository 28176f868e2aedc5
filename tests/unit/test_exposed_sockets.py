"""Which unix sockets of a machine an agent without a network of its own could call."""

import os
import socket
from pathlib import Path

import pytest

from orchestrator.adapters.wall.exposed_sockets import lets_in, listening

AGENT = 61_000
TABLE = """\
0000000043ba93fd: 00000003 00000000 00000000 0001 03  1135
00000000d4328a8a: 00000002 00000000 00010000 0001 01  2001 /run/a socket
00000000d4328a8b: 00000002 00000000 00010000 0001 01  2002 @abstract
00000000d4328a8c: 00000003 00000000 00000000 0001 03  2003 /run/connected
00000000d4328a8e: 00000002 00000000 00000000 0002 01  2005 /run/log
00000000d4328a8d: 00000002 00000000 00000000 0001 01  2004 @alm-agent-61000
""".splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that, but for those above it, everybody may enter."""
    tmp_path.chmod(0o711)
    return tmp_path


def listener(path: Path, mode: int) -> str:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    path.chmod(mode)
    return str(path)


def test_what_listens_or_takes_messages_under_a_name_is_found() -> None:
    assert list(listening(TABLE)) == ["/run/a socket", "@abstract", "/run/log"]


def test_an_abstract_socket_asks_nobody() -> None:
    assert lets_in("@anything", AGENT)


@pytest.mark.parametrize(
    ("mode", "open_to_all"), [(0o600, False), (0o660, False), (0o666, True), (0o602, True)]
)
def test_a_sockets_own_mode_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mode: int, open_to_all: bool
) -> None:
    monkeypatch.chdir(folder)
    # Only the folders of the test: what lies above them is the machine's.
    path = listener(folder / "s", mode)
    everybody_may_enter = all(parent.stat().st_mode & 0o001 for parent in folder.parents)
    assert lets_in(path, AGENT) is (open_to_all and everybody_may_enter)


def test_a_closed_folder_above_keeps_everybody_out(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o700)
    assert not lets_in(listener(folder / "closed" / "s", 0o666), AGENT)


def test_the_agents_own_gateway_is_not_meant() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    with socket.socket(socket.AF_UNIX) as server:
        path = Path("/run") / f"alm-test-{os.getpid()}"
        server.bind(str(path))
        try:
            path.chmod(0o600)
            assert not lets_in(str(path), AGENT)
            path.chmod(0o666)
            assert lets_in(str(path), AGENT)
            os.chown(path, AGENT, AGENT)
            assert not lets_in(str(path), AGENT)
        finally:
            path.unlink()


def test_one_that_is_gone_lets_nobody_in() -> None:
    assert not lets_in("/nothing/here", AGENT)
