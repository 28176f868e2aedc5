"""What a refusal says, as a pattern of what the refused command prints: by level where the levels differ."""

from collections.abc import Mapping

NOT_THERE, NO_ACCESS = "No such file or directory|Directory nonexistent", "Permission denied"
NOT_PERMITTED, NO_FAMILY = "Operation not permitted", "Address family not supported by protocol"


def by_level(bubblewrap: str, landlock: str, seccomp: str = "") -> Mapping[str, str]:
    """One pattern for each level; the weakest one's is that of `landlock` unless it is given."""
    return {"bubblewrap": bubblewrap, "landlock": landlock, "seccomp": seccomp or landlock}


# A file of the machine: bubblewrap does not show it, elsewhere another user owns it.
HIDDEN = by_level(NOT_THERE, NO_ACCESS)
# A folder of the machine that is shown, but not for writing.
READ_ONLY = by_level("Read-only file system", NO_ACCESS)
HIDDEN_OR_READ_ONLY = by_level(f"{NOT_THERE}|Read-only file system", NO_ACCESS)
READ_BY_TOOL = by_level("File does not exist", "EACCES: permission denied")
WRITTEN_BY_TOOL = by_level("EROFS: read-only file system", "EACCES: permission denied")
# Another process: bubblewrap does not show it.
NO_SIGNAL = by_level("No such process", NOT_PERMITTED)
# The internet: bubblewrap's network leads nowhere, elsewhere there is no socket for it.
NO_NETWORK = by_level("Network is unreachable", NO_FAMILY)
# The machine's own loopback: bubblewrap has another one, on which nobody listens.
NO_LOOPBACK = by_level("Connection refused", NO_FAMILY)
NO_NAME = "Could not resolve host|Temporary failure in name resolution|[Uu]nable to (?:resolve|look up)"
BY_RULE = "denied by your permission settings|Permission to use Bash with command .* has been denied"
BY_MODE = "denied because Claude Code is running in don't ask mode"
NO_TOOL = "No such tool available"
FORBIDDEN = "(?:status|HTTP/1.1) 403"
TOO_LARGE_BODY = "HTTP/1.1 413"
