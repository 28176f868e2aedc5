"""Scheduled: find and claim labelled issues, put their jobs on the queue."""

from typing import Any

from orchestrator import bootstrap


def handler(event: dict[str, Any], context: object) -> dict[str, list[str]]:
    """One poll; the issue keys by what became of them."""
    del event, context
    report = bootstrap.poll()()
    return {
        "claimed": [job.issue_key for job in report.claimed],
        "resumed": [job.issue_key for job in report.resumed],
        "failed": list(report.failed),
    }
