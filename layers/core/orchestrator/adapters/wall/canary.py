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
from pathlib import Path
from time import monotonic

from orchestrator.adapters.wall.sandbox import Confined, ConfinedProcess, Room, Sandbox, View
from orchestrator.domain.wall import Answer, Probe, Rung
from orchestrator.errors import SandboxRefused, WallUnavailable

TIMEOUT_S = 10.0
LONGEST_ANSWER = 16 * 1024
# Sets these itself; everything else it finds in its environment has to be ours.
SHELLS_OWN = frozenset({"PWD", "OLDPWD", "SHLVL", "_"})

SCRIPT = r"""
nonce=$0 port=$1 beside=$2 outside=$3 gateway=$4 names=" $5 " neighbour=$6 public=$7 workspace=$PWD made=()
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
  for environ in "/proc/$neighbour/environ" /proc/[0-9]*/environ; do
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
reads public "$public"
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


# Each check: what it tries, and what it has to find. The workspace depends on the action, `public` on the rung:
# ownership keeps nobody from what is everybody's.
TRIES: Mapping[str, tuple[str, Answer]] = {
    "beside": ("read a secret file beside the workspace", Answer.DENIED),
    "outside": ("read a secret file of the worker", Answer.DENIED),
    "public": ("read a file of the worker that any user may read", Answer.DENIED),
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
    """What the canary tries to get: a secret beside the workspace, a port, a process. `nonce` marks it."""

    nonce: str
    secret: Path
    public: Path
    port: int
    neighbour: int


def probed(sandbox: Sandbox, confined: Confined) -> Probe:
    """What building this wall here came to. Raises SandboxRefused if it was built and has a hole."""
    view = sandbox.view(confined.room)
    with ExitStack() as stack:
        bait = stack.enter_context(_bait(confined.room))
        argv = canary_argv(bait, view, confined)
        try:
            process = sandbox.start(replace(confined, argv=argv))
        except WallUnavailable as missing:
            return Probe(rung=sandbox.rung, answer=Answer.DENIED, reason=str(missing))
        stack.callback(process.kill)
        has_ended, output = _output(process)
    answers = parse_answers(output)
    if not answers:
        return _unbuilt(sandbox.rung, has_ended=has_ended)
    if (hole := surprise(answers, sandbox.rung, writable=confined.room.writable)) is not None:
        leaky = Probe(rung=sandbox.rung, answer=Answer.DENIED, reason=hole)
        words = f"The wall around the agent ({sandbox.rung}) does not hold: {hole}. It was not started."
        raise SandboxRefused(words, (leaky,))
    return Probe(rung=sandbox.rung, answer=Answer.AVAILABLE)


def _unbuilt(rung: Rung, *, has_ended: bool) -> Probe:
    # Its own words name paths of ours; the ticket needs only that the machine refuses.
    if has_ended:
        return Probe(rung=rung, answer=Answer.DENIED, reason="the worker's machine does not allow it")
    return Probe(rung=rung, answer=Answer.UNDETERMINED, reason="it did not answer in time")


def canary_argv(bait: Bait, view: View, confined: Confined) -> tuple[str, ...]:
    """The canary's command line."""
    beside = f"{bait.secret.parent.name}/{bait.secret.name}"
    names = " ".join({*confined.environment, *SHELLS_OWN})
    found = (bait.nonce, str(bait.port), beside, str(bait.secret), view.socket, names)
    return ("/bin/bash", "--norc", "-c", SCRIPT, *found, str(bait.neighbour), str(bait.public))


def parse_answers(output: bytes) -> Mapping[str, Answer]:
    """Each check's answer. What is no plain answer, or contradicts another one, is undetermined."""
    answers: dict[str, Answer] = {}
    for line in output.decode(errors="replace").splitlines():
        name, _, said = line.partition(" ")
        plain = said in {Answer.AVAILABLE, Answer.DENIED} and answers.get(name, said) == said
        answers[name] = Answer(said) if plain else Answer.UNDETERMINED
    return answers


def surprise(answers: Mapping[str, Answer], rung: Rung, *, writable: bool) -> str | None:
    """The first check that did not find what it has to, in plain words."""
    tries = dict(TRIES)
    if rung is Rung.SECCOMP:
        del tries["public"]
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
def _bait(room: Room) -> Iterator[Bait]:
    """Plants what the canary must not get, and takes it away again."""
    nonce = secrets.token_hex(16)
    with (
        tempfile.TemporaryDirectory(prefix=".canary-", dir=room.workspace.parent) as folder,
        tempfile.TemporaryDirectory(prefix=".canary-") as open_folder,
        socket.create_server(("127.0.0.1", 0)) as server,
        _neighbour(nonce) as neighbour,
    ):
        secret, public = Path(folder, "secret"), Path(open_folder, "public")
        Path(open_folder).chmod(0o755)
        for path, mode in ((secret, 0o600), (public, 0o644)):
            path.touch()
            path.chmod(mode)
            path.write_text(f"{nonce}\n")
        yield Bait(nonce, secret, public, server.getsockname()[1], neighbour)


@contextmanager
def _neighbour(nonce: str) -> Iterator[int]:
    """A process of ours with the nonce in its environment, as a worker might hold a secret: its pid."""
    lifetime: Sequence[str] = ("/bin/sleep", str(TIMEOUT_S))
    process = subprocess.Popen(lifetime, env={"ALM_CANARY": nonce}, start_new_session=True)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _output(process: ConfinedProcess) -> tuple[bool, bytes]:
    """Whether it ended by itself, and what it said; more than a pipe holds is no canary's answer."""
    deadline = monotonic() + TIMEOUT_S
    process.stdin.close()
    status = process.wait(max(0.0, deadline - monotonic()))
    process.kill()
    return status is not None, process.stdout.read(LONGEST_ANSWER)
