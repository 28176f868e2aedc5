"""The first words of a TLS client, read for one thing: the name of the server it wants.

Strict on purpose: what this cannot read to its last byte is no hello. RFC 8446, sections 4.1.2 and 5.1; RFC 6066, 3.
"""

from collections.abc import Callable
from dataclasses import dataclass

# The largest of today, with post-quantum key shares, are about 2 KiB.
LONGEST_HELLO = 16 * 1024
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0
_TLS = 3
# Change of cipher, alert, handshake, data, heartbeat.
_RECORDS = range(20, 25)
# With all that encryption may add.
_LONGEST_RECORD = 5 + 16 * 1024 + 2048
_RECORD_HEAD, _MESSAGE_HEAD = 5, 4


@dataclass(frozen=True)
class Hello:
    """What has been read so far: incomplete, or the name that was asked for, None if there was none."""

    complete: bool
    server_name: str | None = None


class NotAHello(ValueError):  # noqa: N818  # it is an answer: these bytes are something else
    """The bytes are no ClientHello."""


def read_hello(data: bytes) -> Hello:
    """Read what has arrived; raises NotAHello as soon as it cannot become one."""
    message = _message(data)
    if message is None:
        return Hello(complete=False)
    try:
        return Hello(complete=True, server_name=_server_name(_Bytes(message)))
    except (IndexError, UnicodeDecodeError):
        raise NotAHello("a ClientHello that does not add up") from None


def _message(data: bytes) -> bytes | None:
    """The body of the message in the first record; None while some of it is missing."""
    if (data[:1] or b"\x16") != bytes([_HANDSHAKE]) or (data[1:2] or b"\x03") != bytes([_TLS]):
        raise NotAHello("no record of TLS")
    if len(data) < _RECORD_HEAD:
        return None
    end = _RECORD_HEAD + int.from_bytes(data[3:_RECORD_HEAD])
    if end > LONGEST_HELLO:
        raise NotAHello("too long a ClientHello")
    if len(data) < end:
        return None
    head, body = data[_RECORD_HEAD:end][:_MESSAGE_HEAD], data[_RECORD_HEAD:end][_MESSAGE_HEAD:]
    # In several records, or with another message behind it, it would be read here otherwise than by the server.
    if head[:1] != bytes([_CLIENT_HELLO]) or int.from_bytes(head[1:]) != len(body):
        raise NotAHello("no ClientHello in one record")
    return body


@dataclass
class SentRecords:
    """Watches what a client sends, record by record, since a server may have it say its hello a second time.

    The second one is read by the server like the first, and could name another. Both are held to one name.
    """

    allows: Callable[[str | None], bool]
    _held: bytes = b""
    _passing: int = 0

    def cleared(self, data: bytes) -> bytes:
        """What of it may be sent on now; raises NotAHello."""
        self._held += data
        length = 0
        while step := self._step(length):
            length += step
        cleared, self._held = self._held[:length], self._held[length:]
        return cleared

    def _step(self, start: int) -> int:
        """How many bytes from there on may pass."""
        left = len(self._held) - start
        if not self._passing and left >= _RECORD_HEAD:
            self._passing = self._judged(self._held[start : start + _LONGEST_RECORD])
        step = min(self._passing, left)
        self._passing -= step
        return step

    def _judged(self, record: bytes) -> int:
        """The length of a record that may pass, 0 while that cannot be said."""
        length = _RECORD_HEAD + int.from_bytes(record[3:_RECORD_HEAD])
        if record[0] not in _RECORDS or record[1] != _TLS or length > _LONGEST_RECORD:
            raise NotAHello("no record of TLS")
        if record[0] != _HANDSHAKE:
            return length
        if len(record) < length:
            return 0
        # An encrypted message looks like a hello once in 200,000.
        said = record[_RECORD_HEAD : _RECORD_HEAD + _MESSAGE_HEAD]
        if len(said) < _MESSAGE_HEAD or (
            said[0] == _CLIENT_HELLO and int.from_bytes(said[1:]) <= LONGEST_HELLO
        ):
            self._hold_to_name(record)
        return length

    def _hold_to_name(self, record: bytes) -> None:
        if not self.allows(read_hello(record).server_name):
            raise NotAHello("a ClientHello for another server")


class _Bytes:
    """Bytes that are taken from the front; IndexError where they run out."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def take(self, count: int) -> bytes:
        if count > len(self.left):
            raise IndexError
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> "_Bytes":
        """What follows a length of that many bytes."""
        return _Bytes(self.take(self.number(size)))

    def end(self) -> None:
        if self.left:
            raise IndexError


def _server_name(hello: _Bytes) -> str | None:
    hello.take(2 + 32)  # version, random
    hello.vector(1)  # session
    hello.vector(2)  # cipher suites
    hello.vector(1)  # compression
    if not hello.left:
        return None  # before there were extensions
    extensions = hello.vector(2)
    hello.end()
    names = [content for kind, content in _extensions(extensions) if kind == _SERVER_NAME]
    # Twice is forbidden, and servers differ in which one they take.
    if len(names) > 1:
        raise NotAHello("a ClientHello that names two servers")
    return _only_name(names[0]) if names else None


def _extensions(extensions: _Bytes) -> list[tuple[int, _Bytes]]:
    found = []
    while extensions.left:
        kind = extensions.number(2)
        found.append((kind, extensions.vector(2)))
    return found


def _only_name(content: _Bytes) -> str:
    listed = content.vector(2)
    content.end()
    if listed.number(1) != _HOST_NAME:
        raise IndexError
    name = listed.vector(2).left.decode("ascii")
    listed.end()
    return name
