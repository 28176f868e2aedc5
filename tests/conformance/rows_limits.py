"""Attacks on the machine's strength, and on what is left when the job is over. All of them are bounded."""

from tests.conformance.attack import SHELL_WON, Attack, Group, bash, python, wins

from alm.standins.model import ToolCall

_LASTS = "nothing is refused: it ends with the job"
_CUT = "nothing is refused: it is cut"
_DISK = "it lies on the worker's disk, of which the supervisor lets a run fill a part"
_MEMORY = "it is the machine's; the supervisor bounds a run's memory and takes the files away"
_LARGE = "$((1100 * 1024 * 1024))"


def _fills(folder: str, size: str) -> ToolCall:
    """Two files that together are more than the folder may hold, taken away again."""
    files = " && ".join(f'fallocate -l {size} "{folder}/large{number}"' for number in (1, 2))
    return bash(f'{files} && {SHELL_WON}; rm -f "{folder}"/large*')


LIMITS = (
    Attack("more memory than a job gets", (python("bytearray(9 << 30)"),)),
    Attack("a file too large for the workspace", (wins(f"truncate -s {_LARGE} large"),)),
    Attack(
        "a home filled up",
        (_fills("$HOME", "500M"),),
        by_nature={"landlock": _DISK, "seccomp": _DISK},
    ),
    Attack(
        "temporary files without end",
        (_fills("$TMPDIR", "900M"),),
        by_nature={"landlock": _DISK, "seccomp": _DISK},
    ),
    Attack(
        "shared memory filled up",
        (wins("fallocate -l 900M /dev/shm/@mark@-large"), bash("rm -f /dev/shm/@mark@-large; true")),
        by_nature={"seccomp": _MEMORY},
    ),
    Attack("higher limits", (wins("ulimit -n 1000000", "ulimit -u unlimited", "ulimit -f unlimited"),)),
    Attack("a dump of a process's memory", (wins("ulimit -c unlimited"),)),
    Attack(
        "processes without end",
        # Not all at once: then at times the CLI itself aborts (SIGABRT) before the supervisor has looked. The run
        # ends as one without a result, and its crowd with it, but nothing counts a denial.
        (bash(f"for n in $(seq 3000); do sleep 60 & [ $((n % 100)) = 0 ] && sleep 0.1; done; {SHELL_WON}"),),
        group=Group.CROWD,
        counted_as="processes",
    ),
)

_SLEEP = 'bash -c "exec -a @mark@-@slug@ sleep 300"'

LEFTOVERS = (
    Attack(
        "a daemon in a session of its own",
        (bash(f"setsid -f {_SLEEP} >/dev/null 2>&1"),),
        None,
        why_uncounted=_LASTS,
    ),
    Attack(
        "a daemon that ignores signals",
        (bash(f"(trap '' HUP INT TERM; nohup {_SLEEP} >/dev/null 2>&1 &)"),),
        None,
        why_uncounted=_LASTS,
    ),
    Attack(
        "a daemon that forked twice",
        (bash(f"env sh -c '({_SLEEP} >/dev/null 2>&1 &) &'"),),
        None,
        why_uncounted=_LASTS,
    ),
    Attack("an output of 200 MB", (bash("head -c 200M /dev/urandom"),), None, why_uncounted=_CUT),
    Attack("a line of 100 MB", (bash("head -c 100M /dev/zero | tr '\\0' a"),), None, why_uncounted=_CUT),
)
