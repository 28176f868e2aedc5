"""A change that a person has to look at: nothing is published, the ticket says why and where the change is.

The publisher judges for itself. What it reads was written by a worker that may have been taken over.
"""

import pytest
from tests.builders import agent_run, changeset, fault, fix_job, fix_result, issue, job, job_result
from tests.fakes.code_host import FakeCheckout
from tests.fakes.pipeline import Pipeline

from orchestrator.domain.changeset import Changeset, FileChange, FileMode
from orchestrator.domain.job import Job, result_key
from orchestrator.domain.outcome import JobResult

WORKFLOW = FileChange.written(".github/workflows/ci.yml", FileMode.REGULAR, b"on: push\n")


@pytest.fixture
def world() -> Pipeline:
    made = Pipeline()
    made.tracker.add(issue(labels=frozenset({"ai-fix"})))
    return made


def publish(world: Pipeline, result: JobResult, of: Job) -> str:
    """What the ticket is told when a worker leaves that result."""
    world.artifacts.put(result_key(of.job_id), result.model_dump_json().encode())
    world.publish(of)
    (told,) = world.tracker.texts("DEMO-1")
    return told


def end(world: Pipeline, found: Changeset) -> tuple[Job, str]:
    """A job whose agent leaves that change: the job, and what the ticket is told at its end."""
    world.cloner.checkout = FakeCheckout(found)
    world.agent.answer = agent_run()
    done = world.through()
    (told,) = world.tracker.texts("DEMO-1")
    return done, told


def test_a_change_of_a_protected_path_is_blocked_and_kept_for_a_person(world: Pipeline) -> None:
    done, told = end(world, changeset(changes=(WORKFLOW,), diff="+on: push"))
    assert told.startswith("## ACTION FAILED: blocked\n\nNothing was published")
    assert "- `.github/workflows/ci.yml`: a protected path, which only people change" in told
    assert f"in `jobs/{done.job_id}/result.json` of the artifact store" in told
    stored = world.artifacts.result(done.job_id)
    kept = stored.changeset
    assert kept is not None
    # The worker saw it by itself; the publisher would have.
    assert (stored.verdict.outcome, len(kept.blocked)) == ("blocked", 1)
    assert (kept.changes, kept.diff) == ((WORKFLOW,), "+on: push")
    assert (world.pull_requests.proposals, world.jobs.records[done.job_id].outcome) == ([], "blocked")


def test_a_change_that_could_not_be_read_is_not_said_to_be_kept(world: Pipeline) -> None:
    _, told = end(world, changeset(changes=(), blocked=(fault(),)))
    assert ("`vendor/x`: a repository inside" in told, "artifact store" in told) == (True, False)


@pytest.mark.parametrize(
    "change",
    [
        WORKFLOW,
        FileChange.deleted("CODEOWNERS"),
        FileChange.written("a", FileMode.SYMLINK, b"/etc/passwd"),
        FileChange.written("a\nb", FileMode.REGULAR, b"x"),
        FileChange.written("../a", FileMode.REGULAR, b"x"),
        FileChange.written(".git/config", FileMode.REGULAR, b"x"),
    ],
    ids=lambda change: repr(change.path),
)
def test_the_publisher_does_not_believe_a_worker_that_says_all_is_well(
    world: Pipeline, change: FileChange
) -> None:
    told = publish(world, fix_result(changeset=changeset(changes=(change,))), fix_job())
    assert told.startswith("## ACTION FAILED: blocked\n\nNothing was published")
    assert world.pull_requests.proposals == []
    assert world.jobs.records[fix_job().job_id].outcome == "blocked"


def test_what_the_worker_found_holds_for_the_publisher_too(world: Pipeline) -> None:
    told = publish(world, fix_result(changeset=changeset(blocked=(fault(),))), fix_job())
    assert told.startswith("## ACTION FAILED: blocked")
    assert world.pull_requests.proposals == []


@pytest.mark.parametrize("branch", ["main", "fix-DEMO-2", "fix-DEMO-1-x", "fix-DEMO-1\n", "feature-DEMO-1"])
def test_no_branch_but_the_tickets_own_is_written(world: Pipeline, branch: str) -> None:
    told = publish(world, fix_result(branch=branch), fix_job())
    assert told.startswith(
        "## ACTION FAILED\n\nThe stored result names a branch that is none of this ticket's."
    )
    assert world.pull_requests.proposals == []


@pytest.mark.parametrize("branch", ["fix-DEMO-1", "fix-DEMO-1-2", "fix-DEMO-1-10"])
def test_the_tickets_own_branches_are_written(world: Pipeline, branch: str) -> None:
    publish(world, fix_result(branch=branch), fix_job())
    assert [proposal.branch for proposal in world.pull_requests.proposals] == [branch]


def test_a_change_in_the_result_of_a_comment_is_not_looked_at(world: Pipeline) -> None:
    told = publish(world, job_result(changeset=changeset(), branch="x"), job())
    assert told.startswith("## INVESTIGATION RESULTS")
    assert world.pull_requests.proposals == []


def test_a_read_only_action_is_never_asked_for_changes(world: Pipeline) -> None:
    world.tracker.add(issue())
    world.cloner.checkout = FakeCheckout(None)
    done = world.through()
    result = world.artifacts.result(done.job_id)
    assert (result.verdict.outcome, result.changeset) == ("succeeded", None)
