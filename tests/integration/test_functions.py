"""poll_jira and publish_result through their handlers, each in a process: bad set-up, foreign messages, launches."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.integration.agents import REPORT, reports, turns
from tests.integration.deployment import Deployment

from alm.function import FunctionError, LocalFunction
from alm.standins.faults import Fault
from orchestrator.domain.job import Job


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with Deployment.around(turns(reports(REPORT))) as running:
        yield running


@contextmanager
def poller(deployment: Deployment, **more: str) -> Iterator[LocalFunction]:
    with deployment.function("poll_jira", {**deployment.settings.poll_environment(), **more}) as function:
        yield function


@contextmanager
def publisher(deployment: Deployment, **more: str) -> Iterator[LocalFunction]:
    told = {**deployment.settings.publish_environment(), **more}
    with deployment.function("publish_result", told) as function:
        yield function


def delivered(deployment: Deployment, function: LocalFunction) -> list[str]:
    """Hand the next result to the publisher, as the event source mapping does; what must come again."""
    message: Any = deployment.aws.next_result(0)
    assert message is not None
    answer = function.invoke(event(message))["batchItemFailures"]
    assert [failure["itemIdentifier"] for failure in answer] in ([], [message["MessageId"]])
    return [failure["itemIdentifier"] for failure in answer]


def event(message: Any) -> dict[str, Any]:
    """A message as Lambda hands it to a function."""
    record = {
        "messageId": message["MessageId"],
        "body": message["Body"],
        "receiptHandle": message["ReceiptHandle"],
        "attributes": message["Attributes"],
    }
    return {"Records": [record]}


def placed(deployment: Deployment) -> dict[str, str]:
    """A cluster in moto, and the variables that name it."""
    ecs, ec2 = deployment.client("ecs"), deployment.client("ec2")
    made = ecs.register_task_definition(
        family="worker",
        networkMode="awsvpc",
        containerDefinitions=[{"name": "worker", "image": "x", "memory": 128}],
    )
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
    return {
        "ECS_CLUSTER": ecs.create_cluster(clusterName="c")["cluster"]["clusterArn"],
        "ECS_TASK_DEFINITION": made["taskDefinition"]["taskDefinitionArn"],
        "ECS_SUBNETS": ",".join(subnets),
        "ECS_SECURITY_GROUPS": ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"],
        "ECS_CAPACITY_PROVIDER": "FARGATE",
        "ECS_ASSIGN_PUBLIC_IP": "ENABLED",
        "MAX_CONCURRENCY": "2",
    }


def running(deployment: Deployment) -> int:
    return len(deployment.client("ecs").list_tasks(cluster="c", desiredStatus="RUNNING")["taskArns"])


def test_a_poll_starts_workers_for_what_it_has_queued_and_never_too_many(deployment: Deployment) -> None:
    with poller(deployment, **placed(deployment)) as function:
        function.invoke({})
        assert running(deployment) == 0
        for _ in range(3):
            deployment.jira.create_issue("Bug", "x", labels=("ai-investigate",))
        assert len(function.invoke({})["claimed"]) == 3
        assert running(deployment) == 2
        function.invoke({})
        assert running(deployment) == 2
    assert [(line["waiting"], line["started"]) for line in deployment.logged("workers.launched")] == [(3, 2)]


def test_a_cluster_that_is_not_there_fails_no_poll(deployment: Deployment) -> None:
    deployment.jira.create_issue("Bug", "x", labels=("ai-investigate",))
    with poller(deployment, **{**placed(deployment), "ECS_CLUSTER": "gone"}) as function:
        assert len(function.invoke({})["claimed"]) == 1
    (line,) = deployment.logged("workers.not_launched")
    assert line["error"] == "ECS did not tell which tasks run (ClusterNotFoundException)."
    assert deployment.measured()["PollErrors"] == 1


def test_without_a_cluster_a_poll_asks_nothing_of_ecs(deployment: Deployment) -> None:
    empty = dict.fromkeys(placed(deployment), "")
    deployment.jira.create_issue("Bug", "x", labels=("ai-investigate",))
    with poller(deployment, **empty) as function:
        assert len(function.invoke({})["claimed"]) == 1
    assert running(deployment) == 0


def test_a_poll_counts_what_jira_answers(deployment: Deployment) -> None:
    deployment.jira.create_issue("Bug", "x", labels=("ai-investigate",))
    with poller(deployment) as function:
        function.invoke({})
    assert deployment.measured()["JiraRequests"] == 4, "search, read, claim, comment"


@pytest.mark.parametrize("value", ["s3cret", '{"client_id": "s3cret"}', '{"client_id": 1, "s3cret": 2}'])
def test_a_malformed_secret_is_one_line_a_poll_and_no_crash(deployment: Deployment, value: str) -> None:
    deployment.store_secret("alm/jira", value)
    with poller(deployment) as function:
        said = function.invoke({})["unusable"]
        assert said.startswith("The secret alm/jira cannot be used")
        assert deployment.jira.requests == ()
    assert len(deployment.logged("config.unusable")) == 1
    assert deployment.measured() == {"ConfigErrors": 1, "PollErrors": 1}
    assert "s3cret" not in json.dumps(deployment.printed)


def test_a_secret_that_was_mended_is_used_by_the_next_poll(deployment: Deployment) -> None:
    good = deployment.settings.secrets()["alm/jira"]
    deployment.store_secret("alm/jira", "{}")
    with poller(deployment) as function:
        assert function.invoke({})["unusable"]
        deployment.store_secret("alm/jira", good)
        assert not function.invoke({})["unusable"]


def test_a_poll_without_its_settings_names_them(deployment: Deployment) -> None:
    with poller(deployment, JIRA_URL="", ECS_CLUSTER="c", MAX_CONCURRENCY="65") as function:
        said = function.invoke({})["unusable"]
    assert all(name in said for name in ("JIRA_URL", "MAX_CONCURRENCY"))


def test_a_jira_that_is_away_is_an_error_that_is_counted(deployment: Deployment) -> None:
    deployment.jira.faults.add(Fault(path="/search/jql", status=503, headers={"Retry-After": "120"}))
    with poller(deployment) as function, pytest.raises(FunctionError, match="Jira answered 503"):
        function.invoke({})
    assert deployment.measured()["PollErrors"] == 1


def result_of(deployment: Deployment, key: str) -> Job:
    """A job that was rejected by the poll, so that its result waits to be published."""
    with poller(deployment) as function:
        assert function.invoke({})["claimed"] == [key]
    return Job.model_validate(deployment.jira.issue(key).properties["alm.job"])


def test_a_result_that_cannot_be_told_comes_again_and_is_counted(deployment: Deployment) -> None:
    issue = deployment.jira.create_issue("Story", "x", labels=("ai-investigate",))
    result_of(deployment, issue.key)
    deployment.printed.clear()
    fault = Fault(method="POST", path="/comment", status=503, headers={"Retry-After": "120"})
    deployment.jira.faults.add(fault)
    with publisher(deployment) as function:
        assert delivered(deployment, function)
        assert deployment.aws.next_result(0) is None, "it is hidden for a while"
    assert len(deployment.logged("publish.failed")) == 1
    assert deployment.measured()["PublishErrors"] == 1


def test_a_result_that_was_told_does_not_come_again(deployment: Deployment) -> None:
    issue = deployment.jira.create_issue("Story", "x", labels=("ai-investigate",))
    result_of(deployment, issue.key)
    with publisher(deployment) as function:
        assert delivered(deployment, function) == []
    assert "INVALID ISSUE TYPE" in deployment.jira.issue(issue.key).comments[-1].text


@pytest.mark.parametrize(
    ("secret", "more", "named"),
    [
        ("alm/github/write", {}, "The secret alm/github/write cannot be used"),
        ("alm/known", {"GITHUB_REPO": ""}, "GITHUB_REPO"),
    ],
)
def test_what_is_unusable_leaves_the_result_on_its_queue(
    deployment: Deployment, secret: str, more: dict[str, str], named: str
) -> None:
    issue = deployment.jira.create_issue("Story", "x", labels=("ai-investigate",))
    result_of(deployment, issue.key)
    deployment.printed.clear()
    deployment.store_secret(secret, '{"s3cret": ""}')
    with publisher(deployment, **more) as function:
        assert delivered(deployment, function)
        assert deployment.aws.next_result(0) is None
        assert deployment.aws.results_left() == 1
    (line,) = [line for line in deployment.printed if "_aws" not in line]
    assert (line["message"], named in line["error"]) == ("config.unusable", True)
    assert deployment.measured() == {"PublishErrors": 1, "ConfigErrors": 1}
    assert "s3cret" not in json.dumps(deployment.printed)


def test_a_foreign_message_is_with_the_dead_letters_after_four_looks(deployment: Deployment) -> None:
    deployment.send_foreign(deployment.aws.result_queue, "not ours")
    with publisher(deployment) as function:
        for _ in range(4):
            assert delivered(deployment, function)
        assert deployment.aws.next_result(0) is None
    assert deployment.aws.dead_letters() == 1
    assert len(deployment.logged("message.foreign")) == 4
    assert "not ours" not in json.dumps(deployment.printed)


def next_job(deployment: Deployment) -> Any:
    """The job queue's next message, hidden as Lambda hides it; None if there is none to be had."""
    answer = deployment.aws.sqs.receive_message(
        QueueUrl=deployment.aws.job_queue, VisibilityTimeout=5400, MessageSystemAttributeNames=["All"]
    )
    return next(iter(answer.get("Messages", ())), None)


