"""The template as CloudFormation will get it: SAM's own transformation, with nothing deployed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

from orchestrator.config import AwsSettings, PollSettings, PublishSettings, WorkerSettings

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, type[AwsSettings]] = {
    "PollJira": PollSettings,
    "RunJob": WorkerSettings,
    "PublishResult": PublishSettings,
}
SECRETS = {
    "PollJira": {"alm/jira"},
    "RunJob": {"alm/github/read", "alm/anthropic", "alm/vertex"},
    "PublishResult": {"alm/jira", "alm/github/write"},
}
QUEUES = {"JobQueue": "JobDeadLetters", "ResultQueue": "ResultDeadLetters"}
CONSUMERS = {"JobQueue": "RunJob", "ResultQueue": "PublishResult"}
# Where the layer and the image put their own files, a switch for tests, and keys where there is no role: nothing a
# deployment says.
NOT_IN_TEMPLATE = {"prompts_dir", "claude_cli", "claude_max_retries", "bedrock_secret"}
FOR_THE_LOGGER = {"POWERTOOLS_LOG_LEVEL"}
GIVEN = {
    "JiraUrl": "https://example.atlassian.net",
    "JiraProjectKey": "ABC",
    "GitHubRepo": "owner/name",
    "WorkerImageUri": "registry.example/worker:1",
}

type Json = dict[str, Any]


@pytest.fixture(scope="module")
def source() -> Json:
    """The template as it is written, CloudFormation's short tags spelled out."""
    parsed: Json = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


@pytest.fixture(scope="module")
def resources(source: Json) -> Iterator[dict[str, Json]]:
    """Every resource after the transformation."""
    copy = json.loads(json.dumps(source, default=str))
    for resource in copy["Resources"].values():
        for local in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            resource["Properties"][local] = "s3://built/by-sam"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield transform(copy, {}, ManagedPolicyLoader(None))["Resources"]


def of_type(resources: dict[str, Json], kind: str) -> dict[str, Json]:
    return {name: found["Properties"] for name, found in resources.items() if found["Type"] == kind}


