"""Forged and replayed jobs: by somebody who may edit an issue, and by a worker that was taken over.

Each row acts on a world of fakes around the real use cases, once as the service itself would (the control, which must
get through) and once as the attacker can.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from tests.builders import SIGNER, fix_job, fix_result, issue, job, job_result
from tests.fakes.pipeline import Pipeline
from tests.fakes.queue import Message
from tests.fakes.tracking import FakeAccess, client, track_job

from orchestrator.adapters.artifact_access import StsArtifactAccess
from orchestrator.domain.issue import Left
from orchestrator.domain.job import PROCESSING_LABEL, RETRY_LABEL, Job, PastResult, Unfinished, result_key
from orchestrator.domain.money import Account, day_of, run_name
from orchestrator.domain.signature import VALID_S
from orchestrator.errors import ForgedJob, JobFailed
from orchestrator.usecases.track_job import MOST_OVERSHOOT_USD

EDITOR, WORKER = "issue editor", "worker"
VICTIM = "DEMO-2"
_CLAIMED = frozenset({PROCESSING_LABEL})


@dataclass(frozen=True)
class JobTrick:
    """What is tried, by whom, what refuses it, and the act. `act(True)` is the control; True if it had its effect."""

    name: str
    who: str
    refused_by: str
    act: Callable[[bool], bool]


def _is_resumed(claim: Job | dict[str, Any], **on: Any) -> bool:
    """Whether a poll brings the claim's job back."""
    world = Pipeline()
    written = claim.model_dump(mode="json") if isinstance(claim, Job) else claim
    world.tracker.add(
        issue(labels=_CLAIMED, claim=written, **on), issue(id="10002", key=VICTIM, labels=frozenset())
    )
    return bool(world.poll().resumed)


def _claim_without_signature(is_control: bool) -> bool:
    return _is_resumed(job() if is_control else job().model_copy(update={"signature": ""}))


def _claim_with_another_key(is_control: bool) -> bool:
    """The claim stays on the attacker's issue and names another ticket, under a signature that it does not have."""
    return _is_resumed(job() if is_control else job().model_copy(update={"issue_key": VICTIM}))


def _claim_of_another_project(is_control: bool) -> bool:
    return _is_resumed(job() if is_control else job().model_copy(update={"issue_key": "OTHER-1"}))


def _claim_of_another_action(is_control: bool) -> bool:
    return _is_resumed(job() if is_control else job().model_copy(update={"action": "fix", "label": "ai-fix"}))


def _claim_copied_from_another_issue(is_control: bool) -> bool:
    return _is_resumed(job(), **({} if is_control else {"id": "10003", "key": "DEMO-3"}))


def _claim_of_long_ago(is_control: bool) -> bool:
    """Signed once, and kept by the attacker until the job's record has expired."""
    now = Pipeline().clock.time()
    return _is_resumed(job(claimed_at=int(now) if is_control else int(now - VALID_S)))


def _claim_of_an_ended_job(is_control: bool) -> bool:
    """The genuine claim of a job that has ended, written back with its label."""
    world = Pipeline()
    world.tracker.add(issue(labels=frozenset({"ai-fix"})))
    done = world.take()
    if not is_control:
        world.work(done)
        world.publish(done)
        ended = replace(world.tracker.issues["DEMO-1"], labels=_CLAIMED, claim=done.model_dump(mode="json"))
        world.tracker.add(ended)
        world.poll()
        world.publish(done)
        return len(world.pull_requests.proposals) > 1 or len(world.agent.tasks) > 1
    world.work(done)
    world.publish(done)
    return len(world.pull_requests.proposals) == 1


def _result_of_another_issue_as_context(is_control: bool) -> bool:
    """`alm.latest` that names another job's result, which would enter the prompt."""
    world = Pipeline()
    past = PastResult(job_id="DEMO-1-investigate-1", comment_id="5")
    world.artifacts.put(result_key(past.job_id), job_result().model_dump_json().encode())
    asked = issue(labels=frozenset({"ai-fix"}), latest={"investigate": past})
    asked = replace(asked, has_all_comments=False)
    if not is_control:
        unsigned = past.model_copy(update={"signature": ""})
        asked = replace(asked, latest={"investigate": unsigned})
    world.tracker.add(asked)
    return bool(world.brief(world.take()).latest)


