"""Cancelling, asking again and redriving, against moto and the stand-in for Jira."""

from collections.abc import Iterator

import pytest
from tests.contract.deployed import a_job, a_stack, bodies, ended, put, queue, queued, store

from alm import jobs, steering
from alm.aws import LocalAws
from alm.deployment import Deployment
from alm.standins.jira import JiraStandIn
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.outcome import JobResult, Outcome, Verdict
from orchestrator.errors import ConfigError, NotFoundError


def nobody() -> JiraCloud:
    """No ticket has to be asked for anything."""
    raise AssertionError


@pytest.fixture
def where(aws: LocalAws) -> Iterator[Deployment]:
    with a_stack(aws) as (_, found):
        yield found


def test_a_cancelled_job_gets_a_result_that_is_published_and_not_computed(where: Deployment) -> None:
    job = queued(where, a_job())
    assert "no agent will start" in steering.cancel(where, jobs.found(where, job.job_id))
    result = jobs.detail(where, job.job_id).result
    assert result is not None
    assert result.verdict.outcome is Outcome.CANCELLED
    assert bodies(where, "ResultQueueUrl") == [job.model_dump_json()]


def test_a_job_at_work_is_ended_by_its_worker_which_is_asked_to(where: Deployment) -> None:
    job = queued(where, a_job())
    store(where).start(job, 1)
    assert "stops the agent within seconds" in steering.cancel(where, jobs.found(where, job.job_id))
    assert store(where).alive(job)
    assert jobs.detail(where, job.job_id).result is None
    assert bodies(where, "ResultQueueUrl") == []


def test_a_job_whose_message_was_given_up_is_ended_at_once(where: Deployment) -> None:
    job = queued(where, a_job())
    store(where).start(job, 1)
    store(where).give_up(job, "jobs")
    assert "no agent will start" in steering.cancel(where, jobs.found(where, job.job_id))
    assert bodies(where, "ResultQueueUrl") == [job.model_dump_json()]


def test_a_cancel_that_was_interrupted_is_done_by_the_next_one(where: Deployment) -> None:
    job = queued(where, a_job())
    store(where).ask_to_cancel(job)
    put(where, job, JobResult(verdict=Verdict(outcome=Outcome.CANCELLED, reason="Somebody cancelled it.")))
    steering.cancel(where, jobs.found(where, job.job_id))
    assert bodies(where, "ResultQueueUrl") == [job.model_dump_json()]


def test_a_job_that_ends_while_it_is_being_cancelled_has_ended(where: Deployment) -> None:
    job = queued(where, a_job())
    read = jobs.found(where, job.job_id)
    store(where).end(job, Outcome.FAILED, 0.5)
    with pytest.raises(ConfigError, match="has ended already"):
        steering.cancel(where, read)
    assert bodies(where, "ResultQueueUrl") == []


def test_a_result_that_is_there_already_is_not_overwritten_by_a_cancel(where: Deployment) -> None:
    job = queued(where, a_job())
    put(where, job, JobResult(verdict=Verdict(outcome=Outcome.SUCCEEDED)))
    with pytest.raises(ConfigError, match="has its result already"):
        steering.cancel(where, jobs.found(where, job.job_id))
    result = jobs.detail(where, job.job_id).result
    assert result is not None
    assert result.verdict.outcome is Outcome.SUCCEEDED
    assert bodies(where, "ResultQueueUrl") == []


def test_an_ended_job_cannot_be_cancelled(where: Deployment) -> None:
    job = ended(where, a_job())
    with pytest.raises(ConfigError, match=r"has ended already \(failed\)"):
        steering.cancel(where, jobs.found(where, job.job_id))


def test_a_record_that_does_not_name_a_job_of_ours_is_not_acted_upon(where: Deployment) -> None:
    item = {
        "job_id": "../../x",
        "state": "queued",
        "issue_key": "\x1b[2J",
        "action": "fix",
        "label": "ai-fix",
    }
    where.table.put_item(Item=item)
    with pytest.raises(ConfigError, match="does not say what its job was"):
        steering.cancel(where, jobs.found(where, "../../x"))
    assert bodies(where, "ResultQueueUrl") == []


def test_a_retry_puts_the_label_on_again_once(where: Deployment, jira: JiraStandIn, cloud: JiraCloud) -> None:
    jira.create_issue("Bug", "One", labels=("theirs",))
    record = jobs.found(where, ended(where, a_job()).job_id)
    assert "makes a new job of it" in steering.retry(cloud, record)
    assert set(jira.issue("DEMO-1").labels) == {"theirs", "ai-fix"}
    assert "already" in steering.retry(cloud, record)
    assert [request.method for request in jira.requests].count("PUT") == 1


