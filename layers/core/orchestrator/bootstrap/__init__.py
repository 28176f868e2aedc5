"""Puts the parts together: the only place that names adapters. Importing it has no effects.

A module for each function. Its parts are made once a process and hold only what that function's room may hold.
"""

from orchestrator.bootstrap.parts import catalogue, clock, events, jira
from orchestrator.bootstrap.poller import poll, polled
from orchestrator.bootstrap.publisher import publish_result, published
from orchestrator.bootstrap.tracker import track_job, tracked
from orchestrator.bootstrap.worker import task, work, worked

__all__ = [
    "catalogue",
    "clock",
    "events",
    "jira",
    "poll",
    "polled",
    "publish_result",
    "published",
    "task",
    "track_job",
    "tracked",
    "work",
    "worked",
]
