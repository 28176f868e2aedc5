"""`alm run` from the outside: what people and the stand-ins see of it."""

import json
import signal
import time
from pathlib import Path

from tests.e2e.alm_command import KEY, POISON, World
from tests.integration.agents import descendants, still_running

from alm.demo.model import script
from alm.standins.http import Fault
from alm.standins.model import Conversation, Turn
from orchestrator.adapters.backoff import RETRIES


def test_once_takes_a_ticket_to_its_end_and_leaves_no_secret_anywhere(tmp_path: Path) -> None:
    with World.around(tmp_path, script) as world:
        world.jira.create_issue(
            "Bug", "Ten pieces cost too much", description="x", labels=("ai-investigate",)
        )
        status, printed = world.alm("run", "--once", "-v")
        assert status == 0, printed
        assert "INVESTIGATION RESULTS" in world.comments("DEMO-1")[0]
        assert not world.jira.issue("DEMO-1").labels
        assert {headers["x-api-key"] for headers, _ in world.model.requests} == {KEY}
        told = printed + world.logs() + str([comment.body for comment in world.jira.issue("DEMO-1").comments])
        tokens = (world.github.settings.read_token, world.github.settings.write_token)
        for secret in (KEY, *tokens, world.jira.settings.client_secret, *POISON.values()):
            assert secret == "1" or secret not in told


def test_the_logs_are_json_with_the_jobs_fields(tmp_path: Path) -> None:
    with World.around(tmp_path, script) as world:
        world.jira.create_issue("Bug", "Ten pieces cost too much", labels=("ai-investigate",))
        world.alm("run", "--once", "--logs-dir", "logs")
        entries = [json.loads(line) for line in world.logs().splitlines()]
    ended = next(entry for entry in entries if entry.get("message") == "job.ended")
    assert ended["issue_key"] == "DEMO-1"
    assert ended["action"] == "investigate"
    assert ended["outcome"] == "succeeded"
    assert ended["cost_usd"] > 0
    assert ended["duration_ms"] > 0


def test_a_dry_run_shows_the_work_and_writes_nothing(tmp_path: Path) -> None:
    with World.around(tmp_path, script) as world:
        world.jira.create_issue("Bug", "A bug", labels=("ai-investigate", "ai-fix"))
        world.jira.create_issue("Story", "A story", labels=("ai-fix",))
        world.jira.create_issue("Bug", "Taken", labels=("ai-processing",))
        status, printed = world.alm("run", "--dry-run")
        assert status == 0, printed
        assert "DEMO-1  would run investigate  A bug" in printed
        assert "DEMO-2  fix would be rejected" in printed
        assert "DEMO-3  left alone" in printed
        writes = [
            r
            for r in world.jira.requests
            if r.method != "GET" and "/search/" not in r.path and "oauth" not in r.path
        ]
        assert writes == []
        assert world.github.requests == ()
        assert world.model.requests == []
        assert not (tmp_path / "logs").exists()


def test_a_missing_env_file_is_a_sentence(tmp_path: Path) -> None:
    with World.around(tmp_path, script) as world:
        status, printed = world.alm("run", "--once", "--env-file", "nowhere.env")
    assert status == 2
    assert "nowhere.env does not exist" in printed
    assert "Traceback" not in printed


def test_missing_credentials_are_named_even_when_the_shell_has_them(tmp_path: Path) -> None:
    with World.around(tmp_path, script, ANTHROPIC_API_KEY="", GITHUB_TOKEN="") as world:
        status, printed = world.alm("run", "--once")
    assert status == 2
    assert "GITHUB_TOKEN, ANTHROPIC_API_KEY" in printed


def test_refused_jira_credentials_end_the_first_poll_with_a_sentence(tmp_path: Path) -> None:
    with World.around(tmp_path, script, JIRA_CLIENT_SECRET="wrong") as world:
        status, printed = world.alm("run")
    assert status == 2
    assert "Atlassian refused JIRA_CLIENT_ID and JIRA_CLIENT_SECRET" in printed
    assert "wrong" not in printed


def test_a_jira_that_is_down_is_said_and_polled_again(tmp_path: Path) -> None:
    with World.around(tmp_path, script) as world:
        # As often as one poll asks. A hint that is longer than a poll waits would be obeyed by the next ones too.
        world.jira.faults.add(Fault(path="/search/jql", status=503, times=RETRIES + 1))
        world.jira.create_issue("Bug", "Later", labels=("ai-investigate",))
        process = world.start("run", "--poll-interval", "1")
        _wait_until(lambda: bool(world.comments("DEMO-1")))
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    assert "The poll failed: Jira answered 503" in printed
    assert process.returncode == 0


def test_ctrl_c_ends_the_agent_tells_the_ticket_and_leaves_no_process(tmp_path: Path) -> None:
    with World.around(tmp_path, lambda _: Turn(think_s=90)) as world:
        world.jira.create_issue("Bug", "Slow", labels=("ai-investigate",))
        process = world.start("run", "--poll-interval", "1")
        _wait_until(lambda: bool(world.model.requests))
        family = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == 0, printed
        assert "ACTION FAILED: cancelled" in world.comments("DEMO-1")[0]
        assert "cancelled" in world.status("DEMO-1")[0]
        assert not world.jira.issue("DEMO-1").labels
    # The fork server ends when it sees that its parent has.
    _wait_until(lambda: not still_running(family), limit_s=10)


def test_a_killed_command_takes_its_children_with_it_and_the_next_run_resumes(tmp_path: Path) -> None:
    slow = [True]

    def stubborn(conversation: Conversation) -> Turn:
        return Turn(think_s=90) if slow[0] else script(conversation)

    with World.around(tmp_path, stubborn) as world:
        world.jira.create_issue("Bug", "Ten pieces cost too much", labels=("ai-investigate",))
        process = world.start("run", "--poll-interval", "1")
        _wait_until(lambda: bool(world.model.requests))
        family = descendants(process.pid)
        assert any("claude" in args for args in family.values())
        process.kill()
        process.communicate()
        _wait_until(lambda: not still_running(family))
        assert "ai-processing" in world.jira.issue("DEMO-1").labels
        slow[0] = False
        status, printed = world.alm("run", "--once")
        assert status == 0, printed
        assert not world.jira.issue("DEMO-1").labels
        assert "INVESTIGATION RESULTS" in world.comments("DEMO-1")[-1]


def _wait_until(condition: object, limit_s: float = 60) -> None:
    deadline = time.monotonic() + limit_s
    assert callable(condition)
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
