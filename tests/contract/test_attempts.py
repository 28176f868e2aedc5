"""What was begun and has not ended, against moto over HTTP; the fake passes the same tests."""

import time
from uuid import uuid4

import boto3
import pytest
from tests.fakes.attempts import FakeAttempts
from tests.fakes.clock import FakeClock

from alm.aws import TABLE, LocalAws
from alm.environment import REGION
from orchestrator.adapters.dynamodb import DynamoJobStore
from orchestrator.adapters.dynamodb_attempts import DynamoAttempts
from orchestrator.ports import Attempts


@pytest.fixture(params=["moto", "fake"])
def attempts(request: pytest.FixtureRequest) -> Attempts:
    if request.param == "fake":
        return FakeAttempts(FakeClock(time.time()))
    aws: LocalAws = request.getfixturevalue("aws")
    session = boto3.session.Session("local", "local", region_name=REGION)
    return DynamoAttempts(session.resource("dynamodb", endpoint_url=aws.endpoint).Table(TABLE))


def test_what_is_noted_has_not_ended_and_what_is_forgotten_has(attempts: Attempts) -> None:
    one, other = uuid4().hex, uuid4().hex
    attempts.note(one, 1)
    attempts.note(other, 1)
    attempts.note(one, 2)
    found = attempts.unfinished()
    assert (found[one].count, found[other].count) == (2, 1)
    assert abs(found[one].began_at - time.time()) < 60
    attempts.forget(one)
    assert one not in attempts.unfinished()
    assert other in attempts.unfinished()


def test_what_was_never_noted_can_be_forgotten(attempts: Attempts) -> None:
    attempts.forget(uuid4().hex)
    attempts.unfinished()


def test_the_item_of_attempts_is_no_job(aws: LocalAws) -> None:
    session = boto3.session.Session("local", "local", region_name=REGION)
    table = session.resource("dynamodb", endpoint_url=aws.endpoint).Table(TABLE)
    DynamoAttempts(table).note("10001", 1)
    assert DynamoJobStore(table).get("attempts#unfinished") is None
    assert all(one.job_id != "attempts#unfinished" for one in DynamoJobStore(table).active())
