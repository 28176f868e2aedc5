"""publish_result: the write credentials of Jira and GitHub. Never the model's key."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from orchestrator.bootstrap import parts
from orchestrator.config import PublishSettings, ResultQueueSettings
from orchestrator.domain.sensitive import SensitiveRules
from orchestrator.secret_values import GitHubSecret, JiraSecret, parsed_secret
from orchestrator.usecases.attempt_work import AttemptWork
from orchestrator.usecases.deliver_results import DeliverResults
from orchestrator.usecases.judge_change import JudgeChange
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
    from orchestrator.adapters.github_files import GitHubFiles
    from orchestrator.adapters.github_traffic import count_github
    from orchestrator.adapters.without_secrets import (
        CommentsWithoutSecrets,
        EventsWithoutSecrets,
        PullRequestsWithoutSecrets,
    )

    scanner = parts.secret_scanner()
    settings, log = PublishSettings.read(), EventsWithoutSecrets(parts.events("publish_result"), scanner)
    jira_secret = parsed_secret(JiraSecret, settings.jira_secret, parts.secret(settings.jira_secret))
    github_secret = parsed_secret(GitHubSecret, settings.github_secret, parts.secret(settings.github_secret))
    signer = parts.signer(settings, settings.jira_project_key)
    tracker = parts.jira(settings, jira_secret, log, signer.vouch)
    count_github(log)
    repository = connect(settings, github_secret.token)
    # Nothing else in this function holds the tracker's comments or the code host's write access.
    publish = PublishResult(
        issues=tracker,
        comments=CommentsWithoutSecrets(tracker, scanner),
        pull_requests=PullRequestsWithoutSecrets(GitHubWriter(repository), scanner),
        jobs=parts.jobs(settings),
        artifacts=parts.artifacts(settings),
        catalogue=parts.catalogue(settings.prompts_dir),
        signer=signer,
        events=log,
        may_request_changes=settings.review_event == "REQUEST_CHANGES",
        judge=JudgeChange(
            scanner=scanner,
            files=GitHubFiles(repository),
            clock=parts.clock(),
            protected=settings.protected_paths,
            sensitive=SensitiveRules(settings.sensitive_paths, settings.sensitive_binary_bytes),
        ),
    )
    attempts = parts.attempts(settings)
    attempt = AttemptWork(attempts, parts.time_limit())
    return PublishInTime(publish, attempts, attempt, log)
