"""Judge a change as if the worker lied: is it published, held back, or published as a draft only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

from orchestrator.domain.changeset import Changeset, FileChange
from orchestrator.domain.leak import Leak, leak_reason, text_of
from orchestrator.domain.publishable import PROTECTED, oversize, reviewed, told
from orchestrator.domain.secret import ScanTimeout, SecretFinding
from orchestrator.domain.secret_allow import ALLOW_FILE, AllowList, allow_list
from orchestrator.domain.sensitive import Base, Sensitive, SensitiveRules, everyday_line
from orchestrator.ports import Clock, RepositoryFiles, SecretScanner

# A function that publishes has 120 s for everything.
SCAN_S = 45.0
MOST_LEAKS = 50
# Requests for files of the base commit that one change may cost.
MOST_BASE_FILES = 50


@dataclass(frozen=True)
class Judgement:
    """What becomes of a change. `reason` is why nothing is published; `notes` are sentences for the ticket."""

    reason: str = ""
    holds_secret: bool = False
    sensitive: tuple[Sensitive, ...] = ()
    everyday: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class JudgeChange:
    """The publisher's gate. It believes the change and the code host, and nothing else that a worker says."""

    scanner: SecretScanner
    files: RepositoryFiles
    clock: Clock
    protected: tuple[str, ...] = PROTECTED
    sensitive: SensitiveRules = field(default_factory=SensitiveRules)

    def __call__(self, changeset: Changeset) -> Judgement:
        """The judgement; ScanTimeout if the change could not be searched for secrets in time."""
        blocked = reviewed(changeset, self.protected).blocked
        is_readable = not any(oversize(len(changeset.changes), sum(one.size for one in changeset.changes)))
        search = _Search(self, changeset)
        leaks = tuple(islice(search.leaks(), MOST_LEAKS)) if is_readable else ()
        notes = search.notes()
        if blocked or leaks:
            reasons = (told(blocked) if blocked else "", leak_reason(leaks) if leaks else "", *notes)
            return Judgement("\n\n".join(filter(None, reasons)), holds_secret=bool(leaks))
        found = self.sensitive.in_change(changeset.changes, self._base(changeset.base_sha))
        return Judgement(sensitive=found, everyday=everyday_line(changeset.changes), notes=notes)

    def _base(self, base_sha: str) -> Base:
        executables = cache(lambda: self.files.executables(base_sha))
        return Base(
            content=lambda path: self.files.content(path, base_sha),
            is_executable=lambda path: path in executables(),
        )


class _Search:
    """One change searched for secrets; files of the code host are asked for only if there is a hit, and once."""

    def __init__(self, judge: JudgeChange, changeset: Changeset) -> None:
        self._judge = judge
        self._changes = changeset.changes
        self._ends = judge.clock.monotonic() + SCAN_S
        self._allowed: AllowList | None = None
        self._at_base: Callable[[str], str] = cache(lambda path: self._read(path, changeset.base_sha))

    def leaks(self) -> Iterator[Leak]:
        """Every value that looks like a secret, is new to the repository, and is not allowed."""
        for change in self._changes:
            if not change.is_deletion:
                yield from self._in_content(change)
                yield from self._in_name(change)

    def notes(self) -> tuple[str, ...]:
        """What is wrong with the allow-list, as far as it was needed."""
        return () if self._allowed is None else self._allowed.faults

    def _in_content(self, change: FileChange) -> Iterator[Leak]:
        text = text_of(change.content or b"")
        for finding in self._find(text):
            value = text[finding.start : finding.end]
            if not self._is_known(change, value) and not self._is_allowed(change.path, finding.rule, value):
                yield Leak(change.path, finding.line_in(text), finding.rule)

    def _in_name(self, change: FileChange) -> Iterator[Leak]:
        for finding in self._find(change.path):
            value = change.path[finding.start : finding.end]
            is_old = bool(self._at_base(change.path))
            if not is_old and not self._is_allowed(change.path, finding.rule, value):
                yield Leak(self._judge.scanner.redact(change.path), 0, finding.rule)

    def _find(self, text: str) -> tuple[SecretFinding, ...]:
        left_s = self._ends - self._judge.clock.monotonic()
        if left_s <= 0:
            raise ScanTimeout
        return self._judge.scanner.find(text, left_s)

    def _is_known(self, change: FileChange, value: str) -> bool:
        """Whether the file, or one that the change takes away, held the value on the base commit."""
        gone = (one.path for one in self._changes if one.is_deletion)
        paths = (change.path, *islice(gone, MOST_BASE_FILES))
        return any(value in self._at_base(path) for path in paths)

    def _is_allowed(self, path: str, rule: str, value: str) -> bool:
        if self._allowed is None:
            self._allowed = allow_list(self._judge.files.content(ALLOW_FILE))
        return self._allowed.holds_for(path, rule, value)

    def _read(self, path: str, commit: str) -> str:
        return text_of(self._judge.files.content(path, commit) or b"")
