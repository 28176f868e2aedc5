"""moto's DynamoDB, made to keep what the real one promises and to be quick about it.

As it comes, a transaction first copies the whole table for each of its changes, and one that fails puts that copy
back: what others wrote meanwhile is gone, and a thousand jobs take hours.
"""

import copy
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_write: Callable[[DynamoDBBackend, list[dict[str, Any]]], None] = DynamoDBBackend.transact_write_items
# What the transaction under way may change; there is one at a time.
_changing: list[Any] = []


def one_at_a_time(app: WSGIApplication, lock: Lock) -> WSGIApplication:
    """The same, but each request to DynamoDB waits for the one before; those to queues may take their time."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not str(environ.get("HTTP_X_AMZ_TARGET", "")).startswith("DynamoDB"):
            return app(environ, start_response)
        with lock:
            return app(environ, start_response)

    return serve


def copy_only_what_changes() -> None:
    """For good, in this process."""
    DynamoDBBackend.transact_write_items = _transact  # type: ignore[method-assign]
    Table.__deepcopy__ = _copied  # type: ignore[attr-defined]


def _transact(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    changes = [change for item in transact_items for change in item.values()]
    _changing[:] = [key for change in changes for key in change.get("Key", change.get("Item", {})).values()]
    _write(self, transact_items)


def _copied(self: Table, memo: dict[int, Any]) -> Table:
    """The table as it is, with the items that may change copied."""
    kept = copy.copy(self)
    kept.items = self.items.copy()
    for key in map(DynamoType, _changing):
        if key in kept.items:
            kept.items[key] = copy.deepcopy(kept.items[key], memo)
    return kept
