"""On a result: pull request, comment, labels."""

from typing import Any

from orchestrator import bootstrap


def handler(event: dict[str, Any], context: object) -> None:
    """Publish every result of the event (the queue sends one); raising leaves it to the queue."""
    del context
    publish = bootstrap.publish_result()
    for record in event["Records"]:
        delivery = bootstrap.delivery(record)
        publish(delivery.job, delivery.attempt)
