"""Paths of a repository: which a pull request of ours may carry, which are the same elsewhere, which are protected.

Nothing is read here. A path is a string with `/` between its names; it was written by somebody we do not trust.
"""

import re
import unicodedata

from orchestrator.domain.changeset import Ground
from orchestrator.domain.untrusted import visible

# File systems hold 255 bytes a name; git and most tools 4,096 a path, of which a clone's own folder needs a part.
LONGEST_NAME = 255
LONGEST_PATH = 1024
# Macs leave these out when they compare names, so that `.g\u200cit` is `.git` there. Source: git's utf8.c.
_IGNORED_ON_MACS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])[ ]*([.].*)?")
_NOT_ON_WINDOWS = re.compile(r'[\\:*?"<>|]|[. ]$|^ ')
# The second name that Windows gives a long one: `git~1` is `.git`, `GITHUB~1` is `.github`.
_SHORT_NAME = re.compile(r"[^.~]{1,7}~[0-9]{1,6}([.][^.]{0,3})?")


def folded(path: str) -> str:
    """What stays of a path where case, and how accents are written, make no difference."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def path_fault(path: str) -> Ground | None:
    """Why no pull request of ours may write this path; None if one may."""
    names = path.split("/")
    if _is_long(path, names):
        return Ground.TOO_LONG
    faults = (
        (Ground.GIT, any(map(_is_gits, names))),
        (Ground.UNREADABLE, not is_readable(path)),
        (Ground.UNPORTABLE, not all(map(_is_portable, names))),
    )
    return next((ground for ground, holds in faults if holds), None)


def is_readable(path: str) -> bool:
    """Whether people see every character of it, and it is a path below the repository's root."""
    plain = path.isprintable() and visible(path) == path
    return plain and not {"", ".", ".."} & set(path.split("/"))


def _is_gits(name: str) -> bool:
    plain = folded(_IGNORED_ON_MACS.sub("", name)).partition(":")[0].rstrip(". ")
    return plain == ".git" or re.fullmatch(r"(git|gitmod|gi[0-9a-f]{4})~[0-9]+", plain) is not None


def _is_portable(name: str) -> bool:
    odd = _NOT_ON_WINDOWS.search(name) or _DEVICES.fullmatch(name.casefold()) or _SHORT_NAME.fullmatch(name)
    return odd is None


def _is_long(path: str, names: list[str]) -> bool:
    size = len(path.encode("utf-8", "surrogatepass"))
    return size > LONGEST_PATH or any(
        len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME for name in names
    )


def pattern_fault(pattern: str) -> str | None:
    """Why a pattern would protect nothing, or not what it seems to; None if it is one."""
    faults = (
        (pattern.startswith("!"), "a pattern cannot take back another one"),
        (bool(set("\\[]") & set(pattern)), "a pattern knows *, ? and **, but no brackets and no backslash"),
        (not pattern.isprintable(), "a pattern holds only characters that people can see"),
        (not is_readable(pattern.strip("/")), "a pattern is a path below the repository's root"),
    )
    return next((reason for holds, reason in faults if holds), None)


def is_protected(path: str, patterns: tuple[str, ...], *, is_link: bool = False) -> bool:
    """Whether a pattern as in `.gitignore` holds for the path or a folder above it, in any case.

    A link counts as the folder it may stand for: `.claude` is as good as everything in `.claude/`.
    """
    return any(_holds(_parts(pattern), folded(path), is_link) for pattern in patterns)


def _parts(pattern: str) -> list[str]:
    """The names of the pattern; one that names no folder holds in every folder, as in `.gitignore`."""
    parts = folded(pattern).strip("/").split("/")
    return parts if "/" in pattern.rstrip("/") else ["**", *parts]


def _holds(parts: list[str], path: str, is_link: bool) -> bool:
    wanted = _expression(parts)
    own = parts[1:] if parts[0] == "**" else parts
    # What could lie behind a link is made from the pattern itself: its stars match themselves.
    behind = ["/".join((path, *own[count:])) for count in range(1, len(own))] if is_link else []
    return any(wanted.fullmatch(candidate) for candidate in (path, *behind))


def _expression(parts: list[str]) -> re.Pattern[str]:
    *folders, last = parts
    above = "".join("(?:[^/]+/)*" if part == "**" else f"{_name(part)}/" for part in folders)
    return re.compile(above + (".+" if last == "**" else f"{_name(last)}(?:/.*)?"), re.DOTALL)


def _name(part: str) -> str:
    return re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