def _unfinished_action_forged(is_control: bool) -> bool:
    """`alm.unfinished` that makes `ai-retry` run a draft of the attacker's choice."""
    world = Pipeline()
    past = Unfinished(action="fix", job_id="DEMO-1-fix-0123456789ab", draft=True)
    signed = SIGNER.signed(job(), Left(unfinished=past)).unfinished
    asked = replace(issue(labels=frozenset({RETRY_LABEL})), unfinished=signed if is_control else past)
    world.tracker.add(asked)
    (claimed,) = world.poll().claimed
    return claimed.action == "fix"


def _is_published(of: Job, **on: Any) -> bool:
    """Whether the publisher says or changes anything for a result message of that job."""
    world = Pipeline()
    world.tracker.add(issue(labels=_CLAIMED, claim=fix_job().model_dump(mode="json"), **on))
    world.tracker.add(issue(id="10002", key=VICTIM, labels=frozenset()), issue(id="10009", key="OTHER-1"))
    world.artifacts.put(result_key(of.job_id), fix_result().model_dump_json().encode())
    with suppress(ForgedJob):
        world.publish(of)
    return bool(world.pull_requests.proposals or world.tracker.own)


def _result_without_signature(is_control: bool) -> bool:
    return _is_published(fix_job() if is_control else fix_job().model_copy(update={"signature": ""}))


def _result_for_another_ticket(is_control: bool) -> bool:
    moved = {"issue_key": VICTIM, "issue_id": "10002"}
    return _is_published(fix_job() if is_control else fix_job().model_copy(update=moved))


def _result_for_another_project(is_control: bool) -> bool:
    return _is_published(
        fix_job() if is_control else SIGNER.sign(fix_job(issue_key="OTHER-1", issue_id="10009"))
    )


def _result_for_a_ticket_without_claim(is_control: bool) -> bool:
    """Signed for a ticket that neither claim nor record knows any more."""
    other = fix_job(issue_key=VICTIM, issue_id="10002", job_id=f"{VICTIM}-fix-1")
    world = Pipeline()
    claim = (
        other.model_dump(mode="json")
        if is_control
        else {**other.model_dump(mode="json"), "outcome": "failed"}
    )
    world.tracker.add(
        issue(id="10002", key=VICTIM, labels=_CLAIMED if is_control else frozenset(), claim=claim)
    )
    world.artifacts.put(result_key(other.job_id), fix_result().model_dump_json().encode())
    with suppress(ForgedJob):
        world.publish(other)
    return bool(world.pull_requests.proposals or world.tracker.own)


def _result_of_a_moved_ticket(is_control: bool) -> bool:
    """The ticket answers to its old key after somebody moved it to a project that is not configured."""
    world = Pipeline()
    known = issue(labels=_CLAIMED, claim=fix_job().model_dump(mode="json"))
    world.tracker.add(known)
    world.jobs.create(fix_job(), None)
    world.artifacts.put(result_key(fix_job().job_id), fix_result().model_dump_json().encode())
    if not is_control:
        world.tracker.issues["DEMO-1"] = replace(known, key="OTHER-1")
    world.publish(fix_job())
    return bool(world.pull_requests.proposals or world.tracker.own)


def _does_track(of: Job) -> bool:
    """Whether track_job changes or hands out anything for a request about that job."""
    world, access = Pipeline(), FakeAccess()
    tracker = client(track_job(world, grant=access))
    for request in (
        lambda: tracker.start(of, 1),
        lambda: tracker.progress(of, "agent"),
        lambda: tracker.send(of),
        lambda: tracker.access(of),
    ):
        with suppress(ForgedJob):
            request()
    return bool(world.jobs.records or world.results.messages or access.granted)


def _request_about_another_job(is_control: bool) -> bool:
    other = fix_job().model_copy(
        update={"job_id": f"{VICTIM}-fix-1", "issue_key": VICTIM, "issue_id": "10002"}
    )
    return _does_track(fix_job() if is_control else other)


def _spent(world: Pipeline) -> float:
    return float(world.jobs.accounts.get((Account.DAY, day_of(world.clock.time())), 0.0))


