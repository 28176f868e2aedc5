"""A network that only one container has, with a few of this process's ports on its loopback.

A Fargate task shares its network with nobody. On the machine's own one, a socket of any other program would count
against the wall, and the container could call everything that listens here.
"""

import ctypes
import socket
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Thread

from orchestrator.adapters.wall.own_user import UIDS

_CLONE_NEWNET = 0x40000000  # <linux/sched.h>
_SPLICE_BYTES = 64 * 1024
_READY = "ready"


@contextmanager
def own_network(urls: Iterable[str]) -> Iterator[Path]:
    """Its file, as `--network ns:FILE` takes it; the ports of the URLs lead to this machine's."""
    holder = subprocess.Popen(
        ("unshare", "--net", "sh", "-c", f"ip link set lo up && echo {_READY} && exec cat"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with ExitStack() as stack:
        stack.enter_context(holder)
        stack.callback(holder.kill)
        assert holder.stdout is not None  # noqa: S101  # it is a pipe
        if holder.stdout.readline().strip() != _READY:
            raise OSError("this machine makes no network for a container")
        network = Path(f"/proc/{holder.pid}/ns/net")
        for port in {int(url.rpartition(":")[2].partition("/")[0]) for url in urls}:
            stack.callback(_close, _relay(network, port))
        # Agents' users are told apart by names of this network, and a worker that is root ends all that its agent's
        # user runs: with the same user, one outside would end the container's.
        for uid in UIDS[: len(UIDS) // 2]:
            stack.callback(_inside(network, partial(_taken, uid)).close)
        yield network


def _taken(uid: int) -> socket.socket:
    lease = socket.socket(socket.AF_UNIX)
    lease.bind(f"\0alm-agent-{uid}")
    return lease


def connected(network: Path, port: int) -> socket.socket:
    """A connection to a port of the container."""
    return _inside(network, lambda: socket.create_connection(("127.0.0.1", port)))


def _relay(network: Path, port: int) -> socket.socket:
    listener = _inside(network, lambda: socket.create_server(("127.0.0.1", port), backlog=64))
    Thread(target=_accept, args=(listener, port), daemon=True).start()
    return listener


def _inside(network: Path, make: Callable[[], socket.socket]) -> socket.socket:
    """Which network it is, is a matter of the thread: this one ends, and its socket stays where it was made."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_enter, network).result()
        return thread.submit(make).result()


def _enter(network: Path) -> None:
    with network.open("rb") as file:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def _close(listener: socket.socket) -> None:
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _accept(listener: socket.socket, port: int) -> None:
    with suppress(OSError):  # closed
        while True:
            inside, _ = listener.accept()
            Thread(target=_join, args=(inside, port), daemon=True).start()


def _join(inside: socket.socket, port: int) -> None:
    with inside, suppress(OSError), socket.create_connection(("127.0.0.1", port)) as outside:
        back = Thread(target=_pump, args=(outside, inside), daemon=True)
        back.start()
        _pump(inside, outside)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_SPLICE_BYTES):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
