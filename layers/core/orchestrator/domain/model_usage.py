"""What the model's service says a call used, read from its answer as the bytes pass by.

An answer in a stream says it twice: at its start what was read, at its end what was written.
https://docs.claude.com/en/api/messages-streaming
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

# A line of a stream that tells of usage is short; a whole answer in one piece is as long as max_tokens allows.
LONGEST_LINE = 2 * 1024 * 1024
# Beyond this it is no count of tokens.
MOST_TOKENS = 100_000_000


@dataclass(frozen=True)
class Usage:
    """Tokens of one call, by what they cost."""

    input: int = 0
    output: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0

    @property
    def input_tokens(self) -> int:
        """Everything the model read."""
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read

    def at_least(self, other: "Usage") -> "Usage":
        """The larger of each: later events repeat and complete what earlier ones said."""
        return Usage(*(max(getattr(self, part.name), getattr(other, part.name)) for part in fields(self)))

    def plus(self, other: "Usage") -> "Usage":
        """Both together."""
        return Usage(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))


@dataclass
class UsageReader:
    """Takes an answer piece by piece, keeps one line of it at most, and never fails."""

    content_type: str
    content_encoding: str = ""
    started: bool = False
    complete: bool = False
    usage: Usage = Usage()
    _line: bytearray = field(default_factory=bytearray)
    _too_long: bool = False

    def feed(self, chunk: bytes) -> None:
        """Take what has arrived."""
        if not self._is_stream:
            return self._add(chunk)
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            self._add(part)
            self._take_line()
        return self._add(rest)

    def end(self) -> None:
        """Take what was left: the last line, or the whole of an answer in one piece."""
        self._take_line()

    @property
    def _is_stream(self) -> bool:
        return self.content_type.lower().startswith("text/event-stream")

    def _add(self, part: bytes) -> None:
        self._too_long = self._too_long or len(self._line) + len(part) > LONGEST_LINE
        if self._too_long:
            self._line.clear()
        else:
            self._line += part

    def _take_line(self) -> None:
        line, skipped = bytes(self._line), self._too_long
        self._line.clear()
        self._too_long = False
        if not skipped and self.content_encoding.lower() in {"", "identity"}:
            self._read(line)

    def _read(self, line: bytes) -> None:
        try:
            if not self._is_stream:
                self._take_message(json.loads(line))
            elif line.startswith(b"data:") and (b"message_start" in line or b"message_delta" in line):
                self._take_event(json.loads(line.removeprefix(b"data:")))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return  # nothing that tells of usage

    def _take_event(self, event: Mapping[str, Any]) -> None:
        if event["type"] == "message_start":
            self.usage = self.usage.at_least(usage_of(event["message"]["usage"]))
            self.started = True
        elif event["type"] == "message_delta":
            self.usage = self.usage.at_least(usage_of(event["usage"]))
            self.complete = self.started and _count(event["usage"], "output_tokens") is not None

    def _take_message(self, message: Mapping[str, Any]) -> None:
        self.usage = usage_of(message["usage"])
        self.started = self.complete = _count(message["usage"], "output_tokens") is not None


def usage_of(said: Mapping[str, Any]) -> Usage:
    """The usage in the service's own words. Passes of a call that the sums leave out are listed beside them."""
    passes = said.get("iterations")
    listed = [_one(item) for item in passes if isinstance(item, dict)] if isinstance(passes, list) else []
    total = Usage()
    for item in listed:
        total = total.plus(item)
    return _one(said).at_least(total)


def _one(said: Mapping[str, Any]) -> Usage:
    written = _count(said, "cache_creation_input_tokens") or 0
    parts = said.get("cache_creation")
    long_lived = (_count(parts, "ephemeral_1h_input_tokens") or 0) if isinstance(parts, dict) else 0
    return Usage(
        input=_count(said, "input_tokens") or 0,
        output=_count(said, "output_tokens") or 0,
        cache_write_5m=max(written - long_lived, 0),
        cache_write_1h=long_lived,
        cache_read=_count(said, "cache_read_input_tokens") or 0,
    )


def _count(said: Mapping[str, Any], name: str) -> int | None:
    value = said.get(name)
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None
