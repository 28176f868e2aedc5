"""publish_result: the write credentials of Jira and GitHub. Never the model's key."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from orchestrator.bootstrap import parts
from orchestrator.config import PublishSettings, ResultQueueSettings
from orchestrator.secret_values import GitHubSecret, JiraSecret, parsed_secret
from orchestrator.usecases.deliver_results import DeliverResults
from orchestrator.usecases.publish_result import PublishResult


def published(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """publish_result's one verb: the ids of the messages that must come again."""
    from orchestrator.adapters.sqs import delivery

    def hide(receipt: str, seconds: int) -> None:
        if url := ResultQueueSettings.read().result_queue_url:
            parts.queue(url).hide(receipt, seconds)

    return DeliverResults(publish_result, delivery, hide, parts.events("publish_result"))(records)


@cache
def publish_result() -> PublishResult:
    """publish_result: the write credentials of Jira and GitHub."""
    from orchestrator.adapters.github_api import GitHubWriter, connect
    from orchestrator.adapters.github_traffic import count_github

    settings, log = PublishSettings.read(), parts.events("publish_result")
    jira_secret = parsed_secret(JiraSecret, settings.jira_secret, parts.secret(settings.jira_secret))
    github_secret = parsed_secret(GitHubSecret, settings.github_secret, parts.secret(settings.github_secret))
    signer = parts.signer(settings, settings.jira_project_key)
    tracker = parts.jira(settings, jira_secret, log, signer.vouch)
    count_github(log)
    return PublishResult(
        issues=tracker,
        comments=tracker,
        pull_requests=GitHubWriter(connect(settings, github_secret.token)),
        jobs=parts.jobs(settings),
        artifacts=parts.artifacts(settings),
        catalogue=parts.catalogue(settings.prompts_dir),
        signer=signer,
        events=log,
        may_request_changes=settings.review_event == "REQUEST_CHANGES",
        protected=settings.protected_paths,
    )
