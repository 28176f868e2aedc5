"""Dead letters of jobs whose tickets have been told that they failed: they are asked for anew."""

from collections.abc import Iterator

import pytest
from tests.contract.deployed import a_job, a_stack, bodies, ended, queue, store

from alm import steering
from alm.aws import LocalAws
from alm.deployment import Deployment
from alm.standins.jira import JiraStandIn
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.domain.issue import Left
from orchestrator.domain.job import PROCESSING_LABEL, Job, Unfinished
from orchestrator.domain.outcome import Outcome


@pytest.fixture
def where(aws: LocalAws) -> Iterator[Deployment]:
    with a_stack(aws) as (_, found):
        yield found


def _given_up(where: Deployment, jira: JiraStandIn, cloud: JiraCloud) -> Job:
    """A job that failed each time, told and kept."""
    issue = jira.create_issue("Bug", "One")
    job = a_job(issue.key).model_copy(update={"issue_id": issue.id})
    store(where).create(job, None)
    store(where).end(job, Outcome.FAILED, None)
    left = Left(unfinished=Unfinished(action=job.action, job_id=job.job_id))
    cloud.release(job, Outcome.FAILED, left)
    queue(where, "JobDeadLettersUrl").send(job)
    return job


def _redriven(where: Deployment, cloud: JiraCloud) -> steering.Redriven:
    jobs, _ = steering.redrive(where, lambda: cloud, wait_s=0)
    return jobs


def test_its_label_is_put_on_again_and_its_message_is_gone(
    where: Deployment, jira: JiraStandIn, cloud: JiraCloud
) -> None:
    job = _given_up(where, jira, cloud)
    redriven = _redriven(where, cloud)
    assert (redriven.asked, redriven.moved) == ((job.job_id,), ())
    assert redriven.words() == "jobs: 0 message(s) brought back, 1 job(s) that had ended asked for again"
    assert job.label in jira.issue(job.issue_key).labels
    assert (bodies(where, "JobDeadLettersUrl"), bodies(where, "JobQueueUrl")) == ([], [])


@pytest.mark.parametrize("label", [PROCESSING_LABEL, "ai-fix"])
def test_a_ticket_that_is_asked_for_already_is_left_as_it_is(
    where: Deployment, jira: JiraStandIn, cloud: JiraCloud, label: str
) -> None:
    job = _given_up(where, jira, cloud)
    jira.add_label(job.issue_key, label)
    assert _redriven(where, cloud).asked == (job.job_id,)
    assert jira.issue(job.issue_key).labels == (label,)


def test_a_ticket_that_has_moved_on_is_left_as_it_is(
    where: Deployment, jira: JiraStandIn, cloud: JiraCloud
) -> None:
    job = _given_up(where, jira, cloud)
    cloud.release(job, Outcome.SUCCEEDED, Left())
    assert _redriven(where, cloud).asked == (job.job_id,)
    assert jira.issue(job.issue_key).labels == ()


def test_a_job_that_ended_otherwise_is_sent_back_to_be_dropped_by_a_worker(
    where: Deployment, jira: JiraStandIn, cloud: JiraCloud
) -> None:
    jira.create_issue("Bug", "One")
    job = ended(where, a_job())
    store(where).end(job, Outcome.SUCCEEDED, 0.5)
    queue(where, "JobDeadLettersUrl").send(job)
    assert _redriven(where, cloud).moved == (job.job_id,)
