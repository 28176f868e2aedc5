"""The canary gets out wherever the wall has a hole, one hole at a time, and the job is refused with its name."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.agents import a_room, claude, confined_in, nobody, task

from orchestrator.adapters.wall import bubblewrap, canary
from orchestrator.adapters.wall.bubblewrap import VIEW, Bubblewrap
from orchestrator.adapters.wall.own_user import own_user
from orchestrator.adapters.wall.sandbox import Confined, ConfinedProcess, Room, Sandbox, View
from orchestrator.adapters.wall.syscalls import own_network_filter
from orchestrator.adapters.wall.without_namespaces import Landlock, Seccomp
from orchestrator.domain.wall import Answer, Probe
from orchestrator.errors import SandboxRefused

WORKSPACE = VIEW.workspace
type Options = list[str]
USR_FOLDERS = ("bin", "sbin", "lib", "lib64")


def probed(sandbox: Sandbox, room: Room) -> Probe:
    return canary.probed(sandbox, confined_in(room, sandbox))


def refusal(
    sandbox: Sandbox,
    workspace: Path,
    action: str = "fix",
    user: Callable[[], AbstractContextManager[int | None]] = own_user,
) -> str:
    """Why a wall that was built is refused."""
    with a_room(workspace, action, user) as room, pytest.raises(SandboxRefused) as refused:
        probed(sandbox, room)
    assert [probe.answer for probe in refused.value.probes] == [Answer.DENIED]
    return str(refused.value.probes[0].reason)


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


# The lower rungs: what their program is told, changed.
type Orders = Mapping[str, Any]
LOWER_HOLES: dict[str, tuple[str, Callable[[Orders], Orders], str]] = {
    "the network": (
        "fix",
        lambda orders: {**orders, "filter": own_network_filter()},
        "could reach a port of the worker",
    ),
    "a variable": (
        "fix",
        lambda orders: {**orders, "environment": {**orders["environment"], "AWS_SECRET_ACCESS_KEY": "x"}},
        "could see a variable that is not the agent's",
    ),
    "no home": (
        "fix",
        lambda orders: {**orders, "environment": {**orders["environment"], "HOME": "/usr"}},
        "could not write in its home",
    ),
}


def changed(rung: type[Landlock | Seccomp], change: Callable[[Orders], Orders]) -> Sandbox:
    class Changed(rung):  # type: ignore[misc,valid-type]  # either of the two
        def orders(self, confined: Confined, uid: int) -> Orders:
            return change(super().orders(confined, uid))

    return Changed()


class Around:
    """A wall whose program is run by a small shell script: $0 is the canary's nonce."""

    def __init__(self, script: str, sandbox: Sandbox | None = None) -> None:
        self.script = script
        self.sandbox = sandbox or Bubblewrap()
        self.rung = self.sandbox.rung

    def view(self, room: Room) -> View:
        return self.sandbox.view(room)

    def start(self, confined: Confined) -> ConfinedProcess:
        nonce = confined.argv[confined.argv.index(canary.SCRIPT) + 1]
        argv = ("/bin/bash", "-c", self.script, nonce, *confined.argv)
        return self.sandbox.start(replace(confined, argv=argv))


@pytest.mark.parametrize("action", ["investigate", "fix"])
def test_a_whole_wall_lets_nothing_out_and_leaves_nothing_behind(
    sandbox: Sandbox, workspace: Path, action: str
) -> None:
    beside = sorted(workspace.parent.iterdir())
    with a_room(workspace, action) as room:
        assert probed(sandbox, room) == Probe(rung=sandbox.rung, answer=Answer.AVAILABLE)
    assert [path.name for path in workspace.iterdir()] == ["README.md"]
    assert sorted(workspace.parent.iterdir()) == beside


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_in_bubblewraps_wall_refuses_the_job_and_says_which(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, hole: str
) -> None:
    action, change, sentence = HOLES[hole]
    whole = bubblewrap.bwrap_options
    monkeypatch.setattr(bubblewrap, "bwrap_options", lambda *facts: change(whole(*facts)))
    # With a user of its own the agent is kept out of most of these a second time.
    assert refusal(Bubblewrap(), workspace, action, nullcontext) == f"a program behind it {sentence}"
    assert [path.name for path in workspace.iterdir()] == ["README.md"]