def statements(resources: dict[str, Json], function: str) -> list[Json]:
    """What the function's role may do, lists made of single values."""
    policies = resources[f"{function}Role"]["Properties"]["Policies"]
    return [
        {**statement, "Action": listed(statement["Action"]), "Resource": listed(statement["Resource"])}
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted(resources: dict[str, Json], function: str, service: str) -> dict[str, set[str]]:
    """Resource (by its logical name) to the actions of one service."""
    allowed: dict[str, set[str]] = {}
    for statement in statements(resources, function):
        actions = {action for action in statement["Action"] if action.startswith(f"{service}:")}
        for resource in statement["Resource"] if actions else ():
            name = resource["Fn::GetAtt"][0] if "Fn::GetAtt" in resource else resource["Fn::Sub"]
            allowed.setdefault(name, set()).update(actions)
    return allowed


def variables(resources: dict[str, Json], function: str) -> Json:
    told: Json = resources[function]["Properties"]["Environment"]["Variables"]
    return told


def test_every_queue_is_fifo_encrypted_and_has_a_dead_letter_queue_after_four_deliveries(
    resources: dict[str, Json],
) -> None:
    queues = of_type(resources, "AWS::SQS::Queue")
    assert queues.keys() == {*QUEUES, *QUEUES.values()}
    assert all(queue["FifoQueue"] and queue["SqsManagedSseEnabled"] for queue in queues.values())
    for name, dead_letters in QUEUES.items():
        redrive = queues[name]["RedrivePolicy"]
        assert redrive == {
            "deadLetterTargetArn": {"Fn::GetAtt": [dead_letters, "Arn"]},
            "maxReceiveCount": 4,
        }


def test_a_message_stays_hidden_for_six_times_its_functions_timeout(resources: dict[str, Json]) -> None:
    for queue, function in CONSUMERS.items():
        timeout_s = resources[function]["Properties"]["Timeout"]
        assert 6 * timeout_s <= resources[queue]["Properties"]["VisibilityTimeout"] <= 12 * 3600


def test_each_queue_feeds_its_function_one_message_at_a_time(resources: dict[str, Json]) -> None:
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    fed = {
        mapping["EventSourceArn"]["Fn::GetAtt"][0]: (mapping["FunctionName"]["Ref"], mapping["BatchSize"])
        for mapping in mappings
    }
    assert fed == {queue: (function, 1) for queue, function in CONSUMERS.items()}


@pytest.mark.parametrize("function", SECRETS)
def test_a_function_reads_its_own_secrets_and_no_other_rooms(
    resources: dict[str, Json], function: str
) -> None:
    prefix, suffix = (
        "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:",
        "-??????",
    )
    allowed = granted(resources, function, "secretsmanager")
    names = {arn.removeprefix(prefix).removesuffix(suffix) for arn in allowed}
    assert names == SECRETS[function]
    assert set().union(*allowed.values()) == {"secretsmanager:GetSecretValue"}
    told = {value for name, value in variables(resources, function).items() if name.endswith("_SECRET")}
    assert told == SECRETS[function]


def test_a_function_touches_only_the_queues_of_its_room(resources: dict[str, Json]) -> None:
    receive = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    send = {"sqs:SendMessage"}
    assert granted(resources, "PollJira", "sqs") == {"JobQueue": send, "ResultQueue": send}
    assert granted(resources, "RunJob", "sqs") == {
        "JobQueue": {*receive, "sqs:ChangeMessageVisibility"},
        "ResultQueue": send,
    }
    assert granted(resources, "PublishResult", "sqs") == {"ResultQueue": receive}


def test_only_the_basic_managed_policy_is_attached(resources: dict[str, Json]) -> None:
    for role in of_type(resources, "AWS::IAM::Role").values():
        attached = {arn.rpartition("/")[2] for arn in role.get("ManagedPolicyArns", ())}
        assert attached <= {"AWSLambdaBasicExecutionRole"}


@pytest.mark.parametrize(("function", "model"), SETTINGS.items())
def test_a_function_is_told_exactly_what_its_settings_read(
    resources: dict[str, Json], function: str, model: type[AwsSettings]
) -> None:
    told = set(variables(resources, function)) - FOR_THE_LOGGER
    assert told == {name.upper() for name in model.model_fields.keys() - NOT_IN_TEMPLATE}


@pytest.mark.parametrize(("function", "model"), SETTINGS.items())
def test_the_parameters_defaults_make_settings_that_can_be_used(
    source: Json, resources: dict[str, Json], function: str, model: type[AwsSettings]
) -> None:
    given = {name: GIVEN.get(name, rule.get("Default")) for name, rule in source["Parameters"].items()}
    environment = {
        name: str(given.get(value["Ref"], f"https://{value['Ref']}.example"))
        if isinstance(value, dict)
        else value
        for name, value in variables(resources, function).items()
    }
    assert model.read(environment)


@pytest.mark.parametrize("function", SETTINGS)
def test_no_policy_allows_every_action_or_resource(resources: dict[str, Json], function: str) -> None:
    for statement in statements(resources, function):
        assert not any("*" in action for action in statement["Action"])
        assert "*" not in statement["Resource"]


def test_every_wildcard_in_the_template_stands_near_its_reason() -> None:
    lines = (ROOT / "template.yaml").read_text().splitlines()
    wild = [number for number, line in enumerate(lines) if re.search(r"arn:.*[*?]|Arn\}.*\*|\"\*\"", line)]
    assert wild
    for number in wild:
        statement = lines[max(0, number - 8) : number]
        start = max(index for index, line in enumerate(statement) if re.search(r"Effect:", line))
        assert any(line.strip().startswith("#") for line in statement[start:]), lines[number]


def test_the_poll_is_scheduled_every_minute_and_never_runs_twice_at_once(
    source: Json, resources: dict[str, Json]
) -> None:
    (schedule,) = of_type(resources, "AWS::Scheduler::Schedule").values()
    assert schedule["ScheduleExpression"] == {"Fn::Sub": "rate(${PollIntervalMinutes} minutes)"}
    assert schedule["Target"]["Arn"] == {"Fn::GetAtt": ["PollJira", "Arn"]}
    assert source["Parameters"]["PollIntervalMinutes"]["Default"] == 1
    assert resources["PollJira"]["Properties"]["ReservedConcurrentExecutions"] == 1


def test_job_records_are_keyed_by_job_id_expire_and_can_be_restored(resources: dict[str, Json]) -> None:
    (table,) = of_type(resources, "AWS::DynamoDB::Table").values()
    assert table["KeySchema"] == [{"AttributeName": "job_id", "KeyType": "HASH"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_artifacts_are_private_encrypted_and_expire(resources: dict[str, Json]) -> None:
    (bucket,) = of_type(resources, "AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 90)


def test_artifacts_are_reached_over_tls_only(resources: dict[str, Json]) -> None:
    (policy,) = of_type(resources, "AWS::S3::BucketPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2


def test_state_outlives_the_stack(resources: dict[str, Json]) -> None:
    for name in ("JobsTable", "ArtifactsBucket"):
        assert {resources[name]["DeletionPolicy"], resources[name]["UpdateReplacePolicy"]} == {"Retain"}


@pytest.mark.parametrize("function", SETTINGS)
def test_every_functions_log_has_an_end(resources: dict[str, Json], function: str) -> None:
    group = resources[function]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
    assert resources[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_the_zip_functions_share_the_layer_and_the_worker_is_an_image(resources: dict[str, Json]) -> None:
    functions = of_type(resources, "AWS::Lambda::Function")
    assert functions["RunJob"]["PackageType"] == "Image"
    for name in ("PollJira", "PublishResult"):
        assert functions[name]["Layers"][0]["Ref"].startswith("CoreLayer")


def test_the_worker_may_ask_bedrock_only_where_it_is_the_provider(
    source: Json, resources: dict[str, Json]
) -> None:
    policy = resources["RunJobModels"]
    assert policy["Condition"] == "OnBedrock"
    assert source["Conditions"] == {"OnBedrock": {"Fn::Equals": [{"Ref": "ModelProvider"}, "bedrock"]}}
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Ref": "BedrockModelArns"}
    assert source["Parameters"]["BedrockModelArns"]["Default"] == "arn:aws:bedrock:::none"
    others = {name: rule for name, rule in resources.items() if name != "RunJobModels"}
    assert "bedrock:" not in json.dumps(others, default=str)
