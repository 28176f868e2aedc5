"""A stored changeset as a patch that `git apply` takes, down to the last byte."""

import base64
import hashlib
import zlib
from collections.abc import Iterator

from orchestrator.adapters.git_collect import DIFF_LIMIT
from orchestrator.domain.changeset import Changeset, FileChange
from orchestrator.errors import ConfigError, NotFoundError

_LINE = 52
_PLAIN = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\')


def patch_of(changeset: Changeset | None) -> bytes:
    """The diff as it is stored, for people, if it says everything; else every file whole, in git's binary form."""
    if changeset is None or not changeset.changes:
        raise NotFoundError("The job kept no changes.")
    if _says_everything(changeset.diff):
        return changeset.diff.encode("utf-8", "replace")
    if any(change.before is None for change in changeset.changes):
        raise ConfigError(
            "The stored diff is not whole. The files are under `changeset` in the job's result."
        )
    return b"".join(part for change in changeset.changes for part in _parts(change))


def _says_everything(diff: str) -> bool:
    """Whether it was not cut, and holds no file that is not text; a mark in it may stand for bytes that were lost."""
    return 0 < len(diff) < DIFF_LIMIT and "\ufffd" not in diff and "\nBinary files " not in diff


def _parts(change: FileChange) -> Iterator[bytes]:
    """What git says of one path: a file that becomes a link goes first and comes again."""
    old_mode, _, old_id = (change.before or "").partition(" ")
    new_mode = "" if change.mode is None else str(change.mode)
    if old_mode and new_mode and old_mode[:3] != new_mode[:3]:
        yield _part(change.path, (old_mode, old_id), ("", ""), b"")
        old_mode, old_id = "", ""
    content = change.content or b""
    new_id = _object_id(content, len(old_id)) if new_mode else ""
    yield _part(change.path, (old_mode, old_id), (new_mode, new_id), content)


def _part(path: str, old: tuple[str, str], new: tuple[str, str], content: bytes) -> bytes:
    size = len(old[1] or new[1])
    lines = [b"diff --git %s %s" % (_name("a/" + path), _name("b/" + path)), *_modes(old[0], new[0])]
    lines.append(b"index %s..%s" % tuple((each or "0" * size).encode() for each in (old[1], new[1])))
    lines += [b"GIT binary patch", b"literal %d" % len(content), *_encoded(content), b""]
    return b"\n".join(lines) + b"\n"


def _modes(old: str, new: str) -> Iterator[bytes]:
    if not old:
        yield b"new file mode " + new.encode()
    elif not new:
        yield b"deleted file mode " + old.encode()
    elif old != new:
        yield from (b"old mode " + old.encode(), b"new mode " + new.encode())


def _encoded(content: bytes) -> Iterator[bytes]:
    """Lines of at most 52 bytes, each behind the letter of its length: A to Z for 1 to 26, a to z beyond."""
    packed = zlib.compress(content)
    for start in range(0, len(packed), _LINE):
        line = packed[start : start + _LINE]
        letter = len(line) + (ord("A") - 1 if len(line) <= 26 else ord("a") - 27)  # noqa: PLR2004  # as above
        yield bytes([letter]) + base64.b85encode(line, pad=True)


def _object_id(content: bytes, size: int) -> str:
    digest = hashlib.sha256 if size == hashlib.sha256().digest_size * 2 else hashlib.sha1
    return digest(b"blob %d\0%s" % (len(content), content)).hexdigest()


def _name(name: str) -> bytes:
    """As git writes it: as it is, or in quotes with what is not plain in octal."""
    raw = name.encode("utf-8", "replace")
    if _PLAIN.issuperset(raw):
        return raw
    return b'"%s"' % b"".join(bytes([each]) if each in _PLAIN else b"\\%03o" % each for each in raw)
