"""Queue, bucket and secrets against moto over HTTP; the fakes of the first two pass the same tests."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import boto3
import pytest
from tests.contract.errors import fails
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.queue import FakeQueue

from alm.aws import BUCKET, LocalAws
from alm.environment import REGION
from orchestrator.adapters.s3 import S3Artifacts
from orchestrator.adapters.secrets_manager import SecretsManager
from orchestrator.adapters.sqs import SqsDeadLetters, SqsQueue, delivery
from orchestrator.domain.job import Job
from orchestrator.errors import ConfigError, ForeignMessage, NewerMessage
from orchestrator.ports import ArtifactStore, Delivery, JobCounter, JobReceiver, JobSender

_NUMBERS = count(1)
SESSION = boto3.session.Session("local", "local", region_name=REGION)


class Queue(JobSender, JobReceiver, JobCounter, Protocol):
    """Both ends, and who looks at it from outside."""


def job(issue_key: str = "DEMO-1") -> Job:
    """Another job, on an issue of any test's own."""
    number = next(_NUMBERS)
    identity = f"{issue_key}-fix-{uuid4().hex[:12]}"
    return Job(job_id=identity, issue_id=f"{number}", issue_key=issue_key, action="fix", label="ai-fix")


@pytest.fixture(params=["moto", "fake"])
def queue(request: pytest.FixtureRequest) -> Iterator[Queue]:
    if request.param == "fake":
        yield FakeQueue()
        return
    aws: LocalAws = request.getfixturevalue("aws")
    name = f"{uuid4().hex}.fifo"
    url = aws.sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
    yield SqsQueue(aws.sqs, url)
    aws.sqs.delete_queue(QueueUrl=url)


@pytest.fixture(params=["moto", "fake"])
def foreign_queue(request: pytest.FixtureRequest) -> Queue:
    """The deployment's own kind of queue, with dead letters, and something of a stranger's on it."""
    if request.param == "fake":
        fake = FakeQueue()
        fake.send_foreign("DEMO-1")
        return fake
    aws: LocalAws = request.getfixturevalue("aws")
    aws.sqs.send_message(
        QueueUrl=aws.job_queue,
        MessageBody="what is this",
        MessageGroupId="DEMO-1",
        MessageDeduplicationId=uuid4().hex,
    )
    return SqsQueue(aws.sqs, aws.job_queue)


@pytest.fixture(params=["moto", "fake"])
def artifacts(request: pytest.FixtureRequest) -> ArtifactStore:
    if request.param == "fake":
        return FakeArtifacts()
    aws: LocalAws = request.getfixturevalue("aws")
    return S3Artifacts(SESSION.client("s3", endpoint_url=aws.endpoint), BUCKET)


def received(queue: Queue) -> Delivery:
    """The next job, which must be there."""
    found = queue.receive(0)
    assert found is not None
    return found


def test_an_empty_queue_gives_nothing(queue: Queue) -> None:
    assert queue.receive(0) is None


def test_a_job_comes_out_as_it_went_in(queue: Queue) -> None:
    sent = job()
    queue.send(sent)
    found = received(queue)
    assert (found.job, found.attempt) == (sent, 1)


def test_jobs_of_one_issue_come_in_order_one_at_a_time(queue: Queue) -> None:
    first, second = job("DEMO-1"), job("DEMO-1")
    queue.send(first)
    queue.send(second)
    found = received(queue)
    assert found.job == first
    assert queue.receive(0) is None
    queue.delete(found.receipt)
    assert received(queue).job == second


def test_jobs_of_other_issues_do_not_wait(queue: Queue) -> None:
    first, second, other = job("DEMO-1"), job("DEMO-1"), job("DEMO-2")
    for one in (first, second, other):
        queue.send(one)
    assert [received(queue).job, received(queue).job] == [first, other]
    assert queue.receive(0) is None


def test_a_job_sent_twice_comes_once(queue: Queue) -> None:
    sent = job()
    queue.send(sent)
    queue.send(sent)
    found = received(queue)
    queue.delete(found.receipt)
    assert queue.receive(0) is None


def test_a_job_sent_again_on_purpose_comes_again_once_for_each_number(queue: Queue) -> None:
    sent = job()
    for again in (0, 1, 1, 2):
        queue.send(sent, again)
    came = []
    while (found := queue.receive(0)) is not None:
        came.append(found.job)
        queue.delete(found.receipt)
    assert came == [sent, sent, sent]


def test_a_job_given_back_comes_again_and_is_counted(queue: Queue) -> None:
    queue.send(job())
    attempts = []
    for _ in range(3):
        found = received(queue)
        attempts.append(found.attempt)
        queue.hide(found.receipt, 0)
    assert attempts == [1, 2, 3]


def test_a_job_hidden_again_stays_hidden(queue: Queue) -> None:
    queue.send(job())
    queue.hide(received(queue).receipt, 60)
    assert queue.receive(0) is None


def test_a_deleted_job_is_gone(queue: Queue) -> None:
    queue.send(job())
    found = received(queue)
    queue.hide(found.receipt, 0)
    queue.delete(received(queue).receipt)
    assert queue.receive(0) is None


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "{}", '{"version": 3}', "not json", '"\\ud800"', "[" * 100_000],
    ids=lambda body: body[:9],
)
def test_a_message_that_is_no_job_is_an_error(body: str) -> None:
    record = {
        "messageId": "message",
        "receiptHandle": "receipt",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "3"},
    }
    with pytest.raises(ForeignMessage) as foreign:
        delivery(record)
    said = foreign.value
    assert (said.message_id, said.receipt, said.attempt) == ("message", "receipt", 3)
    assert said.__cause__ is None
    assert body == "" or body not in str(said)