def _cost_that_empties_the_day(is_control: bool) -> bool:
    """A false cost: an honest one is charged as it is, another never by more than a run can overshoot."""
    world = Pipeline()
    world.jobs.create(fix_job(), None)
    tracker = client(track_job(world))
    tracker.start(fix_job(), 1)
    run = run_name(world.clock.time(), "0a" * 4)
    assert tracker.reserve(fix_job(), run) is None
    reserved = _spent(world)
    tracker.settle(fix_job(), run, 0.25 if is_control else 1e9)
    return _spent(world) == 0.25 if is_control else _spent(world) > reserved + MOST_OVERSHOOT_USD


def _money_of_another_day(is_control: bool) -> bool:
    world = Pipeline()
    world.jobs.create(fix_job(), None)
    tracker = client(track_job(world))
    tracker.start(fix_job(), 1)
    now = world.clock.time() if is_control else world.clock.time() - 3 * 24 * 3600
    with suppress(JobFailed):
        tracker.reserve(fix_job(), run_name(now, "0b" * 4))
    return bool(world.jobs.accounts)


def _dead_letter_of_a_living_job(is_control: bool) -> bool:
    """A message that will be given up, under the id of a job that another worker has."""
    world = Pipeline()
    world.tracker.add(issue(labels=_CLAIMED, claim=fix_job().model_dump(mode="json")))
    world.jobs.create(fix_job(), None)
    dead = fix_job() if is_control else fix_job().model_copy(update={"signature": "0" * 64})
    world.queue.dead.append(Message(dead, dead.issue_key, 0.0))
    world.poll()
    return bool(world.jobs.records[fix_job().job_id].dead_letter)


def _objects_of_another_job(is_control: bool) -> bool:
    """Whether the session of a job reaches a transcript: its own it writes, another's it neither reads nor writes."""
    access: Any = StsArtifactAccess(None, "arn:aws:iam::1:role/artifacts", "bucket")  # type: ignore[arg-type]
    asked = fix_job().job_id if is_control else f"{VICTIM}-fix-1"
    reached = f"arn:aws:s3:::bucket/jobs/{asked}/transcript.jsonl"
    policy = access.policy(fix_job().job_id, "")
    return any(reached in one["Resource"] for one in policy["Statement"] if "s3:PutObject" in one["Action"])


TRICKS = (
    JobTrick("claim without a signature", EDITOR, "signature", _claim_without_signature),
    JobTrick("claim that names another ticket", EDITOR, "the issue that was read", _claim_with_another_key),
    JobTrick(
        "claim that names another project", EDITOR, "the issue that was read", _claim_of_another_project
    ),
    JobTrick("claim of another action", EDITOR, "signature", _claim_of_another_action),
    JobTrick(
        "claim copied from another issue", EDITOR, "the issue that was read", _claim_copied_from_another_issue
    ),
    JobTrick("claim kept until its record expired", EDITOR, "age of the claim", _claim_of_long_ago),
    JobTrick("claim of a job that has ended", EDITOR, "job record", _claim_of_an_ended_job),
    JobTrick("latest result forged", EDITOR, "signature", _result_of_another_issue_as_context),
    JobTrick("unfinished action forged", EDITOR, "signature", _unfinished_action_forged),
    JobTrick("result without a signature", WORKER, "signature", _result_without_signature),
    JobTrick("result for another ticket", WORKER, "signature", _result_for_another_ticket),
    JobTrick("result for another project", WORKER, "project", _result_for_another_project),
    JobTrick("result for a ticket without a claim", WORKER, "claim", _result_for_a_ticket_without_claim),
    JobTrick("result of a ticket that was moved", WORKER, "project of the issue", _result_of_a_moved_ticket),
    JobTrick("request about another job", WORKER, "signature, in track_job", _request_about_another_job),
    JobTrick("cost that empties the day's budget", WORKER, "bound in track_job", _cost_that_empties_the_day),
    JobTrick("money of another day", WORKER, "date in track_job", _money_of_another_day),
    JobTrick("dead letter under the id of another job", WORKER, "signature", _dead_letter_of_a_living_job),
    JobTrick("transcript of another job", WORKER, "session policy", _objects_of_another_job),
)
