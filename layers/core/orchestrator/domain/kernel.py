"""The kernel's refusals as they stand in what a tool printed. Whoever prints the same words looks the same."""

import re

# Tools whose result is what a program printed, and not what the CLI says.
_SHELLS = frozenset({"Bash", "BashOutput"})
_WORDS = "Read-only file system|Permission denied|Operation not permitted|Network is unreachable"
# In the result of a command that failed the words may stand anywhere; in another's, where a program says why it
# could not: at a line's end, or behind an error number. A sentence about them is neither.
_ANYWHERE = re.compile(_WORDS)
_SAID = re.compile(rf"(?:: |^)(?:{_WORDS})\r?$|\[Errno \d+\] (?:{_WORDS})", re.MULTILINE)
# Node's, by which the CLI's own file tools say it.
_CODE = re.compile(r"\bE(?:ACCES|PERM|ROFS|NETUNREACH): ")


def is_kernel_refusal(tool: str, printed: str, *, is_error: bool) -> bool:
    """Whether a tool's result tells of something the kernel did not let it do."""
    if tool not in _SHELLS:
        return is_error and _CODE.search(printed) is not None
    said = _ANYWHERE if is_error else _SAID
    return (said.search(printed) or _CODE.search(printed)) is not None
