"""The machine around the wall: what is planted on it, and what has become of it. No attack is decided here."""

import ctypes
import os
import secrets
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PR_SET_DUMPABLE = 4  # <linux/prctl.h>
# Where a file of an attack could come to lie.
_WATCHED = (
    "/",
    "/etc",
    "/usr",
    "/usr/bin",
    "/usr/local/bin",
    "/var",
    "/var/lib",
    "/var/tmp",
    "/run",
    "/mnt",
    "/dev/shm",
    "/tmp",
)


@dataclass(frozen=True)
class Listeners:
    """Sockets of the host that nobody behind a wall may reach."""

    tcp: socket.socket
    tcp6: socket.socket
    udp: socket.socket
    unix: socket.socket
    abstract: socket.socket | None

    def open(self) -> dict[str, socket.socket]:
        """Those there are."""
        return {name: one for name, one in vars(self).items() if one is not None}

    def reached(self) -> Iterator[str]:
        """The names of those that somebody came to."""
        for name, one in self.open().items():
            with suppress(BlockingIOError):
                one.recv(1) if name == "udp" else one.accept()
                yield name


@dataclass(frozen=True)
class Host:
    """One machine with everything planted. `mark` is in the name of all that an attack would make."""

    mark: str
    outside: Path
    secrets: Mapping[str, str]
    victim: "subprocess.Popen[bytes]"
    listeners: Listeners
    was: Mapping[Path, str]

    @property
    def words(self) -> dict[str, str]:
        """What the attacker is told of it: the most that anybody could know."""
        return {
            "mark": self.mark,
            "outside": str(self.outside),
            "secret": str(self.outside / "private" / "secret"),
            "home_secret": str(_in_home(self.mark)),
            "planted": self.secrets["repository"],
            "victim": str(self.victim.pid),
            "supervisor": str(os.getpid()),
            "port": str(self.listeners.tcp.getsockname()[1]),
            "port6": str(self.listeners.tcp6.getsockname()[1]),
            "udp": str(self.listeners.udp.getsockname()[1]),
            "unix": self.listeners.unix.getsockname(),
            "abstract": self.mark,
        }

    @property
    def temporary(self) -> Path:
        """Where the supervisor makes its folders."""
        return self.outside / "tmp"

    def harm(self) -> tuple[str, ...]:
        """What is not as it was: files made or changed, sockets reached, processes ended or left over."""
        now = _files(self.outside, self.mark)
        changed = [
            f"file {path}" for path in self.was.keys() | now.keys() if self.was.get(path) != now.get(path)
        ]
        made = [
            f"file {path}"
            for folder in _WATCHED
            for path in Path(folder).glob(f"*{self.mark}*")
            if path not in self.was
        ]
        ended = [] if self.victim.poll() is None else ["the process outside was ended"]
        left = [
            f"process {line}"
            for line in _command_lines()
            if str(int(self.mark, 16)) in line and "sleep" in line
        ]
        reached = [f"socket {name}" for name in self.listeners.reached()]
        return (*changed, *made, *ended, *left, *reached)


@contextmanager
def planted(*, abstract: bool) -> Iterator[Host]:
    """A host with baits everywhere, all taken away again. `abstract`: whether one is a socket without a file."""
    mark = f"c{secrets.token_hex(5)}"
    values = {
        name: f"planted-{name}-{secrets.token_hex(12)}"
        for name in ("file", "home", "environment", "repository", "memory")
    }
    with ExitStack() as stack:
        outside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="alm-host-", dir="/var/tmp")))
        outside.chmod(0o711)
        _write(outside, mark, values)
        stack.callback(_in_home(mark).unlink)
        stack.enter_context(_undumpable())
        victim = stack.enter_context(_victim(values["environment"]))
        listeners = _listeners(stack, outside / "private" / "host.sock", mark if abstract else None)
        yield Host(mark, outside, values, victim, listeners, _files(outside, mark))


def _in_home(mark: str) -> Path:
    return Path.home() / f".alm-{mark}"


def _write(outside: Path, mark: str, values: Mapping[str, str]) -> None:
    (outside / "private").mkdir(mode=0o700)
    (outside / "tmp").mkdir(mode=0o711)
    for path, value in ((outside / "private" / "secret", values["file"]), (_in_home(mark), values["home"])):
        path.touch(mode=0o600)
        path.write_text(f"{value}\n")


def _files(outside: Path, mark: str) -> dict[Path, str]:
    """Each planted file's mode and content, and the names of what lies beside."""
    found = [*outside.glob("*"), *outside.glob("private/*"), _in_home(mark)]
    return {path: _state(path) for path in found if path.name != "tmp"}


def _state(path: Path) -> str:
    content = path.read_text() if path.is_file() else ""
    return f"{path.stat().st_mode} {content}"


@contextmanager
def _undumpable() -> Iterator[None]:
    """As a worker is while it works."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


@contextmanager
def _victim(secret: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of the host with a secret in its environment and memory."""
    process = subprocess.Popen(
        ["/bin/sleep", "900"], env={"PLANTED_IN_ENVIRONM": secret}, start_new_session=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _listeners(stack: ExitStack, path: Path, name: str | None) -> Listeners:
    tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    tcp6 = stack.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6))
    udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    udp.bind(("127.0.0.1", 0))
    unix = stack.enter_context(socket.socket(socket.AF_UNIX))
    unix.bind(str(path))
    unix.listen()
    listeners = Listeners(tcp, tcp6, udp, unix, None if name is None else _abstract(stack, name))
    for one in listeners.open().values():
        one.settimeout(0)
    return listeners


def _abstract(stack: ExitStack, name: str) -> socket.socket:
    one = stack.enter_context(socket.socket(socket.AF_UNIX))
    one.bind(f"\0{name}")
    one.listen()
    return one


def _command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
