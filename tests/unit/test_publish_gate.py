"""What the gate decides as the ticket, the pull request and the log see it."""

import pytest
from tests.builders import changeset, fix_job, fix_result, issue, verdict
from tests.fakes.events import FakeEvents
from tests.fakes.pipeline import Pipeline
from tests.fakes.secrets import HOOK, LEAK, RULE, FakeFiles, FakeScanner

from orchestrator.adapters.without_secrets import LONGEST_TITLE, EventsWithoutSecrets
from orchestrator.domain.changeset import FileChange, FileMode
from orchestrator.domain.job import brief_key, result_key
from orchestrator.domain.outcome import JobResult, Outcome
from orchestrator.domain.secret_allow import ALLOW_FILE

VALUE = "SECRET-1234"
GONE = f"[secret removed: {RULE}]"


@pytest.fixture
def world() -> Pipeline:
    made = Pipeline()
    made.tracker.add(issue(labels=frozenset({"ai-fix"})))
    return made


def publish(world: Pipeline, result: JobResult) -> str:
    """What the ticket is told of that result."""
    world.artifacts.put(result_key(fix_job().job_id), result.model_dump_json().encode())
    world.publish(fix_job())
    (told,) = world.tracker.texts("DEMO-1")
    return told


def test_a_secret_in_a_change_blocks_and_nobody_is_led_to_publish_it(world: Pipeline) -> None:
    told = publish(world, fix_result(changeset=changeset(changes=(LEAK,))))
    assert told.startswith("## ACTION FAILED: blocked")
    assert f"- `app.py` line 1: `{RULE}`" in told
    assert "Nobody should publish this change by hand" in told
    assert ("artifact store" in told, VALUE in told, world.pull_requests.proposals) == (False, False, [])
    assert world.jobs.records[fix_job().job_id].outcome == "blocked"


def test_a_change_that_the_worker_blocked_is_searched_too(world: Pipeline) -> None:
    blocked = verdict(Outcome.BLOCKED, "The worker's reason.")
    told = publish(world, fix_result(verdict=blocked, changeset=changeset(changes=(LEAK,))))
    assert f"`app.py` line 1: `{RULE}`" in told
    assert "artifact store" not in told


def test_a_malformed_allow_list_is_told_on_a_success(world: Pipeline) -> None:
    world.files = FakeFiles(trunk={ALLOW_FILE: f"app.py {RULE}\noops\n".encode()})
    told = publish(world, fix_result(changeset=changeset(changes=(LEAK,))))
    assert told.startswith("## FIX CREATED")
    assert "Line 2 of `.alm-secrets-allow` allows nothing" in told


def test_texts_of_a_proposal_and_of_comments_hold_no_secret(world: Pipeline) -> None:
    report = {"summary": VALUE, "root_cause": f"**SECRET**-1234 and {VALUE}"}
    told = publish(world, fix_result(summary=f"Totals {VALUE}", report=report))
    (proposal,) = world.pull_requests.proposals
    assert proposal.title == f"fix: Totals {GONE} [DEMO-1]"
    for text in (told, proposal.title, "\n\n".join(proposal.body)):
        assert "1234" not in text
        assert GONE in text


def test_a_title_of_placeholders_fits(world: Pipeline) -> None:
    publish(world, fix_result(summary=" ".join([VALUE] * 19)))
    assert len(world.pull_requests.proposals[0].title) <= LONGEST_TITLE


def test_a_sensitive_file_makes_a_draft_that_ticket_and_status_mention(world: Pipeline) -> None:
    job = world.take()
    result = fix_result(changeset=changeset(changes=(HOOK,)))
    world.artifacts.put(result_key(job.job_id), result.model_dump_json().encode())
    world.publish(job)
    (proposal,) = world.pull_requests.proposals
    assert proposal.draft
    assert proposal.body[0].startswith("**This pull request is a draft because")
    assert "- `.husky/pre-commit`: " in proposal.body[0]
    (told,) = world.tracker.texts("DEMO-1")
    (status,) = world.tracker.status("DEMO-1")
    assert "The pull request is a draft" in told
    assert "The pull request is a draft" in status
    assert brief_key(job) in world.artifacts.contents


def test_everyday_work_is_no_draft_and_is_listed(world: Pipeline) -> None:
    build = FileChange.written("package.json", FileMode.REGULAR, b"{}\n")
    told = publish(world, fix_result(changeset=changeset(changes=(build,))))
    (proposal,) = world.pull_requests.proposals
    assert not proposal.draft
    assert proposal.body[0].startswith("Files that run code when somebody builds or tests: `package.json`.")
    assert "draft" not in told


def test_the_worker_cannot_say_that_a_program_was_executable_before(world: Pipeline) -> None:
    script = FileChange.written("x.sh", FileMode.EXECUTABLE, b"#!/bin/sh\n", before="100755 " + "0" * 40)
    publish(world, fix_result(changeset=changeset(changes=(script,))))
    assert world.pull_requests.proposals[0].draft


def test_a_warning_holds_no_secret() -> None:
    events = FakeEvents()
    log = EventsWithoutSecrets(events, FakeScanner())
    log.warning("permission.denied", target=f"curl -H {VALUE}", count=3)
    log.info("job.ended", outcome="failed")
    log.metric("Jobs", 1, action="fix")
    assert events.named("permission.denied") == [{"target": f"curl -H {GONE}", "count": 3}]
    assert (events.named("job.ended"), len(events.measured)) == ([{"outcome": "failed"}], 1)
