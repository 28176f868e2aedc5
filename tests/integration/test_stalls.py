"""One ticket stalls a function for real: the process is interrupted or killed, and no other ticket waits."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any

import pytest
from tests.builders import job, job_result
from tests.integration.agents import REPORT, reports, turns
from tests.integration.deployment import Deployment
from tests.integration.test_functions import event

from alm.aws import BUCKET
from alm.function import FunctionError, LocalFunction
from orchestrator.adapters.dynamodb import DynamoJobStore
from orchestrator.domain.job import Brief, Job, brief_key, result_key

# The expression that was found, and a use case's own limits made short enough for a test.
FAULTY = r"""
import re
import orchestrator.domain.attempt as attempt
import orchestrator.domain.pull_reference as pull_reference
import orchestrator.usecases.claim_issue as claim_issue
import orchestrator.usecases.publish_in_time as publish_in_time
import orchestrator.usecases.publish_result as publish_result
import orchestrator.usecases.take_issue as take_issue
from orchestrator.usecases.attempt_work import Allowance

pull_reference._REFERENCE = re.compile(
    r"(?P<url>a(?P<in_url>b))|(?:pull\s+request|pr)\s*:?\s*#?\s*(?P<in_words>[0-9]{1,9})", re.IGNORECASE
)
attempt.UNDER_WAY_S = claim_issue.HELD_S = 0
take_issue.FOR_AN_ISSUE = publish_in_time.FOR_A_RESULT = Allowance(wall_s=30.0, cpu_s=CPU_S)
without_secrets = publish_result.without_secrets
publish_result.without_secrets = lambda result, redact: (
    pull_reference.find_reference([result.text], "", "") and None or without_secrets(result, redact)
)
"""
HOSTILE = "PR" + " " * 6_000 + "x"
LIMIT_S = 1.0
NEVER_S = 600.0


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with Deployment.around(turns(reports(REPORT))) as running:
        yield running


@contextmanager
def function(
    deployment: Deployment, name: str, folder: Path, cpu_s: float = LIMIT_S
) -> Iterator[LocalFunction]:
    """The deployed function, with the faulty expression in it."""
    (folder / "sitecustomize.py").write_text(FAULTY.replace("CPU_S", str(cpu_s)))
    told = {
        "poll_jira": deployment.settings.poll_environment(),
        "publish_result": deployment.settings.publish_environment(),
    }
    with deployment.function(name, {**told[name], "PYTHONPATH": str(folder)}) as running:
        yield running


def review(deployment: Deployment, description: str) -> str:
    return deployment.jira.create_issue("Bug", "x", description=description, labels=("ai-code-review",)).key


def comments(deployment: Deployment, key: str) -> str:
    return "\n".join(str(one.body) for one in deployment.jira.issue(key).comments)


def _end(running: LocalFunction) -> None:
    with suppress(ProcessLookupError):
        os.kill(running._process.pid, signal.SIGKILL)  # noqa: SLF001  # as Lambda does


def killed(running: LocalFunction, value: Any, after_s: float) -> None:
    """Invoke, and let the kernel take the process away in the middle."""
    timer = Timer(after_s, _end, (running,))
    timer.start()
    with pytest.raises(FunctionError, match="ended"):
        running.invoke(value)
    timer.cancel()


def told(deployment: Deployment, folder: Path, key: str) -> None:
    """The ticket was set aside: the publisher reports it and releases its labels."""
    with function(deployment, "publish_result", folder) as publisher:
        while message := deployment.aws.next_result(0):
            answer = publisher.invoke(event(message))
            assert answer["batchItemFailures"] == []
            deployment.aws.result_done(message["ReceiptHandle"])
    assert "set aside" in comments(deployment, key)
    assert not {"ai-code-review", "ai-processing"} & set(deployment.jira.issue(key).labels)


def test_an_issue_whose_text_stalls_the_poll_is_interrupted_and_set_aside(
    deployment: Deployment, tmp_path: Path
) -> None:
    hostile, other = review(deployment, HOSTILE), review(deployment, "PR 1")
    with function(deployment, "poll_jira", tmp_path) as poller:
        began = monotonic()
        first = poller.invoke({})
        assert monotonic() - began < 20
        assert (first["claimed"], first["failed"]) == ([other], [hostile])
        assert poller.invoke({})["failed"] == [hostile]
        assert poller.invoke({})["resumed"] == [hostile]  # it was claimed before its text was read
    assert [line["issue_key"] for line in deployment.logged("issue.set_aside")] == [hostile]
    told(deployment, tmp_path, hostile)


def test_an_issue_that_kills_the_poll_is_set_aside_by_the_process_after_the_next(
    deployment: Deployment, tmp_path: Path
) -> None:
    hostile = review(deployment, HOSTILE)
    with function(deployment, "poll_jira", tmp_path, NEVER_S) as poller:
        killed(poller, {}, 5)
    other = review(deployment, "PR 1")
    with function(deployment, "poll_jira", tmp_path, NEVER_S) as poller:
        killed(poller, {}, 8)
    assert "ai-processing" in deployment.jira.issue(other).labels  # claimed before the hostile one
    with function(deployment, "poll_jira", tmp_path, NEVER_S) as poller:
        poller.invoke({})
    assert [line["attempts"] for line in deployment.logged("issue.set_aside")] == [2]
    told(deployment, tmp_path, hostile)


def _stored(deployment: Deployment, key: str, text: str) -> Job:
    """A job whose result waits to be published."""
    issue = deployment.jira.issue(key)
    waiting = job(job_id=f"{key}-investigate-0", issue_id=issue.id, issue_key=key)
    s3 = deployment.client("s3")
    brief = Brief(issue_type="Bug", summary="x", description="x", url="https://jira.example")
    s3.put_object(Bucket=BUCKET, Key=brief_key(waiting), Body=brief.model_dump_json().encode())
    result = job_result(text=text, report=None).model_dump_json().encode()
    s3.put_object(Bucket=BUCKET, Key=result_key(waiting.job_id), Body=result)
    DynamoJobStore(deployment.table()).create(waiting, None)
    return waiting


def _event(job: Job, attempt: int) -> dict[str, Any]:
    return event(
        {
            "MessageId": job.job_id,
            "Body": job.model_dump_json(),
            "ReceiptHandle": "-",
            "Attributes": {"ApproximateReceiveCount": str(attempt)},
        }
    )


@pytest.mark.parametrize("kill", [False, True], ids=["interrupted", "killed"])
def test_a_result_that_stalls_the_publisher_is_reported_by_a_fixed_text(
    deployment: Deployment, tmp_path: Path, kill: bool
) -> None:
    keys = [deployment.jira.create_issue("Bug", "x", labels=("ai-processing",)).key for _ in range(2)]
    hostile, other = _stored(deployment, keys[0], HOSTILE), _stored(deployment, keys[1], "All is well.")
    for attempt in (1, 2):
        with function(deployment, "publish_result", tmp_path, NEVER_S if kill else LIMIT_S) as publisher:
            if kill:
                killed(publisher, _event(hostile, attempt), 5)
            else:
                assert publisher.invoke(_event(hostile, attempt))["batchItemFailures"]
    with function(deployment, "publish_result", tmp_path) as publisher:
        began = monotonic()
        assert publisher.invoke(_event(other, 1))["batchItemFailures"] == []
        assert publisher.invoke(_event(hostile, 3))["batchItemFailures"] == []
        assert monotonic() - began < 20
    assert "All is well." in comments(deployment, other.issue_key)
    assert "could not be published" in comments(deployment, hostile.issue_key)
    assert not [key for key in keys if "ai-processing" in deployment.jira.issue(key).labels]
    assert [line["attempts"] for line in deployment.logged("result.set_aside")] == [2]
