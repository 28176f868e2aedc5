"""The jobs of a deployment as a person asks for them: all of them, one with its result, and what they cost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from alm.account import aws_answers
from alm.deployment import Deployment
from orchestrator.adapters.dynamodb import KEPT_S
from orchestrator.adapters.dynamodb_accounts import account_key
from orchestrator.adapters.s3 import S3Artifacts
from orchestrator.domain.job import Job, JobRecord, refuse_newer, result_key, transcript_key
from orchestrator.domain.money import Account
from orchestrator.domain.outcome import JobResult
from orchestrator.errors import ConfigError, NewerFormat, NotFoundError
from orchestrator.usecases.stored_results import read_whole_result


class StoredJob(JobRecord):
    """A job record; `expires_at` tells when it was last changed."""

    expires_at: float = 0.0

    @property
    def changed_at(self) -> str:
        """When the record was last changed, to the second."""
        moment = datetime.fromtimestamp(max(0.0, self.expires_at - KEPT_S), UTC)
        return moment.strftime("%Y-%m-%d %H:%M:%SZ")


class Spending(BaseModel):
    """What a ticket or a UTC day has cost or set aside, until `expires_at`. `of` is the ticket's id or the day."""

    model_config = ConfigDict(frozen=True)
    of: str
    issue_key: str = ""
    usd: float
    expires_at: float = 0.0


@dataclass(frozen=True)
class Listing:
    """Jobs, the one that changed last first, and how many records could not be read."""

    jobs: tuple[StoredJob, ...]
    unreadable: int = 0


@dataclass(frozen=True)
class Detail:
    """All that is kept of a job; `artifacts` are the addresses of what is there."""

    record: StoredJob
    result: JobResult | None
    artifacts: Mapping[str, str]


def listed(deployment: Deployment, issue_key: str | None = None) -> Listing:
    """The jobs whose records are kept, of one issue or of all."""
    read = [_read(item) for item in _items(deployment) if _is_job(item)]
    jobs = [job for job in read if job is not None and issue_key in {None, job.issue_key}]
    jobs.sort(key=lambda job: job.expires_at, reverse=True)
    return Listing(tuple(jobs), read.count(None))


def found(deployment: Deployment, job_id: str) -> StoredJob:
    """The record of that job; NotFoundError if there is none."""
    with aws_answers():
        item = deployment.table.get_item(Key={"job_id": job_id}, ConsistentRead=True).get("Item")
    if item is None or not _is_job(item):
        raise NotFoundError(f"There is no job {job_id}. `alm jobs` lists those that are kept.")
    record = _read(item)
    if record is None:
        raise ConfigError("The job's record cannot be read.")
    return record


def job_of(record: JobRecord) -> Job:
    """What its messages say; ConfigError if the record cannot be one of a job."""
    try:
        return record.job
    except ValueError:
        raise ConfigError("The job's record does not say what its job was.") from None


def spending(deployment: Deployment, account: Account) -> tuple[Spending, ...]:
    """What each ticket has cost, the dearest first; or each day, the latest first."""
    read = (_spending(item, account_key(account, "")) for item in _items(deployment))
    found = [one for one in read if one is not None]
    key = (lambda one: (one.of,)) if account is Account.DAY else (lambda one: (one.usd, one.of))
    return tuple(sorted(found, key=key, reverse=True))


def detail(deployment: Deployment, job_id: str) -> Detail:
    """The job with its result and where the rest lies."""
    record = found(deployment, job_id)
    with aws_answers():
        result = read_whole_result(S3Artifacts(deployment.s3, deployment.bucket), record.job_id)
        listing = deployment.s3.list_objects_v2(Bucket=deployment.bucket, Prefix=f"jobs/{record.job_id}/")
    there = {entry["Key"] for entry in listing.get("Contents", ())}
    places = {"result": result_key(record.job_id), "transcript": transcript_key(job_of(record))}
    artifacts = {name: f"s3://{deployment.bucket}/{key}" for name, key in places.items() if key in there}
    return Detail(record, result, artifacts)


def _items(deployment: Deployment) -> Iterator[Mapping[str, Any]]:
    # 90 days of a team's jobs: a table too small to need an index for a person's question.
    start: dict[str, Any] = {}
    while True:
        with aws_answers():
            page = deployment.table.scan(**start)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _is_job(item: Mapping[str, Any]) -> bool:
    """Whether it is a job's record: neither an account nor a job that a poll only holds while it queues it."""
    return "state" in item


def _read(item: Mapping[str, Any]) -> StoredJob | None:
    try:
        refuse_newer(item)
        return StoredJob.model_validate(item)
    except (ValidationError, NewerFormat):
        return None


def _spending(item: Mapping[str, Any], prefix: str) -> Spending | None:
    key = str(item["job_id"])
    try:
        return (
            Spending.model_validate({**item, "of": key.removeprefix(prefix)})
            if key.startswith(prefix)
            else None
        )
    except ValidationError:
        return None
