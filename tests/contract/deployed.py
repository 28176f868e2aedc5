"""A deployment in moto: a stack with the template's outputs, and jobs in it as poll and worker leave them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import boto3

from alm.aws import TABLE_FORM, LocalAws
from alm.deployment import OUTPUTS, Deployment, deployed
from alm.environment import REGION
from orchestrator.adapters.dynamodb import DynamoJobStore
from orchestrator.adapters.sqs import SqsQueue
from orchestrator.domain.job import Job, result_key
from orchestrator.domain.outcome import JobResult, Outcome

SESSION = boto3.session.Session("local", "local", region_name=REGION)
QUEUES = ("JobDeadLetters", "JobQueue", "ResultDeadLetters", "ResultQueue")


def template(name: str) -> str:
    """As much of the template as moto makes and our commands look at."""
    queues: dict[str, Any] = {
        queue: {
            "Type": "AWS::SQS::Queue",
            "Properties": {"FifoQueue": True, "QueueName": f"{name}-{queue}.fifo"},
        }
        for queue in QUEUES
    }
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": f"{name}-jobs", **TABLE_FORM}}
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"{name}-artifacts"}}
    resources = {**queues, "JobsTable": table, "ArtifactsBucket": bucket}
    refs = {output: {"Value": {"Ref": output.removesuffix("Url").removesuffix("Name")}} for output in OUTPUTS}
    return json.dumps({"Resources": resources, "Outputs": refs})


@contextmanager
def a_stack(aws: LocalAws, name: str = "") -> Iterator[tuple[str, Deployment]]:
    """A stack of that name, or of one that nobody else has."""
    name = name or f"alm-{uuid4().hex[:12]}"
    client: Any = SESSION.client("cloudformation", endpoint_url=aws.endpoint)
    client.create_stack(StackName=name, TemplateBody=template(name))
    yield name, deployed(SESSION, name, aws.endpoint)


def a_job(issue_key: str = "DEMO-1", action: str = "fix", **changes: str) -> Job:
    """Another job."""
    identity = f"{issue_key}-{action}-{uuid4().hex[:12]}"
    made = Job(job_id=identity, issue_id="10001", issue_key=issue_key, action=action, label=f"ai-{action}")
    return made.model_copy(update=changes)


def store(deployment: Deployment) -> DynamoJobStore:
    """The job table as poll and worker write it."""
    return DynamoJobStore(deployment.table)


def put(where: Deployment, job: Job, result: JobResult) -> None:
    """Store the job's result."""
    where.s3.put_object(
        Bucket=where.bucket, Key=result_key(job.job_id), Body=result.model_dump_json().encode()
    )


def queue(where: Deployment, name: str) -> SqsQueue:
    """One of its queues, by the name of the output."""
    return SqsQueue(where.sqs, where.outputs[name])


def bodies(where: Deployment, name: str) -> list[str]:
    """What waits in the queue now."""
    answer = where.sqs.receive_message(QueueUrl=where.outputs[name], MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", ())]


def queued(where: Deployment, job: Job) -> Job:
    """The job, recorded as queued."""
    store(where).create(job, None)
    return job


def ended(where: Deployment, job: Job) -> Job:
    """The job, recorded as failed."""
    store(where).end(queued(where, job), Outcome.FAILED, 0.5)
    return job
