"""poll_jira: Jira credentials and both queues. Never the model's key, GitHub or code."""

from collections.abc import Callable, Mapping
from functools import cache

from orchestrator.bootstrap import parts
from orchestrator.config import PollSettings
from orchestrator.ports import DeadLetters, Events
from orchestrator.secret_values import JiraSecret, parsed_secret
from orchestrator.usecases.attempt_work import AttemptWork
from orchestrator.usecases.brief_job import BriefJob
from orchestrator.usecases.cancel_job import CancelJob
from orchestrator.usecases.claim_issue import ClaimIssue
from orchestrator.usecases.find_issues import FindIssues
from orchestrator.usecases.launch_workers import LaunchWorkers
from orchestrator.usecases.poll import Poll, PollReport, poll_once
from orchestrator.usecases.take_issue import TakeIssue
from orchestrator.usecases.watch_jobs import WatchJobs

# Jobs that wait for each worker: enough that none is idle until the next poll.
QUEUED_FOR_EACH = 3


def polled() -> PollReport:
    """poll_jira's one verb."""
    return poll_once(poll, parts.events("poll_jira"))


@cache
def poll() -> Poll:
    """One poll, as often as it is called."""
    settings, log = PollSettings.read(), parts.events("poll_jira")
    secret = parsed_secret(JiraSecret, settings.jira_secret, parts.secret(settings.jira_secret))
    signer = parts.signer(settings, settings.jira_project_key)
    tracker = parts.jira(settings, secret, log, signer.vouch)
    actions = parts.catalogue(settings.prompts_dir)
    jobs, artifacts = parts.jobs(settings), parts.artifacts(settings)
    queue, results = parts.queue(settings.job_queue_url), parts.queue(settings.result_queue_url)
    brief = BriefJob(tracker, tracker, artifacts, actions, settings.github_server_url, settings.github_repo)
    cancel = CancelJob(jobs, artifacts, results, parts.clock(), log)
    attempts = parts.attempts(settings)
    claim = ClaimIssue(
        issues=tracker,
        comments=tracker,
        jobs=jobs,
        queue=queue,
        results=results,
        artifacts=artifacts,
        brief=brief,
        cancel=cancel,
        catalogue=actions,
        signer=signer,
        clock=parts.clock(),
        events=log,
    )
    return Poll(
        jobs=jobs,
        find=FindIssues(tracker, actions, settings.jira_project_key),
        take=TakeIssue(claim, attempts, AttemptWork(attempts, parts.time_limit()), parts.clock(), log),
        watch=WatchJobs(
            issues=tracker,
            comments=tracker,
            jobs=jobs,
            queue=queue,
            results=results,
            queued=queue,
            published=results,
            dead=_dead_letters(settings),
            cancel=cancel,
            limit=parts.time_limit(),
            catalogue=actions,
            signer=signer,
            clock=parts.clock(),
            events=log,
        ),
        clock=parts.clock(),
        events=log,
        limit=QUEUED_FOR_EACH * settings.max_concurrency,
        watch_s=settings.watch_seconds,
        launch=_launch(settings, log),
    )


def _dead_letters(settings: PollSettings) -> Mapping[str, DeadLetters]:
    """By the name that the ticket is told; nothing where the deployment does not say where they are."""
    import boto3

    from orchestrator.adapters.sqs import SqsDeadLetters

    places = {"jobs": settings.job_dead_letters_url, "results": settings.result_dead_letters_url}
    sqs = boto3.client("sqs")
    return {name: SqsDeadLetters(sqs, url) for name, url in places.items() if url}


def _launch(settings: PollSettings, log: Events) -> Callable[[], None]:
    """What starts workers, nothing where the deployment does that by itself."""
    if not settings.ecs_cluster:
        return lambda: None
    import boto3

    from orchestrator.adapters.ecs import EcsFleet

    fleet, queue = EcsFleet(boto3.client("ecs"), settings), parts.queue(settings.job_queue_url)
    return LaunchWorkers(queue, fleet, settings.max_concurrency, parts.clock(), log)