def test_waiting_messages_are_counted_and_those_at_work_are_not(queue: Queue) -> None:
    assert queue.waiting() == 0
    for key in ("DEMO-1", "DEMO-2", "DEMO-3"):
        queue.send(job(key))
    assert queue.waiting() == 3
    queue.delete(received(queue).receipt)
    queue.receive(0)
    assert queue.waiting() == 1


def test_all_messages_are_counted_those_at_work_too(queue: Queue) -> None:
    assert queue.depth() == 0
    for key in ("DEMO-1", "DEMO-2", "DEMO-3"):
        queue.send(job(key))
    queue.delete(received(queue).receipt)
    queue.receive(0)
    assert queue.depth() == 2


def test_a_message_of_a_newer_release_is_told_from_one_that_is_none_of_ours() -> None:
    record = {"messageId": "m", "receiptHandle": "r", "attributes": {"ApproximateReceiveCount": "1"}}
    newer = job().model_dump_json().replace('"version":2', '"version":3,"more":[]')
    with pytest.raises(NewerMessage):
        delivery({**record, "body": newer})
    with pytest.raises(ForeignMessage) as foreign:
        delivery({**record, "body": '{"version": 1}'})
    assert not isinstance(foreign.value, NewerMessage)


def dead_letters(aws: LocalAws, bodies: Sequence[str]) -> SqsDeadLetters:
    """A queue of its own with these messages, each of another issue."""
    name = f"{uuid4().hex}.fifo"
    url = aws.sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
    for number, body in enumerate(bodies):
        aws.sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId=f"{number}", MessageDeduplicationId=uuid4().hex
        )
    return SqsDeadLetters(aws.sqs, url)


def test_dead_letters_tell_whose_jobs_they_are_and_stay(aws: LocalAws) -> None:
    jobs = [job(f"DEMO-{number}") for number in range(12)]
    letters = dead_letters(aws, [one.model_dump_json() for one in jobs])
    assert {one.job_id for one in letters.jobs()} == {one.job_id for one in jobs}
    assert SqsQueue(aws.sqs, letters.url).depth() == len(jobs)


def test_dead_letters_of_others_and_of_newer_releases_are_passed_over(aws: LocalAws) -> None:
    ours = job()
    newer = job().model_dump_json().replace('"version":2', '"version":3')
    letters = dead_letters(aws, ["what is this", '"\\ud800"', newer, ours.model_dump_json()])
    assert letters.jobs() == (ours,)


def test_a_foreign_message_given_back_four_times_blocks_its_issue_no_longer(foreign_queue: Queue) -> None:
    ours = job("DEMO-1")
    foreign_queue.send(ours)
    for attempt in (1, 2, 3, 4):
        with pytest.raises(ForeignMessage) as foreign:
            foreign_queue.receive(0)
        assert foreign.value.attempt == attempt
        foreign_queue.hide(foreign.value.receipt, 0)
    assert received(foreign_queue).job == ours


def test_a_missing_artifact_is_none(artifacts: ArtifactStore) -> None:
    assert artifacts.get(f"jobs/{uuid4()}/brief.json") is None


@pytest.mark.parametrize("content", [b"", b"\x00\xff", "ünï\r\n".encode(), bytes(3_000_000)], ids=len)
def test_an_artifact_comes_back_byte_for_byte(
    artifacts: ArtifactStore, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(content)
    artifacts.put("jobs/one/a b.json", content)
    artifacts.put_file("jobs/one/file", tmp_path / "file")
    assert artifacts.get("jobs/one/a b.json") == artifacts.get("jobs/one/file") == content


def test_an_artifact_is_replaced(artifacts: ArtifactStore) -> None:
    artifacts.put("jobs/two", b"old")
    artifacts.put("jobs/two", b"new")
    assert artifacts.get("jobs/two") == b"new"


def test_what_is_stored_already_is_not_replaced_by_one_who_asks_for_a_new_one(
    artifacts: ArtifactStore,
) -> None:
    key = f"jobs/{uuid4()}/result.json"
    assert artifacts.put_new(key, b"first")
    assert not artifacts.put_new(key, b"second")
    assert artifacts.get(key) == b"first"


def test_a_secret_is_read_by_its_name(aws: LocalAws) -> None:
    manager = SecretsManager(SESSION.client("secretsmanager", endpoint_url=aws.endpoint))
    assert manager.value("alm/known") == "its value"


def test_a_missing_secret_is_named_and_no_other_is_shown(aws: LocalAws) -> None:
    manager = SecretsManager(SESSION.client("secretsmanager", endpoint_url=aws.endpoint))
    known = manager.value("alm/known")
    error = fails(ConfigError, lambda: manager.value("alm/jira"), [known])
    assert "The secret alm/jira could not be read (ResourceNotFoundException)" in str(error)


def test_a_secret_that_is_no_text_is_named_and_not_shown(aws: LocalAws) -> None:
    client = SESSION.client("secretsmanager", endpoint_url=aws.endpoint)
    content = b"s3cret bytes"
    client.create_secret(Name="alm/binary", SecretBinary=content)
    error = fails(ConfigError, lambda: SecretsManager(client).value("alm/binary"), [content.decode()])
    assert "alm/binary" in str(error)
