"""Unix sockets of the machine that any user could call: a way out of a wall that shares the machine."""

import stat
from collections.abc import Iterable
from pathlib import Path

_TABLE = Path("/proc/net/unix")
_LISTENS = 0x10000  # __SO_ACCEPTCON of <linux/net.h>
_DATAGRAM = 2  # SOCK_DGRAM: takes what it is sent, without listening first
_PATH_FIELD = 7


def exposed_sockets(uid: int) -> tuple[str, ...]:
    """Names of sockets that listen and let that user in without being made for it; see proc_pid_net(5)."""
    lines = _TABLE.read_text(errors="replace").splitlines()[1:]
    return tuple(name for name in listening(lines) if lets_in(name, uid))


def listening(lines: Iterable[str]) -> Iterable[str]:
    """The names of what can be called; an abstract one begins with @, one without a name is of no use to others."""
    for line in lines:
        fields = line.split(maxsplit=_PATH_FIELD)
        if len(fields) > _PATH_FIELD and (int(fields[3], 16) & _LISTENS or int(fields[4], 16) == _DATAGRAM):
            yield fields[_PATH_FIELD]


def lets_in(name: str, uid: int) -> bool:
    """Whether that user may connect, by the modes of socket and folders. An abstract one asks nobody."""
    path = Path(name)
    if not path.is_absolute():
        return True
    try:
        return _may(path, uid, stat.S_IWUSR) and all(
            _may(folder, uid, stat.S_IXUSR) for folder in path.parents
        )
    except OSError:
        return False  # it is gone, or in another mount namespace


def _may(path: Path, uid: int, wanted: int) -> bool:
    found = path.stat()
    if found.st_uid == uid:
        return False  # its own gateway's
    shift = 3 if found.st_gid == uid else 6
    return bool(found.st_mode & (wanted >> shift))
