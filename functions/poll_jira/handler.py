"""Scheduled: find and claim labelled issues, put their jobs on the queue, start workers."""

from typing import Any

from orchestrator import bootstrap


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """One poll: the issue keys by what became of them, and why there could be no poll, if so."""
    del event, context
    report = bootstrap.polled()
    return {
        "claimed": [job.issue_key for job in report.claimed],
        "cancelled": [job.issue_key for job in report.cancelled],
        "resumed": [job.issue_key for job in report.resumed],
        "failed": list(report.failed),
        "unusable": report.unusable,
    }