@pytest.mark.parametrize("rung", [Landlock, Seccomp])
@pytest.mark.parametrize("hole", LOWER_HOLES)
def test_a_hole_in_a_lower_wall_refuses_the_job_and_says_which(
    workspace: Path, rung: type[Landlock | Seccomp], hole: str
) -> None:
    action, change, sentence = LOWER_HOLES[hole]
    assert refusal(changed(rung, change), workspace, action) == f"a program behind it {sentence}"


def test_a_lower_wall_without_a_user_of_its_own_refuses_the_job(workspace: Path) -> None:
    as_root = changed(Seccomp, lambda orders: {**orders, "uid": 0})
    assert refusal(as_root, workspace) == "a program behind it could read a secret file beside the workspace"


def test_landlock_that_shuts_nothing_off_refuses_the_job(workspace: Path) -> None:
    open_wall = changed(Landlock, lambda orders: {**orders, "readable": None})
    sentence = "could read a file of the worker that any user may read"
    assert refusal(open_wall, workspace) == f"a program behind it {sentence}"


@pytest.mark.parametrize("rung", [Bubblewrap, Seccomp])
def test_a_process_of_the_worker_that_can_be_read_refuses_the_job(
    workspace: Path, rung: type[Sandbox]
) -> None:
    found = refusal(Around('LEAK=$0 sleep 5 & exec "$@"', rung()), workspace)
    assert found == "a program behind it could see the environment of the worker's processes"


@pytest.mark.parametrize(
    ("address", "service"),
    [("169.254.169.254", "metadata service"), ("169.254.170.2", "credentials service")],
)
def test_a_cloud_service_that_answers_refuses_the_job(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, address: str, service: str
) -> None:
    # Its own loopback gets the address, and a listener: no machine has to be in a cloud for this.
    monkeypatch.setattr(canary, "SCRIPT", canary.SCRIPT.replace(f"{address}/80", "127.0.0.1/8081"))
    listens = (
        "socat TCP-LISTEN:8081,fork /dev/null & until : </dev/tcp/127.0.0.1/8081; do :; done 2>/dev/null; "
    )
    found = refusal(Around(listens + 'exec "$@"'), workspace)
    assert "could reach" in found
    assert service in found


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ('"$@" | grep -v metadata', "did not say whether it could reach the cloud's metadata service"),
        ('"$@" | sed "s/^root denied/root perhaps/"', "did not say whether it could write in the root"),
        ('"$@"; echo usr available', "did not say whether it could write in /usr"),
        ('"$@" | grep -v ^end', "did not say whether it could finish"),
        ('"$@" | head -c 20', "did not say whether it could"),
    ],
)
def test_what_the_canary_does_not_say_plainly_counts_against_the_wall(
    sandbox: Sandbox, workspace: Path, script: str, sentence: str
) -> None:
    assert sentence in refusal(Around(script, sandbox), workspace)


def test_a_canary_that_does_not_end_counts_against_the_wall(
    sandbox: Sandbox, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "TIMEOUT_S", 3.0)
    slow = Around('"$@" | grep -v ^end; sleep 30', sandbox)
    assert refusal(slow, workspace) == "a program behind it did not say whether it could finish"


def test_a_canary_that_ends_without_a_word_means_that_there_is_no_such_wall_here(
    sandbox: Sandbox, workspace: Path
) -> None:
    with a_room(workspace) as room:
        assert probed(Around("exit 0", sandbox), room).answer is Answer.DENIED


def test_a_canary_that_says_nothing_in_time_leaves_it_open(
    sandbox: Sandbox, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "TIMEOUT_S", 0.5)
    with a_room(workspace) as room:
        assert probed(Around("exec sleep 30", sandbox), room).answer is Answer.UNDETERMINED


def test_an_agent_behind_a_wall_with_a_hole_is_not_started(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bubblewrap.bwrap_options
    monkeypatch.setattr(bubblewrap, "bwrap_options", lambda *facts: [*whole(*facts), "--share-net"])
    with pytest.raises(SandboxRefused, match=r"could reach a port of the worker\. It was not started"):
        claude("http://127.0.0.1:9").run(task(workspace), tmp_path / "transcript", nobody)
    assert not (tmp_path / "transcript").exists()
