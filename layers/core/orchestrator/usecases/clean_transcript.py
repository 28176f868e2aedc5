"""Take secrets out of an agent's transcript before it is stored, one line at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from orchestrator.domain.secret import ScanTimeout, redacted
from orchestrator.ports import Clock, SecretScanner

# A line is held in memory whole, several times over. Those of the CLI have a few KB, with a large file read 1 MB.
LONGEST_LINE = 4_000_000
# Of lines that are no JSON, taken together.
LARGEST_BLOCK = 256_000
# For a whole transcript. 50 MB of plain text take about 2 s.
CLEAN_S = 120.0


@dataclass(frozen=True)
class CleanTranscript:
    """Copies a file of JSON lines without the secrets in it. A line that cannot be searched is left out and noted."""

    scanner: SecretScanner
    clock: Clock

    def __call__(self, source: Path, target: Path) -> None:
        """Write the clean copy; memory is bounded by the longest line."""
        ends = self.clock.monotonic() + CLEAN_S
        with source.open("rb") as raw, target.open("wb") as clean:
            for part in _parts(raw):
                clean.write(self._clean(part, ends))

    def _clean(self, line: bytes | None, ends: float) -> bytes:
        if line is None:
            return _left_out("it is longer than could be searched for secrets")
        left_s = ends - self.clock.monotonic()
        if left_s <= 0:
            return _left_out("there was no time left to search it for secrets")
        try:
            return self._redacted(line, left_s)
        except ScanTimeout:
            return _left_out("it could not be searched for secrets in time")

    def _redacted(self, line: bytes, left_s: float) -> bytes:
        """The line as it came where there is nothing in it."""
        text = line.decode("utf-8", "replace")
        value, strings = _parsed(text)
        if value is None:
            return self._without(text, left_s).encode()
        if not self.scanner.find("\n".join(strings), left_s):
            return line
        clean = json.dumps(self._each(value, left_s), ensure_ascii=False)
        # What only two strings together are taken for is in neither of them.
        if self.scanner.find("\n".join(_parsed(clean)[1]), left_s):
            return _left_out("it holds a secret in several parts")
        return f"{clean}\n".encode("utf-8", "replace")

    def _each(self, value: Any, left_s: float) -> Any:
        if isinstance(value, str):
            return self._without(value, left_s)
        if isinstance(value, list):
            return [self._each(one, left_s) for one in value]
        if isinstance(value, dict):
            return {self._without(name, left_s): self._each(one, left_s) for name, one in value.items()}
        return value

    def _without(self, text: str, left_s: float) -> str:
        return redacted(text, self.scanner.find(text, left_s))


def _parts(stream: BinaryIO) -> Iterator[bytes | None]:
    """Each line, but lines that are no JSON together: a key has several of them."""
    block: list[bytes] = []
    size = 0
    for line in _lines(stream):
        is_text = line is not None and not line.startswith(b"{")
        if block and (not is_text or size > LARGEST_BLOCK):
            yield b"".join(block)
            block, size = [], 0
        if line is not None and is_text:
            block.append(line)
            size += len(line)
        else:
            yield line
    if block:
        yield b"".join(block)


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Each line; None for one that is too long, which is read over."""
    while line := stream.readline(LONGEST_LINE):
        if len(line) < LONGEST_LINE or line.endswith(b"\n"):
            yield line
            continue
        yield None
        while line and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE)


def _parsed(text: str) -> tuple[Any, list[str]]:
    """The JSON object and every string in it, those of repeated names too; None and nothing if it is none."""
    strings: list[str] = []

    def kept(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for name, value in pairs:
            strings.append(name)
            strings.extend(_strings_of(value))
        return dict(pairs)

    try:
        value = json.loads(text, object_pairs_hook=kept)
    except (ValueError, RecursionError):
        return None, []
    return (value, strings) if isinstance(value, dict) else (None, [])


def _strings_of(value: Any) -> Iterator[str]:
    """The strings of a value, but for those of objects in it, which are known by then."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _strings_of(one)


def _left_out(reason: str) -> bytes:
    line = {
        "type": "alm",
        "subtype": "left_out",
        "reason": f"A line of the transcript is not kept: {reason}.",
    }
    return f"{json.dumps(line)}\n".encode()
