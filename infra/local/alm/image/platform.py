"""What Fargate gives a container, in the words of podman: pure, nothing is started here."""

import errno
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What a worker that is root needs to give its agent a user of its own and to end it. SYS_PTRACE is the one capability
# that Fargate can add; nothing here needs it.
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")
FARGATE_ADDS = "SYS_PTRACE"
# podman's default, which is Docker's but for namespaces.
DEFAULT_CALLS = Path("/usr/share/containers/seccomp.json")
_NAMESPACE_CALLS = ("clone", "unshare")
_LANDLOCK_CALLS = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
_CLONE_NEWUSER = 0x10000000  # <linux/sched.h>


@dataclass(frozen=True)
class Fargate:
    """How one task is run. `capabilities` are all that are left of root's."""

    image: str
    network: Path
    calls: Path
    environment: Mapping[str, str]
    capabilities: Sequence[str] = field(default=(*CAPABILITIES, FARGATE_ADDS))

    def argv(self, *command: str) -> tuple[str, ...]:
        """Everything of `podman create` but its name; the variables are named here, and their values nowhere."""
        return (
            *("--network", f"ns:{self.network}", "--user", "0", "--read-only", "--read-only-tmpfs=false"),
            *("--cap-drop", "ALL", *(f"--cap-add={name}" for name in self.capabilities)),
            *("--security-opt", f"seccomp={self.calls}", "--http-proxy=false", "--stop-timeout", "120"),
            *(part for name in self.environment for part in ("--env", name)),
            self.image,
            *command,
        )


@dataclass(frozen=True)
class Lambda:
    """The image as a function, under AWS's own emulator (`emulator` is its binary)."""

    image: str
    network: Path
    calls: Path
    environment: Mapping[str, str]
    emulator: Path

    def argv(self) -> tuple[str, ...]:
        """Everything of `podman create` but its name: some user, one folder to write in, no capability."""
        return (
            *("--network", f"ns:{self.network}", "--user", "10001", "--cap-drop", "ALL"),
            *(
                "--read-only",
                "--read-only-tmpfs=false",
                "--image-volume",
                "ignore",
                "--tmpfs",
                "/tmp:rw",  # noqa: S108  # Lambda's own
            ),
            *("--security-opt", f"seccomp={self.calls}", "--security-opt", "no-new-privileges"),
            *("--http-proxy=false", "--volume", f"{self.emulator}:/rie:ro"),
            *(part for name in self.environment for part in ("--env", name)),
            *(self.image, "/rie", "python", "-m", "awslambdaric", "run_job.handler.handler"),
        )


def calls_of_fargate(default: Mapping[str, Any], *, landlock: bool) -> dict[str, Any]:
    """The profile without user namespaces (their limit there is 0: ENOSPC), and without Landlock where asked."""
    gone = {*_NAMESPACE_CALLS, "clone3", *(() if landlock else _LANDLOCK_CALLS)}
    kept = [
        {**rule, "names": [name for name in rule["names"] if name not in gone]}
        for rule in default["syscalls"]
    ]
    answers = [
        _rule("SCMP_ACT_ALLOW", 0),
        {**_rule("SCMP_ACT_ERRNO", _CLONE_NEWUSER), "errnoRet": errno.ENOSPC},
    ]
    # clone3 holds its flags where no filter sees them, so Docker answers ENOSYS, and libraries then take clone.
    return {
        **default,
        "defaultErrnoRet": errno.ENOSYS,
        "syscalls": [rule for rule in kept if rule["names"]] + answers,
    }


def _rule(action: str, value: int) -> dict[str, Any]:
    test = {"index": 0, "op": "SCMP_CMP_MASKED_EQ", "value": _CLONE_NEWUSER, "valueTwo": value}
    return {"names": list(_NAMESPACE_CALLS), "action": action, "args": [test]}


def write_calls(folder: Path, *, landlock: bool) -> Path:
    """The profile as a file."""
    path = folder / f"calls-{'with' if landlock else 'without'}-landlock.json"
    path.write_text(json.dumps(calls_of_fargate(json.loads(DEFAULT_CALLS.read_text()), landlock=landlock)))
    return path
