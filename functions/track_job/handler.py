"""On a worker's request: check the job's signature, then do what the request asks for that job."""

from typing import Any

from orchestrator import bootstrap


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one request (`orchestrator/domain/tracking.py`). A request of another form raises."""
    del context
    return bootstrap.tracked(event)
