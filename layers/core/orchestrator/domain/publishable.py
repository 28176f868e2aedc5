"""Which changes a pull request of ours may carry without a person: pure rules, held by the worker and the publisher.

The publisher believes nothing the worker says of a change, so every rule that needs no more than the change itself is
in `faults`. What takes the rest of the repository to see (`twins_in`, `links_out`) only the worker can hold.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from posixpath import normpath

from orchestrator.domain.changeset import Changeset, Fault, FileChange, FileMode, Ground
from orchestrator.domain.repository_path import folded, is_protected, is_readable, path_fault
from orchestrator.domain.secret_allow import ALLOW_FILE

# A change is read by a person: beyond these it is none. It travels as JSON and is held in memory whole.
MOST_FILES = 300
LARGEST_FILE = 5_000_000
LARGEST_CHANGE = 25_000_000
MOST_NAMED = 10
# What runs by itself, decides who reviews, or hides a change from the reviewer. A deployment may have others.
PROTECTED = (
    ".github/workflows/**",
    ".github/actions/**",
    "**/.claude/**",
    ".mcp.json",
    "/CODEOWNERS",
    ".github/CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitattributes",
)
# No setting takes these out: whoever can change the list of false alarms can publish a secret.
ALWAYS_PROTECTED = (f"/{ALLOW_FILE}",)
_MB = 1_000_000
WORDS: Mapping[Ground, str] = {
    Ground.PROTECTED: "a protected path, which only people change",
    Ground.UNREADABLE: "a name with characters that people cannot see or read",
    Ground.GIT: "a name that git uses for itself, or one that looks like it",
    Ground.UNPORTABLE: "a name that Windows cannot hold or takes for another",
    Ground.TOO_LONG: "a path longer than 1,024 bytes",
    Ground.TWIN: "there is another path that differs only in case or in how accents are written",
    Ground.LINK: "a link that leads out of the repository or into `.git`, or whose target is not plain",
    Ground.SUBMODULE: "a submodule is added, changed or removed",
    Ground.NESTED: "a repository inside the repository",
    Ground.HARD_LINK: "a hard link to a file outside the workspace",
    Ground.TOO_LARGE: f"a file larger than {LARGEST_FILE // _MB} MB",
    Ground.TOO_LARGE_RULES: "a file of rules for git that is too large to be read",
    Ground.TOO_MANY_FILES: f"more than {MOST_FILES} files are changed",
    Ground.TOO_MANY_BYTES: f"the changed files are larger than {LARGEST_CHANGE // _MB} MB together",
    Ground.TOO_MANY_ENTRIES: "there are too many files and folders in the workspace to look through",
    Ground.TOO_SLOW: "it could not be read in time",
}


def faults(changes: tuple[FileChange, ...], protected: tuple[str, ...]) -> tuple[Fault, ...]:
    """Everything that keeps these changes from being published, as far as they show it themselves."""
    whole = tuple(oversize(len(changes), sum(change.size for change in changes)))
    # One at a time is looked at only where there are few, and of paths only those that are no burden themselves.
    few = () if len(changes) > MOST_FILES else changes
    short = tuple(change for change in few if path_fault(change.path) is not Ground.TOO_LONG)
    each = (
        Fault(ground=ground, path=change.path) for change in few for ground in _grounds(change, protected)
    )
    return (*whole, *each, *twins_in(short, ()))


def oversize(files: int, size: int) -> Iterator[Fault]:
    """What is wrong with a change of so many files and bytes."""
    if files > MOST_FILES:
        yield Fault(ground=Ground.TOO_MANY_FILES)
    if size > LARGEST_CHANGE:
        yield Fault(ground=Ground.TOO_MANY_BYTES)


def _grounds(change: FileChange, protected: tuple[str, ...]) -> Iterator[Ground]:
    is_link = change.mode is FileMode.SYMLINK
    if (ground := written_fault(change.path, is_deletion=change.is_deletion)) is not None:
        yield ground
    if ground is Ground.TOO_LONG:
        return
    if folded(change.path).rstrip("/") == ".gitmodules":
        yield Ground.SUBMODULE
    if is_protected(change.path, (*protected, *ALWAYS_PROTECTED), is_link=is_link):
        yield Ground.PROTECTED
    if is_link and not _stays(change):
        yield Ground.LINK
    if change.size > LARGEST_FILE:
        yield Ground.TOO_LARGE


def written_fault(path: str, *, is_deletion: bool) -> Ground | None:
    """What is wrong with the path; one that is odd, but can be read, may be taken away."""
    ground = path_fault(path)
    return None if is_deletion and ground is not Ground.GIT and is_readable(path) else ground


def _stays(change: FileChange) -> bool:
    """Whether the link leads to a place in the repository, whatever other links there are.

    Only a target that first goes up, then down, is taken: it leaves its own folder, which is a real one, for another
    in the repository. `..` behind a name could leave through a link of that name.
    """
    target = (change.content or b"").decode("utf-8", "backslashreplace")
    names = [name for name in target.split("/") if name not in {"", "."}]
    ups = next((count for count, name in enumerate(names) if name != ".."), len(names))
    down = "/".join(names[ups:])
    plain = not target.startswith("/") and bool(names) and (not down or path_fault(down) is None)
    return plain and ups <= change.path.count("/")


def links_out(changes: Iterable[FileChange], known: Mapping[str, str]) -> Iterator[Fault]:
    """Links of the change that lead through a link of the repository that leads out; `known` is path to target."""
    leaving = {path for path, target in known.items() if not _stays(_link(path, target))}
    for change in changes:
        if change.mode is FileMode.SYMLINK and _way(change, known) & leaving:
            yield Fault(ground=Ground.LINK, path=change.path)


def _link(path: str, target: str) -> FileChange:
    return FileChange.written(path, FileMode.SYMLINK, target.encode("utf-8", "surrogateescape"))


def _way(change: FileChange, known: Mapping[str, str]) -> set[str]:
    """The links of the repository that a link leads through."""
    passed: set[str] = set()
    ahead = [_place(change.path, (change.content or b"").decode("utf-8", "replace"))]
    while ahead:
        names = ahead.pop().split("/")
        for count in range(1, len(names) + 1):
            path = "/".join(names[:count])
            if path in known and path not in passed:
                passed.add(path)
                ahead.append(_place(path, "/".join((known[path], *names[count:]))))
    return passed


def _place(path: str, target: str) -> str:
    return normpath(f"{path.rpartition('/')[0]}/{target}").lstrip("/")


def twins_in(changes: tuple[FileChange, ...], known: Iterable[str]) -> Iterator[Fault]:
    """Paths that are written and are the same as another path where case or accents make no difference.

    `known` are the other paths of the repository; two that stood there before are not this change's fault.
    """
    gone = {change.path for change in changes if change.is_deletion}
    written = [change.path for change in changes if not change.is_deletion]
    old = set(_with_folders(path for path in known if path not in gone))
    spellings: dict[str, set[str]] = {}
    for path in {*old, *_with_folders(written)}:
        spellings.setdefault(folded(path), set()).add(path)
    for path, times in Counter(written).items():
        twins = (way for way in _folders(path) if way not in old and len(spellings[folded(way)]) > 1)
        if times > 1 or any(True for _ in twins):
            yield Fault(ground=Ground.TWIN, path=path)


def _folders(path: str) -> Iterator[str]:
    """The path and every folder above it."""
    return accumulate(path.split("/"), lambda above, name: f"{above}/{name}")


def _with_folders(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        yield from _folders(path)


def told(blocked: tuple[Fault, ...]) -> str:
    """The reasons for people, as Markdown."""
    lines = [f"- {_named(fault)}" for fault in blocked[:MOST_NAMED]]
    more = [f"- and {len(blocked) - MOST_NAMED} more"] if len(blocked) > MOST_NAMED else []
    return "\n".join(
        ("Nothing was published, since a person has to look at the change first:\n", *lines, *more)
    )


def _named(fault: Fault) -> str:
    return f"{shown(fault.path)}: {WORDS[fault.ground]}" if fault.path else WORDS[fault.ground]


def shown(path: str) -> str:
    """A path as code that it cannot end, on one line, its hidden characters written out."""
    text = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in path)
    text = text if len(text) <= 200 else f"{text[:120]}…{text[-60:]}"  # noqa: PLR2004  # one line of a comment
    return f"`{text.replace('`', chr(0x2CB))}`"


def reviewed(changeset: Changeset, protected: tuple[str, ...]) -> Changeset:
    """The changeset with every fault that shows in its changes."""
    return changeset.blocked_by(faults(changeset.changes, protected))
