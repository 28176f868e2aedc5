"""Paths of a repository: which a pull request of ours may carry, which are the same elsewhere, which are protected.

Nothing is read here. A path is a string with `/` between its names; it was written by somebody we do not trust.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError

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
# A set of characters in a pattern, as in `[Mm]akefile`: the first one stands for it.
_BRACKETS = re.compile(r"\[[!^]?([^\]])[^\]]{0,100}\]")


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
    if not pattern.isprintable():
        return "a pattern holds only characters that people can see"
    try:
        spec = GitIgnoreSpec.from_lines([folded(pattern)])
    except (GitIgnorePatternError, re.error):
        return "a pattern is one line as in `.gitignore`"
    names = pattern.removeprefix("!").strip("/").split("/")
    if {"", ".", ".."} & set(names) or all(one.include is None for one in spec.patterns):
        return "a pattern is a path below the repository's root"
    return None


def is_protected(path: str, patterns: tuple[str, ...], *, is_link: bool = False) -> bool:
    """Whether the patterns, read as one `.gitignore`, hold for the path or a folder above it, in any case.

    A link counts as the folder it may stand for: `.claude` is as good as everything in `.claude/`.
    """
    spec = _spec(patterns)
    own = folded(path)
    behind = _behind(own, patterns) if is_link else ()
    return any(spec.match_file(candidate) for candidate in (own, *behind))


@lru_cache(maxsize=64)
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(folded(pattern) for pattern in patterns)


def _behind(path: str, patterns: tuple[str, ...]) -> Iterator[str]:
    """Paths that could lie behind a link at the path, made from the patterns themselves: a star matches itself."""
    yield f"{path}/"
    for pattern in patterns:
        names = _BRACKETS.sub(r"\1", folded(pattern)).strip("/").removeprefix("**/").split("/")
        for count in range(1, len(names)):
            yield "/".join((path, *names[count:]))
