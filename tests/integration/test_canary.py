"""The canary gets out wherever the wall has a hole, one hole at a time, and the job is refused with its name."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.agents import KEY, claude, task

from orchestrator.adapters import bubblewrap, canary
from orchestrator.adapters.bubblewrap import WORKSPACE, Bubblewrap
from orchestrator.adapters.gateway import Gateway
from orchestrator.adapters.sandbox import Confined, ConfinedProcess
from orchestrator.errors import SandboxRefused

type Options = list[str]
USR_FOLDERS = ("bin", "sbin", "lib", "lib64")


def confined_in(folder: Path, workspace: Path, action: str) -> Confined:
    return claude("http://127.0.0.1:9")._confined(task(workspace, action), folder)  # noqa: SLF001  # the same one


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    (tmp_path / "gateway").mkdir()
    with Gateway(tmp_path / "gateway" / "model.sock", "http://127.0.0.1:9", KEY) as gateway:
        yield gateway


def without(options: Options, *parts: str) -> Options:
    at = next(index for index in range(len(options)) if options[index : index + len(parts)] == list(parts))
    return options[:at] + options[at + len(parts) :]


def own_usr(options: Options) -> Options:
    at = options.index("/usr")
    kept = [part for name in USR_FOLDERS for part in ("--ro-bind-try", f"/usr/{name}", f"/usr/{name}")]
    return [*options[: at - 1], "--tmpfs", "/usr", *kept, *options[at + 2 :]]


def workspace_bound(options: Options, kind: str) -> Options:
    at = options.index(WORKSPACE)
    return [*options[: at - 2], kind, *options[at - 1 :]]


def parent_of_workspace(options: Options) -> str:
    return str(Path(options[options.index(WORKSPACE) - 1]).parent)


def parent_at_its_place(options: Options) -> Options:
    parent = parent_of_workspace(options)
    return [*without(options, "--remount-ro", "/"), "--ro-bind", parent, parent, "--remount-ro", "/"]


HOLES: dict[str, tuple[str, Callable[[Options], Options], str]] = {
    "the folder beside": (
        "fix",
        lambda options: ["--bind", parent_of_workspace(options), "/", *options],
        "could read a secret file beside the workspace",
    ),
    "the folder outside": ("fix", parent_at_its_place, "could read a secret file of the worker"),
    "the root": (
        "fix",
        lambda options: without(options, "--remount-ro", "/"),
        "could write in the root folder",
    ),
    "usr": ("fix", own_usr, "could write in /usr"),
    "etc": ("fix", lambda options: [*options, "--tmpfs", "/etc"], "could write in /etc"),
    "the network": (
        "fix",
        lambda options: [*options, "--share-net"],
        "could reach a port of the worker",
    ),
    "a variable": (
        "fix",
        lambda options: [*options, "--setenv", "AWS_SECRET_ACCESS_KEY", "x"],
        "could see a variable that is not the agent's",
    ),
    "a workspace to read": (
        "investigate",
        lambda options: workspace_bound(options, "--bind"),
        "could write in the workspace, which this action only reads",
    ),
    "no workspace to write": (
        "fix",
        lambda options: workspace_bound(options, "--ro-bind"),
        "could not write in the workspace",
    ),
    "no home": (
        "fix",
        lambda options: [*options, "--remount-ro", "/home/agent"],
        "could not write in its home",
    ),
    "no tmp": (
        "fix",
        lambda options: [*options, "--remount-ro", "/tmp"],
        "could not write in its folder for temporary files",
    ),
    "no gateway": (
        "fix",
        lambda options: [*options, "--tmpfs", "/run/gateway"],
        "could not reach the gateway",
    ),
}


class Around:
    """A wall whose program is run by a small shell script: $0 is the canary's nonce."""

    name = "bubblewrap"
    socket_inside = bubblewrap.SOCKET

    def __init__(self, script: str) -> None:
        self.script = script

    def start(self, confined: Confined) -> ConfinedProcess:
        nonce = confined.argv[confined.argv.index(canary.SCRIPT) + 1]
        return Bubblewrap().start(
            replace(confined, argv=("/bin/bash", "-c", self.script, nonce, *confined.argv))
        )


