"""What is planted on a disposable machine, and what the attacks changed. No attack is defined here."""

import ctypes
import os
import secrets
import shutil
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Thread

from tests.conformance.world import World, world

_PR_SET_DUMPABLE = 4  # <linux/prctl.h>
_CAPS_V2, _MAY_READ_ALL = 0x02000001, 1 << 2  # <linux/capability.h>: effective, CAP_DAC_READ_SEARCH
# Where a file of an attack could come to lie.
_WATCHED = (
    "/",
    "/etc",
    "/usr",
    "/usr/bin",
    "/usr/local/bin",
    "/usr/local/share",
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
    """Sockets of the host that no attack behind a sandbox may reach. `reached` names those that answered."""

    tcp: socket.socket
    tcp6: socket.socket
    udp: socket.socket
    unix: socket.socket
    abstract: socket.socket | None
    reached: list[str] = field(default_factory=list)

    def open(self) -> dict[str, socket.socket]:
        """Those there are, by name."""
        return {name: one for name, one in vars(self).items() if isinstance(one, socket.socket)}

    def serve(self) -> None:
        """Answer in threads until the sockets are closed."""
        for name, one in self.open().items():
            Thread(target=self._answer, args=(name, one), daemon=True).start()

    def _answer(self, name: str, one: socket.socket) -> None:
        with suppress(OSError):
            while True:
                if name == "udp":
                    _, sender = one.recvfrom(64)
                    self.reached.append(name)
                    one.sendto(b"y", sender)
                else:
                    connection, _ = one.accept()
                    self.reached.append(name)
                    with connection, suppress(OSError):
                        connection.settimeout(1)
                        connection.recv(4096)
                        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")


@dataclass(frozen=True)
class Host:
    """One machine with everything planted. `mark` is in the name of all that an attack would make."""

    mark: str
    outside: Path
    secrets: Mapping[str, str]
    victim: "subprocess.Popen[bytes]"
    listeners: Listeners
    world: World
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
            "root_only": str(_root_only(self.mark)),
            "becomes_root": str(_helpers(self.mark)["root"]),
            "reads_all": str(_helpers(self.mark)["able"]),
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
        left = [f"process {line}" for line in _command_lines() if self.mark in line]
        reached = [f"socket {name}" for name in self.listeners.reached]
        arrived = [f"network {what}" for what in self.world.arrived]
        return (*changed, *made, *ended, *left, *reached, *arrived)


@contextmanager
def planted(*, abstract: bool) -> Iterator[Host]:
    """A host with baits everywhere, all taken away again. `abstract`: whether one is a socket without a file."""
    mark = f"c{secrets.token_hex(5)}"
    values = {
        name: f"planted-{name}-{secrets.token_hex(12)}"
        for name in ("file", "home", "environment", "repository", "memory", "root")
    }
    with ExitStack() as stack:
        outside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="alm-host-", dir="/var/tmp")))
        outside.chmod(0o711)
        _write(outside, mark, values)
        _install(mark)
        stack.enter_context(_undumpable())
        process = stack.enter_context(victim(values["environment"]))
        listeners = _listeners(stack, outside / "private" / "host.sock", mark if abstract else None)
        internet = stack.enter_context(world(outside / "private"))
        yield Host(mark, outside, values, process, listeners, internet, _files(outside, mark))


def _in_home(mark: str) -> Path:
    return Path.home() / f".alm-{mark}"


def _root_only(mark: str) -> Path:
    return Path("/usr/local/share") / f"{mark}-root-only"


def _helpers(mark: str) -> dict[str, Path]:
    """Programs with a privilege of their own: the user root, and the capability to read every file."""
    return {name: Path("/usr/local/bin") / f"{mark}-{name}" for name in ("root", "able")}


def _install(mark: str) -> None:
    """Programs that print any file: one belongs to root and has the set-uid bit, one has a file capability."""
    helpers = _helpers(mark)
    for path in helpers.values():
        shutil.copy("/bin/cat", path)
    helpers["root"].chmod(0o4755)
    os.setxattr(helpers["able"], "security.capability", struct.pack("<5I", _CAPS_V2, _MAY_READ_ALL, 0, 0, 0))


def _write(outside: Path, mark: str, values: Mapping[str, str]) -> None:
    (outside / "private").mkdir(mode=0o700)
    shutil.copy("/bin/true", outside / "program")
    (outside / "tmp").mkdir(mode=0o711)
    held = (
        (outside / "private" / "secret", values["file"]),
        (_in_home(mark), values["home"]),
        (_root_only(mark), values["root"]),
    )
    for path, value in held:
        path.touch(mode=0o600)
        path.write_text(f"{value}\n")


def _files(outside: Path, mark: str) -> dict[Path, str]:
    """Each planted file's mode and content, and the names of what lies beside."""
    own = (_in_home(mark), _root_only(mark), *_helpers(mark).values())
    found = [*outside.glob("*"), *outside.glob("private/*"), *own]
    return {path: _state(path) for path in found if path.name != "tmp"}


def _state(path: Path) -> str:
    content = path.read_bytes() if path.is_file() else b""
    return f"{path.stat().st_mode} {sha256(content).hexdigest()}"


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
def victim(secret: str) -> Iterator["subprocess.Popen[bytes]"]:
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
    listeners.serve()
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
