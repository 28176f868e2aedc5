"""Kingfisher's detection engine in this process, with its rules and ours. No service is asked about a value."""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock, Thread

from kingfisher_sdk import Scanner
from kingfisher_sdk.rules import Rules

from orchestrator.domain.secret import ScanTimeout, SecretFinding, in_rendered, redacted

OWN_RULES = Path(__file__).with_name("secret_rules.yml")
# A file of 5 MB takes 0.05 s; one made of nothing but markers of private keys 25 s.
TIMEOUT_S = 20.0
# Of a text for people, which has 65,536 characters at most.
REDACT_TIMEOUT_S = 10.0
# Of a thread that takes only processor time nothing else wants.
IDLE_NICENESS = 19
UNSCANNED = "[removed: this text could not be searched for secrets in time]"


@dataclass(frozen=True)
class KingfisherScanner:
    """The scanner. Its rules are compiled at the first use (6 s), or loaded from the cache folder (0.5 s)."""

    cache: Path | None = None
    _loading: Lock = field(default_factory=Lock, repr=False, compare=False)

    def load_early(self) -> None:
        """Begin to load the rules in the background. A search that comes before they are loaded waits for them."""
        # Not a daemon: the interpreter ends such a thread by an exception that native code answers with an abort.
        Thread(target=self._load_when_idle, name="secret-rules").start()

    def find(self, text: str, timeout_s: float | None = None) -> tuple[SecretFinding, ...]:
        """Every value that looks like a secret; ScanTimeout if the time was not enough."""
        # With a NUL the engine may take the text for UTF-16, and count places in another text than this one.
        plain = text.replace("\0", " ")
        content = plain.encode("utf-8", "replace")
        try:
            found = self._scanner.scan(
                content, timeout=max(TIMEOUT_S if timeout_s is None else timeout_s, 0.001)
            )
        except TimeoutError as error:
            raise ScanTimeout from error
        places = [
            (one.rule_id, one.location["start_offset"], one.location["end_offset"])
            for one in found
            # The others are parts of a credential that are no secret without the rest, such as an account's name.
            if one.visible
        ]
        return tuple(_in_characters(content, places))

    def redact(self, text: str) -> str:
        """The text with every such value replaced, one that Markdown splits as well; never raises for a text."""
        try:
            found = (*self._soon(text), *in_rendered(text, self._soon))
        except ScanTimeout:
            return UNSCANNED
        return redacted(text, found)

    def _soon(self, text: str) -> tuple[SecretFinding, ...]:
        return self.find(text, REDACT_TIMEOUT_S)

    def _load_when_idle(self) -> None:
        # Linux gives each thread its own niceness, and process 0 is the calling thread.
        os.setpriority(os.PRIO_PROCESS, 0, IDLE_NICENESS)
        _ = self._scanner

    @property
    def _scanner(self) -> Scanner:
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> Scanner:
        cache = self.cache or Path(tempfile.gettempdir(), "alm-secret-rules")
        # The library refuses a folder that is not this user's alone, and then compiles the rules each time.
        return Scanner(Rules([str(OWN_RULES)], cache_dir=str(cache)))


def _in_characters(content: bytes, places: Iterable[tuple[str, int, int]]) -> Iterable[SecretFinding]:
    """Places in bytes as places in characters, in one pass."""
    position = characters = 0
    for rule, start, end in sorted(places, key=lambda place: place[1:]):
        characters += len(content[position:start].decode("utf-8", "ignore"))
        position = start
        length = len(content[start:end].decode("utf-8", "ignore"))
        yield SecretFinding(rule, characters, characters + max(length, 1))
