"""The queues of one machine keep SQS's promises to workers that wait: `alm.moto_queues`."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from moto.sqs.models import Queue, SQSBackend

from alm.moto_queues import hand_out_at_once, receive

NAME = "jobs.fifo"
PATCHED = (
    (SQSBackend, "receive_message"),
    (SQSBackend, "change_message_visibility"),
    (Queue, "add_message"),
    (Queue, "delete_message"),
)


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> SQSBackend:
    """A queue as `alm.moto_process` has it; the patches are taken back afterwards."""
    for owner, name in PATCHED:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    hand_out_at_once()
    backend = SQSBackend("us-east-1", "123456789012")
    backend.create_queue(NAME, FifoQueue="true")
    return backend


def send(sqs: SQSBackend, name: str, group: str) -> None:
    sqs.send_message(NAME, name, deduplication_id=name, group_id=group)


def test_a_worker_that_waits_gets_the_next_job_of_an_issue_when_the_one_before_is_done(
    sqs: SQSBackend,
) -> None:
    send(sqs, "first", "DEMO-1")
    send(sqs, "second", "DEMO-1")
    (first,) = sqs.receive_message(NAME, 1, 0, 120)
    receipt = str(first.receipt_handle)
    assert sqs.receive_message(NAME, 1, 0, 120) == []
    (second,) = receive(sqs, NAME, 1, 20, 120, pause=lambda: sqs.delete_message(NAME, receipt))
    assert second.body == "second"


def test_no_message_goes_to_two_workers_and_none_is_lost(sqs: SQSBackend) -> None:
    names = [f"job-{number}" for number in range(400)]

    def send_one(name: str) -> None:
        send(sqs, name, name)

    def take(_: str) -> list[str]:
        found = sqs.receive_message(NAME, 1, 5, 120)
        for one in found:
            sqs.delete_message(NAME, str(one.receipt_handle))
        return [str(one.body) for one in found]

    with ThreadPoolExecutor(8) as senders, ThreadPoolExecutor(8) as takers:
        taken = takers.map(take, names)
        list(senders.map(send_one, names))
        found = sorted(name for names in taken for name in names)
    assert found == sorted(names)