def test_a_job_that_has_not_ended_is_not_asked_for_again(
    where: Deployment, jira: JiraStandIn, cloud: JiraCloud
) -> None:
    jira.create_issue("Bug", "One")
    with pytest.raises(ConfigError, match="has not ended"):
        steering.retry(cloud, jobs.found(where, queued(where, a_job()).job_id))
    assert jira.requests == ()


def test_a_retry_of_an_issue_that_is_gone_is_a_sentence(where: Deployment, cloud: JiraCloud) -> None:
    with pytest.raises(NotFoundError, match="DEMO-404 is gone"):
        steering.retry(cloud, jobs.found(where, ended(where, a_job("DEMO-404")).job_id))


def test_redriven_jobs_come_again_in_their_issues_order(where: Deployment) -> None:
    sent = [a_job("DEMO-1"), a_job("DEMO-2"), a_job("DEMO-1")]
    for job in sent:
        queue(where, "JobDeadLettersUrl").send(job)
    redriven, results = steering.redrive(where, nobody, wait_s=0)
    assert (sorted(redriven.moved), redriven.foreign) == (sorted(job.job_id for job in sent), 0)
    assert (results.moved, results.foreign) == ((), 0)
    again = queue(where, "JobQueueUrl")
    first = again.receive(0)
    assert first is not None
    again.delete(first.receipt)
    came = [
        first.job.job_id,
        *(delivery.job.job_id for delivery in iter(lambda: again.receive(0), None) if delivery),
    ]
    assert [job_id for job_id in came if "DEMO-1-" in job_id] == [sent[0].job_id, sent[2].job_id]
    assert bodies(where, "JobDeadLettersUrl") == []


def test_a_redriven_message_is_known_by_its_own_id_not_by_the_jobs_that_sqs_would_drop(
    where: Deployment,
) -> None:
    dead = queue(where, "JobDeadLettersUrl")
    dead.send(a_job())
    steering.redrive(where, nobody, wait_s=0)
    (message,) = where.sqs.receive_message(
        QueueUrl=where.outputs["JobQueueUrl"], MessageSystemAttributeNames=["MessageDeduplicationId"]
    )["Messages"]
    assert message["Attributes"]["MessageDeduplicationId"].startswith("redrive-")


def test_results_are_redriven_to_the_result_queue(where: Deployment) -> None:
    job = a_job()
    queue(where, "ResultDeadLettersUrl").send(job)
    _, results = steering.redrive(where, nobody, wait_s=0)
    assert results.moved == (job.job_id,)
    assert bodies(where, "ResultQueueUrl") == [job.model_dump_json()]


def test_a_message_that_is_not_ours_stays_where_it_is_and_is_counted(where: Deployment) -> None:
    dead = where.outputs["JobDeadLettersUrl"]
    where.sqs.send_message(
        QueueUrl=dead, MessageBody="not a job", MessageGroupId="x", MessageDeduplicationId="x"
    )
    queue(where, "JobDeadLettersUrl").send(a_job())
    redriven, _ = steering.redrive(where, nobody, wait_s=0)
    assert (len(redriven.moved), redriven.foreign) == (1, 1)
    assert bodies(where, "JobDeadLettersUrl") == ["not a job"]


def test_a_message_that_is_not_ours_is_deleted_only_when_asked(where: Deployment) -> None:
    dead = where.outputs["JobDeadLettersUrl"]
    where.sqs.send_message(
        QueueUrl=dead, MessageBody="not a job", MessageGroupId="x", MessageDeduplicationId="x"
    )
    redriven, _ = steering.redrive(where, nobody, delete_foreign=True, wait_s=0)
    assert redriven.words() == "jobs: 0 message(s) brought back, 1 not ours deleted"
    assert bodies(where, "JobDeadLettersUrl") == []


def test_a_message_of_a_newer_release_is_left_for_it_and_never_deleted(where: Deployment) -> None:
    dead = where.outputs["JobDeadLettersUrl"]
    newer = a_job().model_dump_json().replace('"version":2', '"version":3')
    where.sqs.send_message(QueueUrl=dead, MessageBody=newer, MessageGroupId="x", MessageDeduplicationId="x")
    redriven, _ = steering.redrive(where, nobody, delete_foreign=True, wait_s=0)
    assert redriven.words() == "jobs: 0 message(s) brought back, 1 of a newer release left there"
    assert bodies(where, "JobDeadLettersUrl") == [newer]
