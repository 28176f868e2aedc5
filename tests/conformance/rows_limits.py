"""Attacks on the machine's strength, and on what is left when the job is over. All of them are bounded."""

from tests.conformance.attack import SHELL_WON, Attack, Group, bash, python, wins
from tests.conformance.refusals import NO_ACCESS, NOT_PERMITTED, by_level

from alm.standins.model import ToolCall

_LASTS = "nothing is refused: it ends with the job"
_CUT = "nothing is refused: it is cut"
_DISK = "it lies on the worker's disk, of which the supervisor lets a run fill a part"
_MEMORY = "it is the machine's; the supervisor bounds a run's memory and takes the files away"
_FULL = "No space left on device"
_PROMISED = "flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000"  # MAP_NORESERVE
_PERSISTED = "Output exceeded the 64MB persist limit"
_NOTHING = "Bash completed with no output"
_LARGE = "$((1100 * 1024 * 1024))"


def _fills(folder: str, size: str) -> ToolCall:
    """Two files that together are more than the folder may hold, taken away again."""
    files = " && ".join(f'fallocate -l {size} "{folder}/@mark@-large{number}"' for number in (1, 2))
    return bash(f'{files} && {SHELL_WON}; rm -f "{folder}"/@mark@-large*')


LIMITS = (
    # Only promised, not touched: without a limit too it takes nothing from anybody.
    Attack(
        "more memory than a job gets",
        (python("import mmap", f"mmap.mmap(-1, 9 << 30, {_PROMISED})"),),
        refusal="Cannot allocate memory",
    ),
    Attack(
        "a file too large for the workspace",
        (wins(f"truncate -s {_LARGE} large"),),
        refusal="File size limit exceeded",
    ),
    Attack(
        "a home filled up",
        (_fills("$HOME", "500M"),),
        refusal=_FULL,
        by_nature={"landlock": _DISK, "seccomp": _DISK},
    ),
    Attack(
        "temporary files without end",
        (_fills("$TMPDIR", "900M"),),
        refusal=_FULL,
        by_nature={"landlock": _DISK, "seccomp": _DISK},
    ),
    Attack(
        "shared memory filled up",
        (_fills("/dev/shm", "100M"),),
        refusal=by_level(_FULL, NO_ACCESS),
        by_nature={"seccomp": _MEMORY},
    ),
    Attack(
        "higher limits",
        # Each more than an agent gets, and less than a machine gives.
        (wins("ulimit -n 5000", "ulimit -u 4000", "ulimit -f 2000000"),),
        refusal=f"cannot modify limit: {NOT_PERMITTED}",
    ),
    Attack(
        "a dump of a process's memory",
        (wins("ulimit -c 1000"),),
        refusal=f"cannot modify limit: {NOT_PERMITTED}",
    ),
    Attack(
        "processes without end",
        # Not all at once: then at times the CLI itself aborts (SIGABRT) before the supervisor has looked. The run
        # ends as one without a result, and its crowd with it, but nothing counts a denial. The crowd stays a while:
        # the supervisor looks four times a second, later on a busy machine.
        (
            bash(
                f"for n in $(seq 1500); do sleep 60 & [ $((n % 100)) = 0 ] && sleep 0.1; done; sleep 4; {SHELL_WON}"
            ),
        ),
        group=Group.CROWD,
        counted_as="it ran more than 1024 processes*",
    ),
)

_SLEEP = 'bash -c "exec -a @mark@-@slug@ sleep 300"'

LEFTOVERS = (
    Attack(
        "a daemon in a session of its own",
        (bash(f"setsid -f {_SLEEP} >/dev/null 2>&1"),),
        None,
        why_uncounted=_LASTS,
        refusal=_NOTHING,
    ),
    Attack(
        "a daemon that ignores signals",
        (bash(f"(trap '' HUP INT TERM; nohup {_SLEEP} >/dev/null 2>&1 &)"),),
        None,
        why_uncounted=_LASTS,
        refusal=_NOTHING,
    ),
    Attack(
        "a daemon that forked twice",
        (bash(f"env sh -c '({_SLEEP} >/dev/null 2>&1 &) &'"),),
        None,
        why_uncounted=_LASTS,
        refusal=_NOTHING,
    ),
    Attack(
        "an output of 200 MB",
        (bash("head -c 200M /dev/urandom"),),
        None,
        why_uncounted=_CUT,
        refusal=_PERSISTED,
        floods_bytes=200 << 20,
    ),
    Attack(
        "a line of 100 MB",
        (bash("head -c 100M /dev/zero | tr '\\0' a"),),
        None,
        why_uncounted=_CUT,
        refusal=_PERSISTED,
        floods_bytes=100 << 20,
    ),
)
