"""A scanner with one rule that a test can write by hand, and the repository's files as a dictionary."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.code_host import FakeCheckout
from tests.fakes.faults import Faults

from orchestrator.domain.changeset import Changeset, FileChange, FileMode
from orchestrator.domain.secret import ScanTimeout, SecretFinding, in_rendered, redacted
from orchestrator.ports import RepositoryFiles, SecretScanner

RULE = "fake.secret"
# A change that the scanner finds something in, and one of a sensitive file.
LEAK = FileChange.written("app.py", FileMode.REGULAR, b"key = SECRET-1234\n")
HOOK = FileChange.written(".husky/pre-commit", FileMode.REGULAR, b"npm test\n")
_VALUE = re.compile(r"SECRET-[0-9]{4}")


def changed(change: FileChange) -> FakeCheckout:
    """A clone in which that has changed."""
    return FakeCheckout(Changeset(base_sha="a" * 40, changes=(change,)))


@dataclass
class FakeScanner:
    """Finds `SECRET-` and four digits. `is_slow`: no text is searched in time."""

    is_slow: bool = False
    asked: list[str] = field(default_factory=list)

    def find(self, text: str, timeout_s: float | None = None) -> tuple[SecretFinding, ...]:
        del timeout_s
        if self.is_slow:
            raise ScanTimeout
        self.asked.append(text)
        return tuple(self._found(text))

    def redact(self, text: str) -> str:
        return redacted(text, (*self._found(text), *in_rendered(text, self._found)))

    def _found(self, text: str) -> Iterator[SecretFinding]:
        for match in _VALUE.finditer(text):
            yield SecretFinding(RULE, *match.span())


@dataclass
class FakeFiles:
    """Files by path: `base` on the commit a change starts from, `trunk` on the default branch."""

    base: Mapping[str, bytes] = field(default_factory=dict)
    trunk: Mapping[str, bytes] = field(default_factory=dict)
    executable: frozenset[str] = frozenset()
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)

    def content(self, path: str, commit: str | None = None) -> bytes | None:
        self.faults.strike("content")
        self.asked.append((path, commit))
        return (self.trunk if commit is None else self.base).get(path)

    def executables(self, commit: str) -> frozenset[str]:
        self.faults.strike("executables")
        del commit
        return self.executable


if TYPE_CHECKING:
    _scanner: SecretScanner = FakeScanner()
    _files: RepositoryFiles = FakeFiles()