def test_a_worker_that_is_a_function_gives_a_foreign_message_back_at_once_and_deletes_nothing(
    deployment: Deployment,
) -> None:
    deployment.send_foreign(deployment.aws.job_queue, "not ours")
    with deployment.function("run_job", deployment.worker_environment) as function:
        for _ in range(4):
            with pytest.raises(FunctionError) as raised:
                function.invoke(event(next_job(deployment)))
            assert raised.value.kind == "ForeignMessage"
        assert next_job(deployment) is None
    assert deployment.aws.dead_letters() == 1
    assert [line["attempt"] for line in deployment.logged("message.foreign")] == [1, 2, 3, 4]


def test_a_worker_that_is_a_function_and_unusable_says_so_once_and_leaves_its_message(
    deployment: Deployment,
) -> None:
    deployment.store_secret("alm/anthropic", "s3cret")
    deployment.send_foreign(deployment.aws.job_queue, "not looked at")
    with (
        deployment.function("run_job", deployment.worker_environment) as function,
        pytest.raises(FunctionError, match="The secret alm/anthropic cannot be used"),
    ):
        function.invoke(event(next_job(deployment)))
    assert [line["message"] for line in deployment.printed if "_aws" not in line] == ["config.unusable"]
    assert deployment.measured() == {"ConfigErrors": 1}
    assert next_job(deployment) is None, "it is hidden as long as Lambda hides it"
