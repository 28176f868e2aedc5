"""What happens when a ticket's or a day's money is gone, and what is left of an agent whose time is over."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.alm_command import World
from tests.e2e.step_by_step import COST, TICKET, Steps
from tests.e2e.test_alm_operations import asked
from tests.integration.agents import REPORT, bash, reports
from tests.integration.deployment import until

from alm.demo import turns
from alm.standins.model import Conversation, Turn

# What an investigation may cost: one fits in, and what is left after it is too little for another.
JUST_ONE = "2.00"
CONTINUED = "An earlier run of this task was stopped before it was done."
MENDED = "quantity >= BULK_QUANTITY"


@contextmanager
def running(folder: Path, **limits: str) -> Iterator[World]:
    """An `alm run` with those limits on one bug, which has been investigated."""
    with World.around(folder, lambda _: reports(REPORT), **limits) as world:
        world.jira.create_issue("Bug", "First", description="x", labels=("ai-investigate",))
        process = world.start("run", "--poll-interval", "1")
        try:
            until(lambda: bool(world.comments(TICKET)) and not world.jira.issue(TICKET).labels)
            yield world
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def told(world: World, key: str) -> str:
    """The one comment that ends the second job."""
    until(lambda: not world.jira.issue(key).labels)
    return world.comments(key)[-1].replace("`", "")


def test_a_second_job_that_a_ticket_has_no_money_for_is_refused_with_what_a_person_can_do(
    tmp_path: Path,
) -> None:
    with running(tmp_path, TICKET_BUDGET_USD=JUST_ONE) as world:
        asked_before = len(world.model.requests)
        world.jira.add_label(TICKET, "ai-impact")
        until(lambda: len(world.comments(TICKET)) == 2)
        words = told(world, TICKET)
        (ticket,) = asked(world, "jobs", "--by", "ticket")
        assert len(world.model.requests) == asked_before
    assert "ACTION FAILED: refused" in words
    assert "The budget of this ticket is $2.00. Of that $0.0" in words
    assert "It resets on 20" in words
    assert "TICKET_BUDGET_USD" in words
    assert (ticket["ticket"], ticket["budget_usd"], 0 < ticket["usd"] < 1) == (TICKET, 2.0, True)


def test_a_job_that_a_day_has_no_money_for_waits_and_says_until_when_and_can_be_cancelled(
    tmp_path: Path,
) -> None:
    with running(tmp_path, DAILY_BUDGET_USD=JUST_ONE) as world:
        asked_before = len(world.model.requests)
        second = world.jira.create_issue("Bug", "Second", description="x", labels=("ai-investigate",)).key
        until(lambda: any("waiting" in one for one in world.status(second)))
        (waits,) = world.status(second)
        (record,) = asked(world, "jobs", "--issue", second)
        assert "ai-processing" in world.jira.issue(second).labels
        assert world.comments(second) == ()

        world.jira.remove_label(second, "ai-processing")
        until(lambda: bool(world.comments(second)))
        until(lambda: "cancelled" in world.status(second)[0])
        (ended,) = world.comments(second)
        (day,) = asked(world, "jobs", "--by", "day")
        assert len(world.model.requests) == asked_before
        assert world.jira.issue(second).labels == ()
    assert "It waits for the day's budget, which resets on 20" in waits
    assert (record["state"], record["wait_for"]) == ("waiting", "day")
    assert "cancelled" in ended
    assert (day["budget_usd"], 0 < day["usd"] < 1, day["left_usd"]) == (2.0, True, 2.0 - day["usd"])


def test_a_job_that_a_day_has_no_money_for_is_refused_where_the_deployment_wants_that(tmp_path: Path) -> None:
    with running(tmp_path, DAILY_BUDGET_USD=JUST_ONE, OVER_BUDGET="refuse") as world:
        second = world.jira.create_issue("Bug", "Second", description="x", labels=("ai-investigate",)).key
        until(lambda: bool(world.comments(second)))
        words = told(world, second)
        status, printed = world.alm("jobs", "--by", "day", "--local")
    assert "ACTION FAILED: refused" in words
    assert "The budget of the day is $2.00. Of that $0.0" in words
    assert "DAILY_BUDGET_USD" in words
    assert (status, "$2.00" in printed) == (0, True)


def mends(conversation: Conversation) -> Turn:
    """Mends the code and is slow about the rest; with what an earlier run has left, it looks and finishes."""
    if CONTINUED not in conversation.prompt:
        command = f"sed -i 's/quantity > BULK_QUANTITY/{MENDED}/' shop/cart.py"
        return Turn(think_s=90) if conversation.step else bash(command)
    steps = (bash("git diff"), bash("echo Ten pieces are cheaper. > CHANGES.md"), turns.FIX[-1])
    return steps[min(conversation.step, len(steps) - 1)]


def test_what_an_agent_had_changed_when_its_time_was_over_is_where_the_next_run_begins() -> None:
    with Steps.around(mends, "ai-fix") as steps:
        steps.poll()
        assert steps.deployment.ended(steps.deployment.worker(CLAUDE_TIMEOUT_SECONDS="10")) == 0
        steps.publish()
        (first,) = steps.records()
        (words,) = steps.comments()
        assert steps.deployment.github.pull_requests() == ()

        steps.deployment.jira.add_label(TICKET, "ai-retry")
        steps.poll()
        assert steps.deployment.ended(steps.deployment.worker()) == 0
        steps.publish()
        issue, github = steps.deployment.jira.issue(TICKET), steps.deployment.github
        (pull_request,) = github.pull_requests()
        mended, new = (github.file(pull_request.head, path) for path in ("shop/cart.py", "CHANGES.md"))
        seen = str([body["messages"] for _, body in steps.deployment.model.requests])
        records = steps.records()
    assert (first.outcome, first.spent_usd > 0) == ("timed_out", True)
    assert "ACTION FAILED: timed out" in words
    assert "after the 10 seconds that this deployment gives to an agent" in words
    assert "is kept as a draft (1 file)" in words
    assert f"alm show {first.job_id} --diff | git apply" in words
    assert COST.search(words)
    assert (issue.labels, len(steps.comments())) == ((), 2)
    assert "FIX CREATED" in steps.comments()[1]
    assert sorted(str(record.outcome) for record in records) == ["succeeded", "timed_out"]
    assert f"+    if {MENDED}:" in seen
    assert isinstance(mended, bytes)
    assert MENDED.encode() in mended
    assert new == b"Ten pieces are cheaper.\n"
    assert "began with the unfinished changes" in pull_request.body
