"""Changes that are published only as a draft pull request, and what its body says of them.

The rules need no more than the change and, where they ask what is new, the file as it was on the base commit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from orchestrator.domain.changeset import FileChange, FileMode
from orchestrator.domain.publishable import shown
from orchestrator.domain.sensitive_paths import SENSITIVE, is_everyday, path_reason
from orchestrator.domain.untrusted import visible

BINARY_BYTES = 500_000
MOST_NAMED, MOST_ON_THE_TICKET = 50, 10
_HEAD_BYTES = 8_000
# ELF, Windows, Mach-O of 32 and 64 bits in both byte orders, and universal binaries, whose mark Java classes share.
_PROGRAMS = (
    b"\x7fELF",
    b"MZ",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Control characters are visible in a diff, or harmless: only characters that no reader sees are looked for.
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)))
EXECUTABLE_REASON = "it becomes executable"
PROGRAM_REASON = "it is a compiled program, which nobody can review here"
BIDI_REASON = "an added line holds characters that make text show in another order than it runs"
INVISIBLE_REASON = "an added line holds characters that nobody sees"
BINARY_REASON = "it is a binary file too large to be looked through"


@dataclass(frozen=True)
class Sensitive:
    """One file of a change, and why it matters."""

    path: str
    reason: str


@dataclass(frozen=True)
class Base:
    """What the sensitive rules may ask about the commit that a change starts from; each may cost a request."""

    content: Callable[[str], bytes | None]
    is_executable: Callable[[str], bool]


@dataclass(frozen=True)
class SensitiveRules:
    """Which files of a change are sensitive in this deployment."""

    patterns: tuple[str, ...] = SENSITIVE
    binary_bytes: int = BINARY_BYTES

    def in_change(self, changes: tuple[FileChange, ...], base: Base) -> tuple[Sensitive, ...]:
        """Every reason, one file after the other."""
        return tuple(chain.from_iterable(self._of(change, base) for change in changes))

    def _of(self, change: FileChange, base: Base) -> Iterator[Sensitive]:
        is_link = change.mode is FileMode.SYMLINK
        if reason := path_reason(change.path, self.patterns, is_link=is_link):
            yield Sensitive(change.path, reason)
        if change.mode is FileMode.EXECUTABLE and not base.is_executable(change.path):
            yield Sensitive(change.path, EXECUTABLE_REASON)
        for reason in () if change.is_deletion else self._content_reasons(change, base):
            yield Sensitive(change.path, reason)

    def _content_reasons(self, change: FileChange, base: Base) -> Iterator[str]:
        content = change.content or b""
        if content.startswith(_PROGRAMS):
            yield PROGRAM_REASON
        elif len(content) > self.binary_bytes and _is_binary(content):
            yield BINARY_REASON
        if reason := _hidden_reason(content, lambda: base.content(change.path)):
            yield reason


def _is_binary(content: bytes) -> bool:
    """Git's rule, and text in none of the encodings that a diff shows."""
    if b"\0" in content[:_HEAD_BYTES]:
        return True
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _hidden_reason(content: bytes, before: Callable[[], bytes | None]) -> str | None:
    """Why the added lines of a text show something else than they hold; the base is asked for only if a line does."""
    if content.isascii() or _is_binary(content):
        return None
    suspects = [line for line in content.decode("utf-8").removeprefix("\ufeff").splitlines() if _hides(line)]
    if not suspects:
        return None
    old = set((before() or b"").decode("utf-8", "replace").removeprefix("\ufeff").splitlines())
    added = [line for line in suspects if line not in old]
    if any(_BIDI & set(line) for line in added):
        return BIDI_REASON
    return INVISIBLE_REASON if added else None


def _hides(line: str) -> bool:
    """Whether a reader misses a character of the line, other than the joiners that emoji and some scripts need."""
    if line.isascii():
        return False
    plain = line.translate(_CONTROLS)
    return bool(_BIDI & set(plain)) or visible(plain) != plain


def _listed(sensitive: tuple[Sensitive, ...], most: int) -> str:
    named = [f"- {shown(one.path)}: {one.reason}" for one in sensitive[:most]]
    more = [f"- and {len(sensitive) - most} more"] if len(sensitive) > most else []
    return "\n".join((*named, *more))


def draft_note(sensitive: tuple[Sensitive, ...]) -> str:
    """What the ticket says of a draft, as Markdown; empty if nothing is sensitive."""
    if not sensitive:
        return ""
    lines = _listed(sensitive, MOST_ON_THE_TICKET)
    return f"The pull request is a draft, because a person has to look at these files first:\n\n{lines}"


def opening(sensitive: tuple[Sensitive, ...]) -> str:
    """The first words of a draft pull request, as Markdown; empty if nothing is sensitive."""
    if not sensitive:
        return ""
    lines = _listed(sensitive, MOST_NAMED)
    return (
        "**This pull request is a draft because it changes files that act by themselves or cannot be reviewed as "
        f"text. Look at these first:**\n\n{lines}\n\n"
        "Mark it as ready for review when you have looked at each of them."
    )


def everyday_line(changes: tuple[FileChange, ...]) -> str:
    """One line that names the files of everyday work that run code; empty if there are none."""
    paths = [change.path for change in changes if is_everyday(change.path)]
    if not paths:
        return ""
    named = ", ".join(map(shown, paths[:MOST_NAMED]))
    more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
    return f"Files that run code when somebody builds or tests: {named}{more}."