@pytest.mark.parametrize("action", ["investigate", "fix"])
def test_a_whole_wall_lets_nothing_out_leaves_nothing_behind_and_counts_no_denial(
    gateway: Gateway, workspace: Path, action: str
) -> None:
    beside = sorted(workspace.parent.iterdir())
    assert canary.refusal(Bubblewrap(), confined_in(gateway.socket.parent, workspace, action)) is None
    assert gateway.denials == ()
    assert [path.name for path in workspace.iterdir()] == ["README.md"]
    assert sorted(workspace.parent.iterdir()) == beside


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_in_the_wall_refuses_the_job_and_says_which(
    gateway: Gateway, workspace: Path, monkeypatch: pytest.MonkeyPatch, hole: str
) -> None:
    action, change, sentence = HOLES[hole]
    whole = bubblewrap.bwrap_options
    monkeypatch.setattr(bubblewrap, "bwrap_options", lambda confined: change(whole(confined)))
    refusal = canary.refusal(Bubblewrap(), confined_in(gateway.socket.parent, workspace, action))
    assert refusal == f"a program behind it {sentence}"
    assert [path.name for path in workspace.iterdir()] == ["README.md"]


def test_a_process_of_the_worker_that_can_be_read_refuses_the_job(gateway: Gateway, workspace: Path) -> None:
    leaky = Around('LEAK=$0 sleep 5 & exec "$@"')
    refusal = canary.refusal(leaky, confined_in(gateway.socket.parent, workspace, "fix"))
    assert refusal == "a program behind it could see the environment of the worker's processes"


@pytest.mark.parametrize(
    ("address", "service"),
    [("169.254.169.254", "metadata service"), ("169.254.170.2", "credentials service")],
)
def test_a_cloud_service_that_answers_refuses_the_job(
    gateway: Gateway, workspace: Path, monkeypatch: pytest.MonkeyPatch, address: str, service: str
) -> None:
    # Its own loopback gets the address, and a listener: no machine has to be in a cloud for this.
    monkeypatch.setattr(canary, "SCRIPT", canary.SCRIPT.replace(f"{address}/80", "127.0.0.1/8081"))
    listens = (
        "socat TCP-LISTEN:8081,fork /dev/null & until : </dev/tcp/127.0.0.1/8081; do :; done 2>/dev/null; "
    )
    refusal = canary.refusal(
        Around(listens + 'exec "$@"'), confined_in(gateway.socket.parent, workspace, "fix")
    )
    assert refusal is not None
    assert "could reach" in refusal
    assert service in refusal


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ('"$@" | grep -v metadata', "did not say whether it could reach the cloud's metadata service"),
        ('"$@" | sed "s/^root denied/root perhaps/"', "did not say whether it could write in the root"),
        ('"$@"; echo usr available', "did not say whether it could write in /usr"),
        ('"$@" | grep -v ^end', "did not say whether it could finish"),
        ('"$@" | head -c 20', "did not say whether it could"),
        ("exit 0", "does not allow bubblewrap"),
    ],
)
def test_what_the_canary_does_not_say_plainly_counts_against_the_wall(
    gateway: Gateway, workspace: Path, script: str, sentence: str
) -> None:
    refusal = canary.refusal(Around(script), confined_in(gateway.socket.parent, workspace, "fix"))
    assert refusal is not None
    assert sentence in refusal


def test_a_canary_that_does_not_end_counts_against_the_wall(
    gateway: Gateway, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "TIMEOUT_S", 0.5)
    slow = Around('"$@" | grep -v ^end; sleep 30')
    refusal = canary.refusal(slow, confined_in(gateway.socket.parent, workspace, "fix"))
    assert refusal == "a program behind it did not say whether it could finish"


def test_an_agent_behind_a_wall_with_a_hole_is_not_started(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bubblewrap.bwrap_options
    monkeypatch.setattr(bubblewrap, "bwrap_options", lambda confined: [*whole(confined), "--share-net"])
    with pytest.raises(SandboxRefused, match=r"could reach a port of the worker\. It was not started"):
        claude("http://127.0.0.1:9").run(task(workspace), tmp_path / "transcript")
    assert not (tmp_path / "transcript").exists()
