"""The kernel's refusals as they stand in what a tool printed. Whoever prints the same words looks the same.

Behind a wall much is not refused but simply not there. So a path outside of what an agent has ("elsewhere") that does
not exist is an attempt too, as is a host that does not answer. Two things cannot be told apart and count: a file the
repository's own program looks for elsewhere, and a connection to a port the agent itself opened and closed again.
What cannot be seen does not count: a program that keeps quiet, a link of the repository that leads nowhere.
"""

import re
from collections.abc import Mapping
from posixpath import normpath

# Tools whose result is what a program printed, and not what the CLI says.
_SHELLS = frozenset({"Bash", "BashOutput"})
# Of a longer text the two ends are read: where a program says why it could not.
LONGEST_END = 64 * 1024
_WORDS = "|".join(
    (
        *("Read-only file system", "Permission denied", "Operation not permitted", "Bad file descriptor"),
        *("Invalid cross-device link", "Function not implemented"),
        *("Network is unreachable", "No route to host", "Connection refused", "Could not resolve host"),
        *("Temporary failure in name resolution", "Name or service not known"),
        *("Address family not supported by protocol", "Protocol not supported", "Socket type not supported"),
        *("Resource temporarily unavailable", "Cannot allocate memory", "File too large"),
        *("No space left on device", "File size limit exceeded(?: \\(core dumped\\))?"),
    )
)
# Where a program says why it could not: behind a colon at a line's end, behind an error number, or in the form of a
# language. A sentence about the words, in a test's report or a file that was searched, is none of these.
_ENDING = r"(?:\.| \(os error \d+\)| at \S{1,200} line \d+\.?)?\r?$"
_SAID = re.compile(
    rf"(?:(?i:(?:: |\) - )(?:{_WORDS}))|^(?:{_WORDS})| \((?:{_WORDS})\)){_ENDING}"
    rf"|\[Errno -?\d+\] (?:{_WORDS})|(?:{_WORDS}) @ \w+ - |^ssh: .{{0,300}}: (?:{_WORDS})"
    r"|: Could not resolve host: |: Failed to connect to .{1,300}: Couldn't connect to server"
    r"|^curl: \((?:5|6|7|28)\) |^wget: unable to resolve host|^Cannot connect to the Docker daemon"
    r"|^(?:mount|umount): .{0,300}(?:must be superuser|permission denied)"
    r"|^(?:sudo|su|newgrp): .{0,300}(?:no new privileges|effective uid|must be suid|Authentication failure)"
    r"|^MemoryError\r?$|: fork: retry: ",
    re.MULTILINE,
)
# Node's, by which the CLI's own file tools say it; and how it says that nothing answers.
_CODE = re.compile(r"\bE(?:ACCES|PERM|ROFS|NETUNREACH): |could not be opened \(E(?:ACCES|PERM)\)")
_NODE = re.compile(
    r"\b(?:connect|getaddrinfo|spawn|kill|bind) "
    r"E(?:CONNREFUSED|NETUNREACH|AI_AGAIN|NOTFOUND|AFNOSUPPORT|PERM|ACCES|AGAIN)\b"
)
# A script that is not executable ends so: nothing the wall forbids.
_NOT_EXECUTABLE = re.compile(r"^Exit code 126\n.{0,300}: \./[^:\n]{1,200}: Permission denied\s*\Z")
# By the watcher or for want of memory, for a file too large, for a call of another architecture.
_KILLED = re.compile(
    r"^Exit code (?:137|153|159)\b|^(?:/bin/)?bash: line \d+: +\d+ (?:Killed|Bad system call) ", re.MULTILINE
)

