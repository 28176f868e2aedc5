"""publish_result: the write credentials of Jira and GitHub. Never the model's key."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from orchestrator.bootstrap import parts
from orchestrator.config import GitHubSecret, JiraSecret, PublishSettings, ResultQueueSettings, parsed_secret
from orchestrator.usecases.attempt_work import AttemptWork
from orchestrator.usecases.deliver_results import DeliverResults
from orchestrator.usecases.publish_in_time import PublishInTime
from orchestrator.usecases.publish_result import PublishResult


def published(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """publish_result's one verb: the ids of the messages that must come again."""
    from orchestrator.adapters.sqs import delivery

    def hide(receipt: str, seconds: int) -> None:
        if url := ResultQueueSettings.read().result_queue_url:
            parts.queue(url).hide(receipt, seconds)

    return DeliverResults(publish_result, delivery, hide, parts.events("publish_result"))(records)


@cache
def publish_result() -> PublishInTime:
    """publish_result: the write credentials of Jira and GitHub."""
    from orchestrator.adapters.github_api import GitHubWriter, connect
    from orchestrator.adapters.github_traffic import count_github

    settings, log = PublishSettings.read(), parts.events("publish_result")
    jira_secret = parsed_secret(JiraSecret, settings.jira_secret, parts.secret(settings.jira_secret))
    github_secret = parsed_secret(GitHubSecret, settings.github_secret, parts.secret(settings.github_secret))
    tracker = parts.jira(settings, jira_secret, log)
    count_github(log)
    publish = PublishResult(
        issues=tracker,
        comments=tracker,
        pull_requests=GitHubWriter(connect(settings, github_secret.token)),
        jobs=parts.jobs(settings),
        artifacts=parts.artifacts(settings),
        catalogue=parts.catalogue(settings.prompts_dir),
        events=log,
        may_request_changes=settings.review_event == "REQUEST_CHANGES",
        protected=settings.protected_paths,
    )
    attempts = parts.attempts(settings)
    attempt = AttemptWork(attempts, parts.time_limit())
    return PublishInTime(publish, attempts, attempt, log)
