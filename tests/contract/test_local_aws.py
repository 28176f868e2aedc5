"""moto in its own process: what the real AWS promises and moto alone does not keep."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIEnvironment

import boto3
import pytest

from alm import tether
from alm.aws import TABLE, LocalAws
from alm.environment import REGION, machine_environment
from alm.moto_tables import one_at_a_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


@pytest.fixture
def dynamodb(aws: LocalAws) -> Iterator["DynamoDBClient"]:
    session = boto3.session.Session("local", "local", region_name=REGION)
    client = session.client("dynamodb", endpoint_url=aws.endpoint)
    yield client
    client.delete_item(TableName=TABLE, Key=key("ours"))


def key(name: str) -> dict[str, Any]:
    return {"job_id": {"S": f"transaction-{name}"}}


def add_one(name: str, condition: str = "") -> dict[str, Any]:
    update: dict[str, Any] = {
        "TableName": TABLE,
        "Key": key(name),
        "UpdateExpression": "ADD usd :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    return {**update, **({"ConditionExpression": condition} if condition else {})}


def usd(client: "DynamoDBClient", name: str) -> str:
    item = client.get_item(TableName=TABLE, Key=key(name)).get("Item", {})
    return item.get("usd", {}).get("N", "nothing")


def refused(client: "DynamoDBClient") -> None:
    changes = [{"Update": add_one("ours")}, {"Update": add_one("other", "attribute_exists(usd)")}]
    with suppress(client.exceptions.TransactionCanceledException):
        client.transact_write_items(TransactItems=changes)  # type: ignore[arg-type]


def test_what_moto_prints_never_fills_a_pipe_that_nobody_reads() -> None:
    process = tether.start("alm.moto_process", (), machine_environment())
    try:
        assert process.stdout is not None
        assert int(process.stdout.readline())
        prints_to = {str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in (1, 2)}
        assert prints_to == {os.devnull}
    finally:
        tether.stop(process)


def test_a_transaction_that_fails_takes_its_own_writes_back(dynamodb: "DynamoDBClient") -> None:
    refused(dynamodb)
    assert usd(dynamodb, "ours") == "nothing"
    dynamodb.update_item(**add_one("ours"))
    refused(dynamodb)
    assert usd(dynamodb, "ours") == "1"


@pytest.mark.parametrize(
    ("target", "waits"), [("DynamoDB_20120810.UpdateItem", True), ("AmazonSQS.ReceiveMessage", False)]
)
def test_the_table_takes_one_request_after_the_other_and_a_queue_any(target: str, *, waits: bool) -> None:
    lock, seen = Lock(), list[bool]()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        del environ, start_response
        seen.append(lock.locked())
        return ()

    one_at_a_time(app, lock)({"HTTP_X_AMZ_TARGET": target}, lambda *_: lambda _: None)
    assert (seen, lock.locked()) == ([waits], False)
