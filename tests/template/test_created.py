"""The template created by moto's CloudFormation, nested stacks too, and asked what it made."""

import ast
import json
from collections.abc import Iterator

import pytest
from tests.template.created import STACK, Created, created

from orchestrator.config import PollSettings, PublishSettings, ResultQueueSettings


@pytest.fixture(scope="module")
def stack() -> Iterator[Created]:
    with created({}) as made:
        yield made


def test_the_functions_are_told_what_was_made(stack: Created) -> None:
    poll = PollSettings.read(stack.environment("PollFunctionName"))
    told = stack.environment("PublishFunctionName")
    publish, results = PublishSettings.read(told), ResultQueueSettings.read(told)
    assert poll.job_queue_url == stack.outputs["JobQueueUrl"]
    assert poll.result_queue_url == results.result_queue_url == stack.outputs["ResultQueueUrl"]
    assert poll.jobs_table == publish.jobs_table == stack.outputs["JobsTableName"]
    assert poll.job_dead_letters_url == stack.outputs["JobDeadLettersUrl"]
    assert poll.result_dead_letters_url == stack.outputs["ResultDeadLettersUrl"]
    assert poll.artifacts_bucket == publish.artifacts_bucket == stack.outputs["ArtifactsBucketName"]


def test_the_poll_is_told_a_cluster_a_task_and_a_network_that_exist(stack: Created) -> None:
    poll = PollSettings.read(stack.environment("PollFunctionName"))
    ecs, ec2 = stack.client("ecs"), stack.client("ec2")
    (cluster,) = ecs.describe_clusters(clusters=[poll.ecs_cluster])["clusters"]
    assert cluster["clusterName"] == stack.outputs["ClusterName"]
    task = ecs.describe_task_definition(taskDefinition=poll.ecs_task_definition)["taskDefinition"]
    assert (task["family"], task["status"]) == (poll.family, "ACTIVE")
    assert len(ec2.describe_subnets(SubnetIds=list(poll.ecs_subnets))["Subnets"]) == 2
    (group,) = ec2.describe_security_groups(GroupIds=list(poll.ecs_security_groups))["SecurityGroups"]
    assert group["IpPermissions"] == []


def test_the_task_that_was_made_is_as_narrow_as_the_template_says(stack: Created) -> None:
    name = stack.environment("PollFunctionName")["ECS_TASK_DEFINITION"]
    task = stack.client("ecs").describe_task_definition(taskDefinition=name)["taskDefinition"]
    (worker,) = task["containerDefinitions"]
    assert (worker["readonlyRootFilesystem"], worker["user"], worker["stopTimeout"]) == (True, "0", 120)
    assert worker["linuxParameters"]["capabilities"]["add"] == ["SYS_PTRACE"]
    assert "NET_RAW" in worker["linuxParameters"]["capabilities"]["drop"]


def test_what_is_dead_goes_where_it_is_looked_for(stack: Created) -> None:
    sqs = stack.client("sqs")
    for queue in ("Job", "Result"):
        url, dead = stack.outputs[f"{queue}QueueUrl"], stack.outputs[f"{queue}DeadLettersUrl"]
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        assert json.loads(told["RedrivePolicy"]) == {"deadLetterTargetArn": arn, "maxReceiveCount": 4}
        assert told["FifoQueue"] == "true"


def test_jobs_under_way_are_listed_by_an_index_that_was_made(stack: Created) -> None:
    table = stack.client("dynamodb").describe_table(TableName=stack.outputs["JobsTableName"])["Table"]
    (index,) = table["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["IndexStatus"]) == ("active", "ACTIVE")


def test_the_publisher_is_fed_from_the_results(stack: Created) -> None:
    found = stack.client("lambda").list_event_source_mappings(
        FunctionName=stack.outputs["PublishFunctionName"]
    )
    (mapping,) = found["EventSourceMappings"]
    assert mapping["EventSourceArn"].endswith(stack.outputs["ResultQueueUrl"].rpartition("/")[2])
    assert mapping["BatchSize"] == 1


def test_the_store_is_encrypted(stack: Created) -> None:
    s3, bucket = stack.client("s3"), stack.outputs["ArtifactsBucketName"]
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_a_role_that_was_made_reads_the_secrets_that_were_made(stack: Created) -> None:
    iam, secrets = stack.client("iam"), stack.client("secretsmanager")
    arns = {secrets.describe_secret(SecretId=f"alm/{name}")["ARN"] for name in ("jira", "signing")}
    role = stack.function("PollFunctionName")["Role"].rpartition("/")[2]
    found = iam.get_role_policy(RoleName=role, PolicyName="room")["PolicyDocument"]
    # moto keeps a policy of CloudFormation as Python wrote it.
    policy = ast.literal_eval(found)
    (read,) = (
        one["Resource"] for one in policy["Statement"] if one["Action"] == "secretsmanager:GetSecretValue"
    )
    assert set(read) == arns


def test_the_nested_stacks_are_made_with_it(stack: Created) -> None:
    stacks = stack.client("cloudformation").describe_stacks()["Stacks"]
    named = {one["StackName"].rpartition("-")[0]: one["StackStatus"] for one in stacks}
    assert named[f"{STACK}-Alarms"] == named[f"{STACK}-Dashboard"] == "CREATE_COMPLETE"
    (dashboard,) = stack.client("cloudwatch").list_dashboards()["DashboardEntries"]
    body = stack.client("cloudwatch").get_dashboard(DashboardName=dashboard["DashboardName"])
    assert stack.environment("PollFunctionName")["ECS_CLUSTER"]
    assert stack.outputs["PollFunctionName"] in body["DashboardBody"]
    (rule,) = stack.client("events").list_rules()["Rules"]
    assert stack.environment("PollFunctionName")["ECS_CLUSTER"] in rule["EventPattern"]
