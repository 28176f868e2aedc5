"""The image as a task of Fargate: no namespaces, no privilege, a root file system that nobody writes."""

import json
from pathlib import Path
from threading import Event

import pytest
from tests.image.conftest import Inside, Tell

from alm.demo.model import script
from alm.image.container import Ended, podman, run, started
from alm.image.own_network import own_network
from alm.image.platform import CAPABILITIES, DEFAULT_CALLS, Fargate, calls_of_fargate, write_calls
from alm.image.world import KEY, World
from alm.standins.model import Conversation, Turn
from orchestrator.domain.job import JobState
from orchestrator.domain.outcome import Outcome
from orchestrator.domain.wall import Rung, standing

WALLS = [(True, Rung.LANDLOCK), (False, Rung.SECCOMP)]


def task(image: str, world: World, folder: Path, *, landlock: bool) -> Ended:
    """One task from its start to its end."""
    calls = write_calls(folder, landlock=landlock)
    with own_network(world.urls) as network:
        return run(Fargate(image, network, calls, world.worker_environment).argv(), world.worker_environment)


@pytest.mark.parametrize(("landlock", "rung"), WALLS)
def test_a_task_takes_a_job_through_to_a_comment(
    image: str, world: World, tmp_path: Path, tell: Tell, *, landlock: bool, rung: Rung
) -> None:
    key = world.ask()
    ended = task(image, world, tmp_path, landlock=landlock)
    assert ended.status == 0, ended.printed
    result = world.result()
    assert result.verdict.outcome is Outcome.SUCCEEDED, (result.verdict, ended.printed)
    assert world.first_request is not None
    start = world.first_request - ended.started
    tell(f"behind {rung}: container start to first model request {start.total_seconds():.1f} s")
    assert result.sandbox is rung
    assert "Ten pieces cost full price because the discount starts above ten" in world.comments(key)
    assert not world.jira.issue(key).labels


def test_a_task_takes_a_change_through_to_a_pull_request(image: str, world: World, tmp_path: Path) -> None:
    world.ask("ai-fix")
    ended = task(image, world, tmp_path, landlock=True)
    assert world.result().verdict.outcome is Outcome.SUCCEEDED, ended.printed
    (pull,) = world.github.pull_requests()
    assert "quantity >= BULK_QUANTITY" in world.github.diff(pull.number)


def test_a_task_prints_no_secret(image: str, world: World, tmp_path: Path) -> None:
    world.ask()
    printed = task(image, world, tmp_path, landlock=True).printed
    assert "job.taken" in printed
    for secret in (KEY, world.github.settings.read_token, world.github.settings.write_token):
        assert secret not in printed


@pytest.mark.parametrize(("landlock", "rung"), WALLS)
def test_a_task_that_is_stopped_ends_its_agent_and_gives_its_job_back(
    image: str, tmp_path: Path, *, landlock: bool, rung: Rung
) -> None:
    asked, never = Event(), Event()

    def thinks(conversation: Conversation) -> Turn:
        asked.set()
        never.wait()
        return script(conversation)

    with World(thinks) as world, own_network(world.urls) as network:
        world.ask()
        fargate = Fargate(image, network, write_calls(tmp_path, landlock=landlock), world.worker_environment)
        with started(fargate.argv(), world.worker_environment) as container:
            assert asked.wait(60)
            container.stop()
            ended = container.ended()
        never.set()
        assert ended.status == 0, ended.printed
        assert '"job.postponed"' in ended.printed
        assert (world.aws.in_flight(), world.aws.results_left()) == (1, 0)
        record = world.record()
        assert (record.state, standing(record.probes)) == (JobState.RUNNING, rung)
        (cost_usd,) = record.costs.values()
        assert cost_usd > 0


@pytest.mark.parametrize("missing", [name for name in CAPABILITIES if name != "KILL"])
def test_a_worker_needs_each_of_its_capabilities(
    missing: str, image: str, world: World, tmp_path: Path
) -> None:
    """KILL is the one that only the end of a stopped agent needs: see above."""
    world.ask("ai-fix")
    kept = tuple(name for name in CAPABILITIES if name != missing)
    with own_network(world.urls) as network:
        calls = write_calls(tmp_path, landlock=True)
        fargate = Fargate(image, network, calls, world.worker_environment, kept)
        assert run(fargate.argv(), world.worker_environment).status != 0


def test_a_task_may_make_no_namespace_of_its_own_users(image: str, tmp_path: Path) -> None:
    calls = write_calls(tmp_path, landlock=True)
    said = podman(
        *("run", "--rm", "--network", "none", "--security-opt", f"seccomp={calls}", image),
        *("unshare", "--user", "true"),
        check=False,
    )
    assert "No space left on device" in said


def test_a_task_without_landlock_lacks_nothing_else() -> None:
    default = json.loads(DEFAULT_CALLS.read_text())
    names = [_allowed(calls_of_fargate(default, landlock=landlock)) for landlock in (True, False)]
    assert names[0] - names[1] == {
        "landlock_create_ruleset",
        "landlock_add_rule",
        "landlock_restrict_self",
    }


def test_the_root_file_system_of_a_task_cannot_be_written(inside: Inside, image: str) -> None:
    del inside
    said = podman(
        *("run", "--rm", "--network", "none", "--user", "0", "--read-only", "--read-only-tmpfs=false", image),
        *(
            "sh",
            "-c",
            "for f in / /tmp /opt /usr /etc /var/tmp /run; do touch $f/x && echo $f; done; touch x && echo x",
        ),
        check=False,
    )
    assert [line for line in said.splitlines() if "Read-only" not in line] == ["x"]


def _allowed(profile: dict[str, object]) -> set[str]:
    rules = profile["syscalls"]
    assert isinstance(rules, list)
    return {name for rule in rules if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}