_MISSING = re.compile(
    r"No such file or directory|ENOENT: no such file|os error 2\)|does not exist", re.IGNORECASE
)
_PATH = re.compile(r"""(?<![\w.~/-])((?:\.\./)*/?[^\s'"‘’`:,;()<>]{1,300})""")  # noqa: RUF001  # as programs quote
# Folders of a machine that are no part of an agent's world. Its own home and process are.
_MACHINE = re.compile(
    r"/(?:root|sys|dev|var|run|mnt|media|srv|boot|oldroot|newroot|lost\+found|etc|home|proc/(?:\d+|kcore|kmsg))(?:/|$)"
)
# What honest programs look for by themselves on any Linux.
_HONEST = re.compile(
    r"/home/agent(?:/|$)"
    r"|/etc/(?:[\w-]*release|\w+_version|timezone|localtime|mime\.types|services|protocols|gitconfig|npmrc|pip\.conf"
    r"|inputrc|bash\.bashrc|profile|ssl|pki|ca-certificates|terminfo|machine-id)(?:[/.]|$)"
    r"|/sys/(?:fs/cgroup|devices/system)(?:/|$)|/dev/(?:shm|fd|tty|pts|std\w+)(?:/|$)|/run/(?:agent|gateway)/?$"
)
# The supervisor's own folders, and the one in them that is the agent's where the wall shows it in its place.
_SUPERVISORS = re.compile(r".{0,300}?/alm-(?:job|agent)-[^/]+(?:/|$)")
_AGENTS = re.compile(r".{0,300}?/alm-(?:job|agent)-[^/]+/(?:workspace|home|tmp)(?:/|$)")

_GONE_PROCESS = re.compile(r"(?:- |: |\] )No such process", re.IGNORECASE)
# A process the command started is named by a variable or a job; a number that stands there is somebody else's.
_KILLS_NUMBER = re.compile(r"\bkill\s+(?:-{1,2}\w*\s+){0,3}\d{1,7}\b")
_SILENT = re.compile(r"^Exit code (\d+)\s*\Z")
_NETWORK = re.compile(r"\b(getent|curl|wget|nc|ncat|nslookup|dig|host|ping|telnet)\s")
# How each ends when nobody answers. Other numbers are about what an answer held, or how it was called.
_UNANSWERED: Mapping[str, frozenset[int]] = {
    "getent": frozenset({2}),
    "curl": frozenset({5, 6, 7, 28}),
    "wget": frozenset({4}),
    "dig": frozenset({9}),
}


def is_kernel_refusal(tool: str, printed: str, *, is_error: bool, target: str = "") -> bool:
    """Whether a tool's result tells of something the kernel did not let it do. `target` is what it was aimed at."""
    text = _bounded(printed)
    if tool not in _SHELLS:
        return is_error and _file_tool_was_refused(text, target)
    return (
        _was_said(text)
        or any(map(_names_elsewhere, text.splitlines()))
        or _missed_a_process(text, target)
        or (is_error and _was_silent(text, target))
        or (is_error and _KILLED.search(text) is not None)
    )


def is_elsewhere(path: str) -> bool:
    """Whether a path leads to a part of the machine that no agent has a use for."""
    climbed = re.sub(r"^(?:\.\./)+", "/", path)
    if not climbed.startswith("/"):
        return False
    plain = normpath("/" + climbed.lstrip("/"))
    if _SUPERVISORS.match(plain):
        return _AGENTS.match(plain) is None
    return _MACHINE.match(plain) is not None and _HONEST.match(plain) is None


def _bounded(text: str) -> str:
    return text if len(text) <= 2 * LONGEST_END else f"{text[:LONGEST_END]}\n{text[-LONGEST_END:]}"


def _file_tool_was_refused(text: str, target: str) -> bool:
    return _CODE.search(text) is not None or (_MISSING.search(text) is not None and is_elsewhere(target))


def _was_said(text: str) -> bool:
    if _NOT_EXECUTABLE.match(text):
        return False
    return any(form.search(text) for form in (_SAID, _CODE, _NODE))


def _names_elsewhere(line: str) -> bool:
    """Whether a program says of a path elsewhere that there is none. A script's interpreter is not its choice."""
    if len(line) > LONGEST_END or "bad interpreter" in line or not _tells_of_missing(line):
        return False
    return any(map(is_elsewhere, _PATH.findall(line)))


def _tells_of_missing(line: str) -> bool:
    tells = (": No such file or directory", "[Errno 2] No such file or directory", "ENOENT: no such file")
    return any(told in line for told in tells) or line.endswith("(No such file or directory)")


def _missed_a_process(text: str, target: str) -> bool:
    if _GONE_PROCESS.search(text) is None:
        return False
    return "kill" not in target or "[Errno 3]" in text or _KILLS_NUMBER.search(target) is not None


def _was_silent(text: str, target: str) -> bool:
    """Whether nothing was printed by a network client that found nobody."""
    ended, client = _SILENT.match(text), _NETWORK.search(target)
    if ended is None or client is None:
        return False
    return int(ended[1]) in _UNANSWERED.get(client[1], {1})
