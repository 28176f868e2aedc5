"""On a message: run its job. The same container also runs as a task of its own, see `__main__`."""

from typing import Any

from orchestrator import bootstrap


def handler(event: dict[str, Any], context: object) -> None:
    """Run the job of every record (the queue sends one); raising leaves it to the queue."""
    del context
    bootstrap.worked(event["Records"])
