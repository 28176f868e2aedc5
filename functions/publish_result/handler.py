"""On a result: pull request, comment, labels."""

from typing import Any

from orchestrator import bootstrap


def handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """Publish every result of the event (the queue sends one); those named in the answer come again.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    del context
    left = bootstrap.published(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in left]}
