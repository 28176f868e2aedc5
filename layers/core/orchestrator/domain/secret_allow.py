"""The allow-list for false alarms: who reads it and when is not decided here.

One entry a line: a path pattern as in `.gitignore`, the scanner's rule, and optionally the SHA-256 of the value:

    tests/fixtures/**  betterleaks.private-key  sha256:<64 hex digits>

A value itself is never written there.
"""

import hashlib
from dataclasses import dataclass

from orchestrator.domain.repository_path import is_protected, pattern_fault

ALLOW_FILE = ".alm-secrets-allow"
LARGEST_ALLOW_FILE = 200_000
MOST_ENTRIES = 1_000
MOST_STARS = 3
_HASH = "sha256:"
_SHA256_DIGITS = 64


@dataclass(frozen=True)
class Allowed:
    """One false alarm that people have looked at: in these paths, by this rule, with this value if one is named."""

    pattern: str
    rule: str
    sha256: str = ""

    def holds_for(self, path: str, rule: str, value: str) -> bool:
        """Whether this entry is about that value."""
        known = not self.sha256 or self.sha256 == hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
        return known and rule == self.rule and is_protected(path, (self.pattern,))


@dataclass(frozen=True)
class AllowList:
    """The entries, and one sentence for each line that is no entry."""

    entries: tuple[Allowed, ...] = ()
    faults: tuple[str, ...] = ()

    def holds_for(self, path: str, rule: str, value: str) -> bool:
        """Whether any entry is about that value."""
        return any(entry.holds_for(path, rule, value) for entry in self.entries)


def allow_list(content: bytes | None) -> AllowList:
    """The file as a value; a line that is no entry allows nothing and is reported."""
    if content is None:
        return AllowList()
    if len(content) > LARGEST_ALLOW_FILE:
        return AllowList(faults=(f"`{ALLOW_FILE}` is larger than {LARGEST_ALLOW_FILE:,} bytes: not read.",))
    lines = content.decode("utf-8", "replace").splitlines()
    read = [
        _entry(number, line)
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    entries = tuple(one for one in read if isinstance(one, Allowed))
    faults = tuple(one for one in read if isinstance(one, str))
    if len(entries) > MOST_ENTRIES:
        faults = (*faults, f"`{ALLOW_FILE}` has more than {MOST_ENTRIES:,} entries: the others are not read.")
    return AllowList(entries[:MOST_ENTRIES], faults)


def _entry(number: int, line: str) -> Allowed | str:
    """The entry of a line, or what is wrong with it; the line is not quoted, since it may hold a value."""
    fields = line.split()
    if len(fields) not in {2, 3}:
        return _fault(number, "an entry is a path pattern, a rule and, if wanted, sha256:<hex>")
    if fault := pattern_fault(fields[0]) or _wildcard_fault(fields[0]):
        return _fault(number, fault)
    digest = fields[2].removeprefix(_HASH).lower() if len(fields) > 2 else ""  # noqa: PLR2004  # the third field
    if len(fields) > 2 and not (fields[2].startswith(_HASH) and _is_sha256(digest)):  # noqa: PLR2004
        return _fault(number, "the third field is sha256: and 64 hex digits")
    return Allowed(fields[0], fields[1], digest)


def _wildcard_fault(pattern: str) -> str | None:
    """Each star multiplies the time that a hostile path can cost."""
    stars = pattern.replace("**", "*").count("*")
    return f"a pattern has at most {MOST_STARS} stars" if stars > MOST_STARS else None


def _is_sha256(digest: str) -> bool:
    return len(digest) == _SHA256_DIGITS and set(digest) <= set("0123456789abcdef")


def _fault(number: int, reason: str) -> str:
    return f"Line {number} of `{ALLOW_FILE}` allows nothing: {reason}."
