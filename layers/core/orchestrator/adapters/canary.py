"""The canary: a small program that tries to get out of the wall, run through it before each agent.

It is a shell script, so that it costs milliseconds; what it could not answer counts against the wall.
"""

import secrets
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from time import monotonic

from orchestrator.adapters.sandbox import Confined, ConfinedProcess, Sandbox

TIMEOUT_S = 10.0
LONGEST_ANSWER = 16 * 1024
# Sets these itself; everything else it finds in its environment has to be ours.
SHELLS_OWN = frozenset({"PWD", "OLDPWD", "SHLVL", "_"})

SCRIPT = r"""
nonce=$0 port=$1 beside=$2 outside=$3 gateway=$4 names=" $5 " workspace=$PWD made=()
say() { echo "$1 $2"; }
reads() { if read -r line <"$2"; then say "$1" available; else say "$1" denied; fi; }
writes() {
  if : >"$2/.canary-$nonce"; then made+=("$2/.canary-$nonce"); say "$1" available; else say "$1" denied; fi
}
reaches() { if : <"/dev/tcp/$2"; then say "$1" available; else say "$1" denied; fi; }
inherits() {
  for name in $(compgen -e); do
    case $names in *" $name "*) ;; *) say environment available; return ;; esac
  done
  say environment denied
}
sees() {
  [ -r /proc/self/environ ] || return
  for environ in /proc/[0-9]*/environ; do
    while IFS= read -r -d '' line; do
      case $line in *"$nonce"*) say processes available; return ;; esac
    done <"$environ"
  done
  say processes denied
}
exec 2>/dev/null
reaches metadata 169.254.169.254/80 &
reaches credentials 169.254.170.2/80 &
reaches loopback "127.0.0.1/$port" &
if socat -u OPEN:/dev/null "UNIX-CONNECT:$gateway"; then say gateway available; else say gateway denied; fi &
reads beside "$workspace/../$beside"
reads outside "$outside"
writes root ""
writes usr /usr
writes etc /etc
writes workspace "$workspace"
writes home "$HOME"
writes tmp "$TMPDIR"
inherits
sees
[ ${#made[@]} = 0 ] || rm -f "${made[@]}"
wait
say end available
"""


class Answer(StrEnum):
    """What one check found."""

    AVAILABLE = "available"
    DENIED = "denied"
    UNDETERMINED = "undetermined"


# Each check: what it tries, and what it has to find. The workspace depends on the action.
TRIES: Mapping[str, tuple[str, Answer]] = {
    "beside": ("read a secret file beside the workspace", Answer.DENIED),
    "outside": ("read a secret file of the worker", Answer.DENIED),
    "root": ("write in the root folder", Answer.DENIED),
    "usr": ("write in /usr", Answer.DENIED),
    "etc": ("write in /etc", Answer.DENIED),
    "loopback": ("reach a port of the worker", Answer.DENIED),
    "metadata": ("reach the cloud's metadata service (169.254.169.254)", Answer.DENIED),
    "credentials": ("reach the task's credentials service (169.254.170.2)", Answer.DENIED),
    "environment": ("see a variable that is not the agent's", Answer.DENIED),
    "processes": ("see the environment of the worker's processes", Answer.DENIED),
    "workspace": ("write in the workspace", Answer.AVAILABLE),
    "home": ("write in its home", Answer.AVAILABLE),
    "tmp": ("write in its folder for temporary files", Answer.AVAILABLE),
    "gateway": ("reach the gateway", Answer.AVAILABLE),
    "end": ("finish", Answer.AVAILABLE),
}


@dataclass(frozen=True)
class Bait:
    """What the canary tries to get: a secret beside the workspace, a port, an environment. `nonce` marks it."""

    nonce: str
    secret: Path
    port: int


def refusal(sandbox: Sandbox, confined: Confined) -> str | None:
    """Why the agent must not run behind this wall, found by trying to get out of it; None if nothing did."""
    with ExitStack() as stack:
        try:
            bait = stack.enter_context(_bait(confined))
            process = sandbox.start(replace(confined, argv=canary_argv(bait, sandbox, confined)))
        except FileNotFoundError as missing:
            program = Path(missing.filename or "?").name
            return f"{sandbox.name} needs a program that is not installed on the worker ({program})"
        stack.callback(process.kill)
        answers = parse_answers(_output(process))
    if not answers:
        # Its own words name paths of ours; the ticket needs only that the machine refuses.
        return f"the worker's machine does not allow {sandbox.name} to build it"
    return surprise(answers, writable=confined.writable)


def canary_argv(bait: Bait, sandbox: Sandbox, confined: Confined) -> tuple[str, ...]:
    """The canary's command line."""
    beside = f"{bait.secret.parent.name}/{bait.secret.name}"
    names = " ".join({*confined.environment, *SHELLS_OWN})
    found = (bait.nonce, str(bait.port), beside, str(bait.secret), sandbox.socket_inside, names)
    return ("/bin/bash", "--norc", "-c", SCRIPT, *found)


def parse_answers(output: bytes) -> Mapping[str, Answer]:
    """Each check's answer. What is no plain answer, or contradicts another one, is undetermined."""
    answers: dict[str, Answer] = {}
    for line in output.decode(errors="replace").splitlines():
        name, _, said = line.partition(" ")
        plain = said in {Answer.AVAILABLE, Answer.DENIED} and answers.get(name, said) == said
        answers[name] = Answer(said) if plain else Answer.UNDETERMINED
    return answers


def surprise(answers: Mapping[str, Answer], *, writable: bool) -> str | None:
    """The first check that did not find what it has to, in plain words."""
    tries = dict(TRIES)
    if not writable:
        tries["workspace"] = ("write in the workspace, which this action only reads", Answer.DENIED)
    for name, (tried, wanted) in tries.items():
        found = answers.get(name, Answer.UNDETERMINED)
        if found is not wanted:
            return f"a program behind it {_outcome(found)} {tried}"
    return None


def _outcome(found: Answer) -> str:
    outcomes = {
        Answer.AVAILABLE: "could",
        Answer.DENIED: "could not",
        Answer.UNDETERMINED: "did not say whether it could",
    }
    return outcomes[found]


@contextmanager
def _bait(confined: Confined) -> Iterator[Bait]:
    """Plants what the canary must not get, and takes it away again."""
    nonce = secrets.token_hex(16)
    with (
        tempfile.TemporaryDirectory(prefix=".canary-", dir=confined.workspace.parent) as folder,
        socket.create_server(("127.0.0.1", 0)) as server,
        _neighbour(nonce),
    ):
        secret = Path(folder, "secret")
        secret.touch(mode=0o600)
        secret.write_text(f"{nonce}\n")
        yield Bait(nonce, secret, server.getsockname()[1])


@contextmanager
def _neighbour(nonce: str) -> Iterator[None]:
    """A process of ours with the nonce in its environment, as a worker might hold a secret."""
    lifetime: Sequence[str] = ("/bin/sleep", str(TIMEOUT_S))
    process = subprocess.Popen(lifetime, env={"ALM_CANARY": nonce}, start_new_session=True)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _output(process: ConfinedProcess) -> bytes:
    """What it said until it ended. More than a pipe holds would stop it, and is no canary's answer."""
    deadline = monotonic() + TIMEOUT_S
    process.stdin.close()
    process.wait(max(0.0, deadline - monotonic()))
    process.kill()
    return process.stdout.read(LONGEST_ANSWER)
